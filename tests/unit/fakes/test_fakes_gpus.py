# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GPU CUDA shows, and what the fake nvidia-smi answers."""

from __future__ import annotations

import json

import nvidia_smi
import pytest
from autonomys_fakes import gpus

SLOW = {"uuid": "GPU-aaaa", "bus_id": "00000000:01:00.0", "memory_mib": 10240}
FAST = {"uuid": "GPU-bbbb", "bus_id": "00000000:C1:00.0", "memory_mib": 24564}
BY_BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["GPU-bbbb", "GPU-aaaa"]),
        (BY_BUS, ["GPU-aaaa", "GPU-bbbb"]),
        ({"CUDA_VISIBLE_DEVICES": "0"}, ["GPU-bbbb"]),
        ({"CUDA_VISIBLE_DEVICES": "0", **BY_BUS}, ["GPU-aaaa"]),
        ({"CUDA_VISIBLE_DEVICES": "1,0", **BY_BUS}, ["GPU-bbbb", "GPU-aaaa"]),
        ({"CUDA_VISIBLE_DEVICES": "0,7,1", **BY_BUS}, ["GPU-aaaa"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-aaaa"}, ["GPU-aaaa"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-cccc,0"}, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "0,0"}, []),
    ],
)
def test_visible(environment, expected):
    assert gpus.visible([SLOW, FAST], environment) == expected


RECORDS = [
    {
        "index": index,
        "uuid": f"GPU-0000000{index}",
        "name": "NVIDIA GeForce RTX 3080",
        "bus_id": f"0000:{index + 1:02x}:00.0",
        "memory_mib": 10240,
        "driver_version": "550.120",
        "cpu_affinity": "0-47,96-143",
        "numa_affinity": "0",
        "links": {"NIC0": "NODE"},
    }
    for index in (0, 1)
]


@pytest.fixture
def records(tmp_path, monkeypatch):
    """Have the fake read its GPUs from here."""
    path = tmp_path / "gpus.json"
    path.write_text(json.dumps(RECORDS))
    monkeypatch.setattr(nvidia_smi, "GPUS", path)
    return path


def test_query(records, capsys):
    line = ["--query-gpu=index,uuid,name,pci.bus_id,memory.total,driver_version", "--format=csv,noheader,nounits"]
    assert nvidia_smi.main(line) == 0
    assert (
        capsys.readouterr().out.splitlines()[1]
        == "1, GPU-00000001, NVIDIA GeForce RTX 3080, 00000000:02:00.0, 10240, 550.120"
    )


def test_list(records, capsys):
    assert nvidia_smi.main(["-L"]) == 0
    assert capsys.readouterr().out.startswith("GPU 0: NVIDIA GeForce RTX 3080 (UUID: GPU-00000000)\n")


def test_topology(records, capsys):
    assert nvidia_smi.main(["topo", "-m"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "\t\x1b[4mGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m"
    assert lines[1] == "GPU0\t X \tNODE\tNODE\t0-47,96-143\t\t0\t\tN/A"
    assert lines[3].startswith("NIC0\tNODE\tNODE\t X ")


def test_apps(records, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(nvidia_smi, "HELD", str(tmp_path / "held-"))
    held = tmp_path / "held-GPU-00000001"
    held.touch()
    line = ["--query-compute-apps=pid,gpu_uuid", "--format=csv,noheader"]
    assert nvidia_smi.main(line) == 0
    assert capsys.readouterr().out == ""
    with held.open():
        nvidia_smi.main(line)
    assert capsys.readouterr().out.endswith(", GPU-00000001\n")


@pytest.mark.parametrize("line", [[], ["-q"], ["topo"], ["--query-gpu=index", "--format=csv"]])
def test_other_queries_are_refused(records, line, capsys):
    assert nvidia_smi.main(line) == 2
    assert "unknown command line" in capsys.readouterr().err


def test_no_gpu(records, capsys):
    records.unlink()
    assert nvidia_smi.main(["-L"]) == 9
    assert "couldn't communicate with the NVIDIA driver" in capsys.readouterr().out
