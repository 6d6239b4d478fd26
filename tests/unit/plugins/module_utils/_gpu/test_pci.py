# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import read_topology
from ansible_collections.autonomys.cluster.plugins.module_utils._host.commands import CommandError
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._gpu.machines import (
    CPU,
    PCI,
    fake_nvidia,
    files_of,
    matrix,
    write_tree,
)


def test_nics(tmp_path):
    files = {f"{CPU}/online": "0\n"}
    for bus_id, node in (("0000:e1:00.0", "1"), ("0000:e1:00.1", "-1"), ("0000:a1:00.0", "0")):
        files[f"{PCI}/{bus_id}/numa_node"] = node + "\n"
    files["/sys/class/net/eth0/speed"] = "25000\n"
    files["/sys/class/net/eth1/speed"] = "-1\n"
    files["/sys/class/net/lo/speed"] = "\n"
    root = Path(write_tree(tmp_path, files))
    for kind, name, bus_id in (
        ("net", "eth0", "0000:e1:00.0"),
        ("net", "eth1", "0000:e1:00.1"),
        ("infiniband", "mlx5_0", "0000:e1:00.0"),
        ("infiniband", "mlx5_1", "0000:a1:00.0"),
    ):
        folder = root / f"sys/class/{kind}/{name}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "device").symlink_to(f"../../../bus/pci/devices/{bus_id}")
    assert read_topology(str(root))["topology"]["nics"] == [
        {"name": "eth0", "bus_id": "0000:e1:00.0", "numa_node": 1, "speed_mbps": 25000},
        {"name": "eth1", "bus_id": "0000:e1:00.1", "numa_node": None, "speed_mbps": None},
        {"name": "mlx5_1", "bus_id": "0000:a1:00.0", "numa_node": 0, "speed_mbps": None},
    ]


def bound(root, bus_id, driver):
    drivers = root / f"sys/bus/pci/drivers/{driver}"
    drivers.mkdir(parents=True, exist_ok=True)
    (root / PCI.lstrip("/") / bus_id / "driver").symlink_to(f"../../drivers/{driver}")


@pytest.mark.parametrize(
    ("driver", "wanted", "unwanted"),
    [
        ("nvidia", "look for Xid messages in dmesg", "bound to"),
        ("vfio-pci", "bound to vfio-pci, which keeps it for virtual machines", "Xid"),
        ("nouveau", "bound to nouveau: unbind that", "Xid"),
    ],
)
def test_who_has_a_gpu_that_is_not_listed(seed, tmp_path, driver, wanted, unwanted):
    root = Path(write_tree(tmp_path, files_of(seed)))
    bound(root, "0000:11:00.0", driver)
    seed["gpus"].pop(1)
    found = read_topology(str(root), run=fake_nvidia(seed, matrix(seed)))
    assert found["lost"] == ([] if driver == "vfio-pci" else found["warnings"])
    [warning] = found["warnings"]
    assert "0000:11:00.0" in warning and wanted in warning and unwanted not in warning


def test_who_has_all_the_gpus(seed, tmp_path):
    root = Path(write_tree(tmp_path, files_of(seed)))
    for gpu in seed["gpus"]:
        bound(root, gpu["bus_id"], "vfio-pci")
    found = read_topology(str(root), run=fake_nvidia(seed, query="No devices were found\n", status=6))
    assert found["topology"]["gpus"] == []
    assert found["gpu_error"].startswith("the NVIDIA driver is loaded but sees no GPU")
    assert all(f"{gpu['bus_id']} is bound to vfio-pci" in found["gpu_error"] for gpu in seed["gpus"])


def test_a_gpu_in_pieces(seed, tmp_path):
    files = files_of(seed)
    for number, gpu in enumerate(seed["gpus"]):
        files[f"/proc/driver/nvidia/gpus/{gpu['bus_id']}/information"] = f"Model: \t X\nDevice Minor: \t {number}\n"
    files["/proc/driver/nvidia/capabilities/gpu2/mig/gi1/access"] = "DeviceFileMinor: 1\n"
    found = read_topology(write_tree(tmp_path, files), run=fake_nvidia(seed, matrix(seed)))
    [warning] = found["warnings"]
    assert warning.startswith("GPU2 (0000:21:00.0) is divided by MIG")


def test_a_gpu_that_is_to_be_in_pieces_and_is_in_none(seed, tmp_path):
    """In MIG mode without an instance a GPU looks well, and no program can use it."""
    asked = []
    answers = fake_nvidia(seed, matrix(seed))

    def run(argv, timeout):
        asked.append(argv[1])
        if argv[1].endswith("mig.mode.current"):
            return 0, "0, [N/A]\n1, Disabled\n2, Enabled\nx, Enabled\n", ""
        return answers(argv, timeout)

    files = files_of(seed)
    assert read_topology(write_tree(tmp_path, files), run=run)["warnings"] == []
    assert not [words for words in asked if "mig" in words]
    answers = fake_nvidia(seed, matrix(seed), name="NVIDIA A100-SXM4-80GB")
    [warning] = read_topology(write_tree(tmp_path, files), run=run)["warnings"]
    assert warning.startswith("GPU2 (0000:21:00.0) is in MIG mode and has no instance")
    assert warning.endswith("(nvidia-smi -i 2 -mig 0)")


def test_a_driver_that_knows_no_mig_is_no_warning(seed, tmp_path):
    answers = fake_nvidia(seed, matrix(seed), name="NVIDIA A30")

    def run(argv, timeout):
        if argv[1].endswith("mig.mode.current"):
            raise CommandError("did not end")
        return answers(argv, timeout)

    assert read_topology(write_tree(tmp_path, files_of(seed)), run=run)["warnings"] == []
