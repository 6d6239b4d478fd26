# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import read_topology
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._gpu.machines import (
    CPU,
    MACHINES,
    NODE,
    PCI,
    fake_nvidia,
    files_of,
    matrix,
    recorded,
    write_tree,
)

MADE = [path.stem for path in sorted(MACHINES.glob("*.json")) if not path.name.startswith("sysfs-")]


@pytest.mark.parametrize("masks", [False, True], ids=["lists", "masks"])
@pytest.mark.parametrize("name", MADE)
def test_machine_is_read_back(name, masks, tmp_path):
    wanted = recorded(name)["topology"]
    found = read_topology(write_tree(tmp_path, files_of(wanted, masks)))
    assert found["warnings"] == []
    topology = found["topology"]
    assert topology["cpus"] == wanted["cpus"]
    keys = ("bus_id", "numa_node", "cpus")
    assert sorted([gpu[key] for key in keys] for gpu in topology["gpus"]) == sorted(
        [gpu[key] for key in keys] for gpu in wanted["gpus"]
    )


def test_numa_node_minus_one_on_a_machine_with_one_node(tmp_path):
    topology = read_topology(write_tree(tmp_path, recorded("sysfs-linux-amd64-accel-nvidia")["files"]))["topology"]
    assert [(gpu["bus_id"], gpu["numa_node"], gpu["cpus"]) for gpu in topology["gpus"]] == [("0000:06:00.0", 0, "0-7")]


def test_masks_sparse_numbers_and_gpu_memory_nodes(tmp_path):
    topology = read_topology(write_tree(tmp_path, recorded("sysfs-nvidiagpunumanodes")["files"]))["topology"]
    cpus = topology["cpus"]
    assert cpus["online"] == "0-15,88-103"
    assert cpus["cores"] == ["0-3", "4-7", "8-11", "12-15", "88-91", "92-95", "96-99", "100-103"]
    assert cpus["l3"] == ["0-7", "8-15", "88-95", "96-103"]
    assert {number: node["cpus"] for number, node in cpus["nodes"].items()} == {
        "0": "0-15",
        "8": "88-103",
        "250": "",
        "251": "",
        "252": "",
        "253": "",
        "254": "",
        "255": "",
    }
    assert cpus["nodes"]["255"] == {
        "cpus": "",
        "memory_mib": 15360,
        "package": None,
        "distance": {"0": 80, "8": 80, "250": 80, "251": 80, "252": 80, "253": 80, "254": 80, "255": 10},
    }
    assert [(gpu["bus_id"], gpu["numa_node"], gpu["cpus"]) for gpu in topology["gpus"]] == [
        ("0004:05:00.0", 0, "0-15"),
        ("0004:06:00.0", 0, "0-15"),
        ("0006:00:00.0", 0, "0-15"),
        ("0007:00:00.0", 8, "88-103"),
        ("0035:04:00.0", 8, "88-103"),
        ("0035:05:00.0", 8, "88-103"),
    ]


def test_isolated_cpus_and_nodes_without_memory_or_cpus(tmp_path):
    topology = read_topology(write_tree(tmp_path, recorded("sysfs-qemu-4node-mless-cless")["files"]))["topology"]
    cpus = topology["cpus"]
    assert (cpus["online"], cpus["isolated"], cpus["usable"]) == ("0-23", "14-15", "0-13,16-23")
    assert [(node["cpus"], node["memory_mib"], node["package"]) for node in cpus["nodes"].values()] == [
        ("0-7", 500, 0),
        ("8-15", 501, 1),
        ("16-23", 0, 2),
        ("", 216, None),
    ]
    assert cpus["nodes"]["3"]["distance"] == {"0": 24, "1": 14, "2": 24, "3": 10}
    assert [(gpu["numa_node"], gpu["cpus"]) for gpu in topology["gpus"]] == [(0, "0-7"), (1, "8-15"), (3, "")]


def test_gpus_of_nvidia_smi(seed, tmp_path):
    found = read_topology(write_tree(tmp_path, files_of(seed)), run=fake_nvidia(seed, matrix(seed)))
    assert (found["gpu_error"], found["warnings"]) == (None, [])
    assert found["topology"]["gpus"][2] == {
        "index": 2,
        "uuid": seed["gpus"][2]["uuid"],
        "name": "NVIDIA Test",
        "bus_id": "0000:21:00.0",
        "memory_mib": 24564,
        "driver_version": "550.54.14",
        "numa_node": 1,
        "cpus": "48-95,144-191",
        "cpus_source": "sysfs",
        "links": {"GPU0": "SYS", "GPU1": "SYS", "GPU3": "SYS"},
    }


@pytest.mark.parametrize(
    "cpus, numa, warning",
    [
        (
            {0: "0,2,4,6,8,10"},
            {},
            "nvidia-smi's CPU list of GPU0 (0000:01:00.0) is cut after six ranges (0,2,4,6,8,10): "
            "sysfs was used (0-47,96-143)",
        ),
        (
            {3: "0-47"},
            {},
            "nvidia-smi says that GPU3 (0000:31:00.0) is near the CPUs 0-47, sysfs says 48-95,144-191: sysfs was used",
        ),
        ({}, {1: 1}, "nvidia-smi says that GPU1 (0000:11:00.0) is on NUMA node 1, sysfs says 0: sysfs was used"),
    ],
)
def test_where_they_disagree_sysfs_wins(seed, tmp_path, cpus, numa, warning):
    found = read_topology(write_tree(tmp_path, files_of(seed)), run=fake_nvidia(seed, matrix(seed, cpus, numa)))
    assert found["warnings"] == [warning]
    assert [gpu["cpus"] for gpu in found["topology"]["gpus"]] == [gpu["cpus"] for gpu in seed["gpus"]]
    assert {gpu["cpus_source"] for gpu in found["topology"]["gpus"]} == {"sysfs"}


def test_gpu_that_fell_off_the_bus(seed, tmp_path):
    files = files_of(seed)
    seed["gpus"].pop(1)
    found = read_topology(write_tree(tmp_path, files), run=fake_nvidia(seed, matrix(seed)))
    assert [gpu["index"] for gpu in found["topology"]["gpus"]] == [0, 2, 3]
    assert any(
        "0000:11:00.0 is on the PCI bus but nvidia-smi does not list it" in warning for warning in found["warnings"]
    )


def test_unknown_node_with_several_nodes(seed, tmp_path):
    seed["gpus"][1].update(numa_node=None, cpus="0-191")
    gpu = read_topology(write_tree(tmp_path, files_of(seed)), run=fake_nvidia(seed, matrix(seed)))["topology"]["gpus"][
        1
    ]
    assert (gpu["numa_node"], gpu["cpus"], gpu["cpus_source"]) == (None, "0-191", "all")


def in_container(seed):
    """The files of a machine whose PCI bus does not have the GPUs that nvidia-smi lists."""
    return {name: content for name, content in files_of(seed).items() if not name.startswith(PCI)}


def test_gpu_without_a_pci_device_takes_nvidia_smis_word(seed, tmp_path):
    gpus = read_topology(write_tree(tmp_path, in_container(seed)), run=fake_nvidia(seed, matrix(seed)))["topology"][
        "gpus"
    ]
    assert [(gpu["numa_node"], gpu["cpus"], gpu["cpus_source"]) for gpu in gpus[1:3]] == [
        (0, "0-47,96-143", "nvidia-smi"),
        (1, "48-95,144-191", "nvidia-smi"),
    ]


def test_another_kind_of_device_at_the_address_is_not_the_gpu(seed, tmp_path):
    files = files_of(seed)
    device = f"{PCI}/0000:01:00.0"
    files.update(
        {f"{device}/vendor": "0x144d\n", f"{device}/class": "0x010802\n", f"{device}/local_cpulist": "48-95,144-191\n"}
    )
    gpu = read_topology(write_tree(tmp_path, files), run=fake_nvidia(seed, matrix(seed)))["topology"]["gpus"][0]
    assert (gpu["numa_node"], gpu["cpus_source"]) == (0, "nvidia-smi")


def test_any_display_device_at_the_address_is_the_gpu(seed, tmp_path):
    files = files_of(seed)
    device = f"{PCI}/0000:01:00.0"
    files.update(
        {
            f"{device}/vendor": "0x1234\n",
            f"{device}/class": "0x038000\n",
            f"{device}/numa_node": "1\n",
            f"{device}/local_cpulist": "48-95,144-191\n",
        }
    )
    gpu = read_topology(write_tree(tmp_path, files), run=fake_nvidia(seed, matrix(seed)))["topology"]["gpus"][0]
    assert (gpu["numa_node"], gpu["cpus"], gpu["cpus_source"]) == (1, "48-95,144-191", "sysfs")


def test_cut_list_of_a_gpu_without_a_pci_device_is_doubted(seed, tmp_path):
    found = read_topology(
        write_tree(tmp_path, in_container(seed)), run=fake_nvidia(seed, matrix(seed, {0: "0,2,4,6,8,10"}))
    )
    assert found["warnings"] == [
        "GPU0 (0000:01:00.0) is not on this host's PCI bus; "
        "nvidia-smi's CPU list 0,2,4,6,8,10 has six ranges and may be cut"
    ]


def test_affinity_outside_this_host_is_unknown(seed, tmp_path):
    files = {f"{CPU}/online": "0-1\n", f"{NODE}/node0/cpulist": "0-1\n"}
    found = read_topology(write_tree(tmp_path, files), run=fake_nvidia(seed, matrix(seed)))
    assert {(gpu["numa_node"], gpu["cpus"], gpu["cpus_source"]) for gpu in found["topology"]["gpus"]} == {
        (None, "0-1", "all")
    }
    assert len(found["warnings"]) == 4 and all("its node is unknown" in warning for warning in found["warnings"])


def test_unreadable_files_are_unknown(tmp_path):
    files = {
        f"{CPU}/online": "0-1\n",
        f"{CPU}/cpu0/topology/thread_siblings_list": "garbage\n",
        f"{NODE}/node0/cpulist": "0-1\n",
        f"{NODE}/node0/distance": "x\n",
        f"{PCI}/0000:01:00.0/vendor": "0x10de\n",
        f"{PCI}/0000:01:00.0/class": "0x030000\n",
    }
    topology = read_topology(write_tree(tmp_path, files))["topology"]
    assert topology["cpus"]["cores"] == ["0", "1"]
    assert topology["cpus"]["nodes"]["0"] == {"cpus": "0-1", "memory_mib": None, "package": None, "distance": {"0": 10}}
    assert [(gpu["numa_node"], gpu["cpus"], gpu["cpus_source"]) for gpu in topology["gpus"]] == [(None, "0-1", "all")]


def test_speed_on_192_cpus(seed, tmp_path):
    root = write_tree(tmp_path, files_of(seed))
    best = 1.0
    for _attempt in range(3):
        started = time.process_time()
        read_topology(root)
        best = min(best, time.process_time() - started)
    assert best < 0.2
