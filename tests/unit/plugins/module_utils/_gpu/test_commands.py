# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu import commands
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.commands import find_nvidia_smi, gpu_processes
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import read_topology
from ansible_collections.autonomys.cluster.plugins.module_utils._host.commands import CommandError, run_command
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._gpu.machines import (
    CPU,
    NODE,
    fake_nvidia,
    files_of,
    matrix,
    write_tree,
)


def test_matrix_that_fails_is_a_warning(seed, tmp_path):
    run = fake_nvidia(
        seed, "Unable to determine the device handle for GPU 0000:0B:00.0: Unknown Error\n", topo_status=15
    )
    found = read_topology(write_tree(tmp_path, files_of(seed)), run=run)
    assert len(found["topology"]["gpus"]) == 4
    assert found["warnings"][0].startswith("nvidia-smi topo -m gave no matrix: a GPU has stopped answering")


def test_bad_status_with_some_gpus_is_a_warning(seed, tmp_path):
    def run(argv, timeout):
        status, stdout, stderr = fake_nvidia(seed, matrix(seed))(argv, timeout)
        return (
            (status, stdout, stderr)
            if "topo" in argv
            else (15, stdout, "Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.")
        )

    found = read_topology(write_tree(tmp_path, files_of(seed)), run=run)
    assert len(found["topology"]["gpus"]) == 4
    assert found["warnings"][0].startswith("nvidia-smi may not have listed all GPUs: a GPU has stopped answering")


def test_status_14_with_a_matrix_is_no_failure(seed, tmp_path):
    run = fake_nvidia(
        seed, "WARNING: infoROM is corrupted at gpu 0000:01:00.0\n" + matrix(seed), topo_status=14, status=14
    )
    found = read_topology(write_tree(tmp_path, files_of(seed)), run=run)
    assert (len(found["topology"]["gpus"]), found["gpu_error"], found["warnings"]) == (4, None, [])


def no_gpu(tmp_path, run):
    found = read_topology(write_tree(tmp_path, {f"{CPU}/online": "0-1\n"}), run=run)
    assert found["topology"]["gpus"] == []
    return found["gpu_error"]


def test_no_nvidia_smi(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "find_nvidia_smi", lambda: None)
    assert no_gpu(tmp_path, run_command).startswith("nvidia-smi was not found on this host")


@pytest.mark.parametrize(
    "query, status, wanted",
    [
        ("No devices were found\n", 6, "the NVIDIA driver is loaded but sees no GPU"),
        (
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
            9,
            "cannot reach the NVIDIA driver",
        ),
        ("", 255, "nvidia-smi printed nothing and ended with status 255"),
        ("Segmentation fault\n", 139, "nvidia-smi ended with status 139"),
    ],
)
def test_failing_nvidia_smi(tmp_path, query, status, wanted):
    assert wanted in no_gpu(tmp_path, fake_nvidia({}, query=query, status=status))


def script(tmp_path, text):
    path = tmp_path / "nvidia-smi"
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_hanging_nvidia_smi_is_an_answer(tmp_path, monkeypatch):
    program = script(tmp_path, "sleep 60 & sleep 60\n")
    monkeypatch.setattr(commands, "find_nvidia_smi", lambda: program)
    started = time.monotonic()
    found = read_topology(write_tree(tmp_path / "root", {f"{CPU}/online": "0-1\n"}), run=run_command, timeout=1)
    assert "did not end within 1 s; the NVIDIA driver may hang" in found["gpu_error"]
    # The program itself would take a minute.
    assert time.monotonic() - started < 30


def test_find_nvidia_smi(tmp_path, monkeypatch):
    program = script(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_nvidia_smi() == program


def nvml(*affinity):
    return json.dumps(
        [
            {
                "index": 0,
                "uuid": "GPU-aa",
                "name": "NVIDIA Test",
                "bus_id": "00000000:01:00.0",
                "memory_mib": 24564,
                "driver_version": "550.54.14",
                "affinity": list(affinity),
            }
        ]
    )


def test_nvml_is_asked_where_nvidia_smi_does_not_list_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr(commands.importlib.util, "find_spec", lambda name: object())

    def run(argv, timeout):
        if argv[0] == sys.executable:
            return 0, nvml(0b1100), ""
        return 255, "", 'Field "driver_version" is not a valid field to query.\n'

    files = {f"{CPU}/online": "0-7\n", f"{NODE}/node0/cpulist": "0-1\n", f"{NODE}/node1/cpulist": "2-7\n"}
    found = read_topology(write_tree(tmp_path, files), run=run)
    gpu = found["topology"]["gpus"][0]
    assert (gpu["uuid"], gpu["bus_id"], gpu["numa_node"], gpu["cpus"], gpu["cpus_source"]) == (
        "GPU-aa",
        "0000:01:00.0",
        1,
        "2-3",
        "nvml",
    )
    assert found["gpu_error"] is None
    assert found["warnings"][0].startswith("nvidia-smi did not list the GPUs, NVML did")


def test_nvml_that_fails_is_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setattr(commands.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(commands, "find_nvidia_smi", lambda: None)
    assert no_gpu(tmp_path, lambda argv, timeout: (1, "", "pynvml.NVMLError_LibraryNotFound")).startswith(
        "nvidia-smi was not found"
    )


def test_processes_are_unknown_when_the_driver_hangs(monkeypatch):
    def hang(argv, timeout):
        raise CommandError("nvidia-smi did not end within 5 s")

    assert gpu_processes(5, hang) is None
    monkeypatch.setattr(commands, "find_nvidia_smi", lambda: None)
    assert gpu_processes(5, hang) == {}


def test_processes_are_unknown_when_nvidia_smi_fails():
    assert gpu_processes(5, lambda argv, timeout: (9, "1, GPU-a\n", "")) is None
    assert gpu_processes(5, lambda argv, timeout: (0, "1, GPU-a\n", "")) == {1: ["GPU-a"]}


# What nvidia-smi says beside and instead of GPUs


def query_of(seed, extra="", without=()):
    lines = [
        f"{gpu['index']}, {gpu['uuid']}, NVIDIA Test, 0000{gpu['bus_id'].upper()}, 24564, 550.54.14"
        for gpu in seed["gpus"]
        if gpu["index"] not in without
    ]
    return "\n".join([*lines, extra]) + "\n"


def test_a_lost_gpu_is_told_once_and_is_not_used(seed, tmp_path):
    extra = "1, [GPU is lost], NVIDIA Test, 00000000:11:00.0, [GPU is lost], 550.54.14"
    run = fake_nvidia(seed, matrix(seed), query=query_of(seed, extra, without=[1]), status=15)
    found = read_topology(write_tree(tmp_path, files_of(seed)), run=run)
    assert [gpu["index"] for gpu in found["topology"]["gpus"]] == [0, 2, 3]
    assert found["lost"] == [warning for warning in found["warnings"] if "0000:11:00.0" in warning]
    assert len(found["lost"]) == 1 and "[GPU is lost]" in found["lost"][0]
    assert len(found["warnings"]) == 2 and "fallen off the bus" in " ".join(found["warnings"])


def test_a_lost_gpu_alone_is_the_reason_for_none(tmp_path):
    query = "0, [Unknown Error], [Unknown Error], 00000000:11:00.0, [Unknown Error], [Unknown Error]\n"
    error = no_gpu(tmp_path, fake_nvidia({}, query=query))
    assert "GPU0 (0000:11:00.0): [Unknown Error]" in error and "topo -m" not in error


def test_lines_beside_the_list_are_told(seed, tmp_path):
    line = "Unable to determine the device handle for gpu 0000:18:00.0: Unknown Error"
    run = fake_nvidia(seed, matrix(seed), query=query_of(seed, line))
    found = read_topology(write_tree(tmp_path, files_of(seed)), run=run)
    assert len(found["topology"]["gpus"]) == 4
    [warning] = found["warnings"]
    assert warning.startswith("a GPU has stopped answering") and "0000:18:00.0" in warning


def test_a_status_is_not_explained_by_the_list(seed, tmp_path):
    found = read_topology(
        write_tree(tmp_path, files_of(seed)), run=fake_nvidia(seed, matrix(seed), query=query_of(seed), status=15)
    )
    assert found["warnings"] == [
        "nvidia-smi may not have listed all GPUs: a GPU has fallen off the bus or cannot be reached; "
        "look for Xid messages in dmesg, then reboot the host (nvidia-smi ended with status 15)"
    ]
