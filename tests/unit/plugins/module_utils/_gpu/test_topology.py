# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu import topology as _topology
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_smi import QUERY_FIELDS
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import (
    CommandError,
    find_nvidia_smi,
    read_topology,
    run_command,
)
from ansible_collections.autonomys.cluster.plugins.modules import gpu_topology_info

MACHINES = Path(__file__).parents[4] / "fixtures" / "machines"
CPU = "/sys/devices/system/cpu"
NODE = "/sys/devices/system/node"
PCI = "/sys/bus/pci/devices"


def write_tree(root, files):
    for name, content in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return str(root)


def recorded(name):
    return json.loads((MACHINES / f"{name}.json").read_text(encoding="utf-8"))


def files_of(topology, masks=False):
    """Return the sysfs files of a machine; with ``masks`` as older kernels write them."""

    def cpu_files(folder, cpus, list_name, mask_name):
        if not masks:
            return {f"{folder}/{list_name}": cpus + "\n"}
        digits = f"{sum(1 << cpu for cpu in parse_cpu_list(cpus)):x}"
        digits = digits.zfill(-(-len(digits) // 8) * 8)
        return {f"{folder}/{mask_name}": ",".join(digits[i : i + 8] for i in range(0, len(digits), 8)) + "\n"}

    cpus = topology["cpus"]
    package_of = {cpu: node["package"] for node in cpus["nodes"].values() for cpu in parse_cpu_list(node["cpus"])}
    files = {f"{CPU}/online": cpus["online"] + "\n", f"{CPU}/isolated": cpus["isolated"] + "\n"}
    for core in cpus["cores"]:
        for cpu in parse_cpu_list(core):
            files.update(cpu_files(f"{CPU}/cpu{cpu}/topology", core, "thread_siblings_list", "thread_siblings"))
            files[f"{CPU}/cpu{cpu}/topology/physical_package_id"] = f"{package_of[cpu]}\n"
    for group in cpus["l3"]:
        for cpu in parse_cpu_list(group):
            for index, level, kind in ((0, 1, "Data"), (2, 2, "Unified"), (3, 3, "Unified")):
                folder = f"{CPU}/cpu{cpu}/cache/index{index}"
                files.update(cpu_files(folder, group if level == 3 else str(cpu), "shared_cpu_list", "shared_cpu_map"))
                files.update({f"{folder}/level": f"{level}\n", f"{folder}/type": f"{kind}\n"})
    for number, node in cpus["nodes"].items():
        folder = f"{NODE}/node{number}"
        files.update(cpu_files(folder, node["cpus"], "cpulist", "cpumap"))
        files[f"{folder}/meminfo"] = f"Node {number} MemTotal:       {node['memory_mib'] * 1024} kB\n"
        files[f"{folder}/distance"] = (
            " ".join(str(node["distance"][other]) for other in sorted(cpus["nodes"], key=int)) + "\n"
        )
    for gpu in topology["gpus"]:
        folder = f"{PCI}/{gpu['bus_id']}"
        files.update({f"{folder}/vendor": "0x10de\n", f"{folder}/class": "0x030200\n"})
        files[f"{folder}/numa_node"] = f"{-1 if gpu['numa_node'] is None else gpu['numa_node']}\n"
        files.update(cpu_files(folder, gpu["cpus"], "local_cpulist", "local_cpus"))
    files["/proc/1/status"] = f"Name:\tsystemd\nCpus_allowed_list:\t{cpus['usable']}\n"
    return files


def fake_nvidia(topology, topo="", topo_status=0, query=None, status=0):
    """Return a runner that answers as nvidia-smi does."""

    def run(argv, timeout):
        if argv[1:] == ["topo", "-m"]:
            return topo_status, topo, ""
        assert argv[1:] == ["--query-gpu=" + ",".join(QUERY_FIELDS), "--format=csv,noheader,nounits"]
        if query is not None:
            return status, query, ""
        lines = [
            f"{gpu['index']}, {gpu['uuid']}, NVIDIA Test, 0000{gpu['bus_id'].upper()}, 24564, 550.54.14"
            for gpu in topology["gpus"]
        ]
        return status, "\n".join(lines) + "\n", ""

    return run


def matrix(topology, cpus=None, numa=None):
    names = [f"GPU{gpu['index']}" for gpu in topology["gpus"]]
    lines = ["\t" + "\t".join([*names, "CPU Affinity", "NUMA Affinity", "GPU NUMA ID"])]
    for number, gpu in enumerate(topology["gpus"]):
        links = [" X " if name == names[number] else "SYS" for name in names]
        node = "N/A" if gpu["numa_node"] is None else gpu["numa_node"]
        lines.append(
            "\t".join(
                [
                    names[number],
                    *links,
                    (cpus or {}).get(number, gpu["cpus"]),
                    "",
                    str((numa or {}).get(number, node)),
                    "",
                    "N/A",
                ]
            )
        )
    return "\n".join(lines) + "\n"


@pytest.fixture
def seed():
    return recorded("seed-2x48c-4gpu")["topology"]


@pytest.fixture(autouse=True)
def nvidia_smi(monkeypatch):
    """These tests do not depend on what is installed here."""
    monkeypatch.setattr(_topology, "find_nvidia_smi", lambda: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(_topology.importlib.util, "find_spec", lambda name: None)


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


# Trees recorded on real machines


def test_tree_without_list_of_online_cpus(tmp_path):
    cpus = read_topology(write_tree(tmp_path, recorded("sysfs-linux-amd64-8581cf3a529e5d8b97ea876eade2")["files"]))[
        "topology"
    ]["cpus"]
    assert cpus["online"] == cpus["usable"] == "0-23"
    assert cpus["cores"][:2] == ["0,12", "1,13"]
    assert cpus["l3"] == ["0,2,4,6,8,10,12,14,16,18,20,22", "1,3,5,7,9,11,13,15,17,19,21,23"]
    assert [(node["package"], node["memory_mib"]) for node in cpus["nodes"].values()] == [(1, 32207), (0, 32168)]


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


def test_offline_cpus_and_a_node_that_went_offline(tmp_path):
    found = read_topology(write_tree(tmp_path, recorded("sysfs-offline-cpu0-node0")["files"]))
    cpus = found["topology"]["cpus"]
    assert cpus["online"] == "4-20"
    assert cpus["nodes"] == {
        "1": {"cpus": "5,7,9,11,13,15,17,19", "memory_mib": 65536, "package": 1, "distance": {"1": 10}}
    }
    assert found["warnings"] == ["sysfs puts the CPUs 4,6,8,10,12,14,16,18,20 on no NUMA node: no GPU gets them"]
    assert found["gpu_error"] == "the recorded tree has no NVIDIA display device on its PCI bus"


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


def test_kernel_without_numa(tmp_path):
    files = {f"{CPU}/online": "0-1\n", "/proc/meminfo": "MemTotal:        2048 kB\n"}
    cpus = read_topology(write_tree(tmp_path, files))["topology"]["cpus"]
    assert cpus == {
        "online": "0-1",
        "usable": "0-1",
        "isolated": "",
        "cores": ["0", "1"],
        "l3": [],
        "nodes": {"0": {"cpus": "0-1", "memory_mib": 2, "package": None, "distance": {"0": 10}}},
    }


# What programs of supervisord may use


def allowed(tmp_path, files, online="0-7"):
    return read_topology(write_tree(tmp_path, {f"{CPU}/online": online, **files}))["topology"]["cpus"]


def process(pid, cpus, command="/usr/bin/python3\0/usr/bin/supervisord\0-n\0", cgroup=None):
    files = {f"/proc/{pid}/status": f"Cpus_allowed:\tff\nCpus_allowed_list:\t{cpus}\n", f"/proc/{pid}/cmdline": command}
    if cgroup:
        files[f"/proc/{pid}/cgroup"] = cgroup
    return files


def test_supervisord_is_found_by_its_pid_file(tmp_path):
    files = {
        **process(1, "0-7", "/sbin/init\0"),
        **process(50, "0-1"),
        **process(77, "2-5"),
        "/run/supervisord.pid": "77\n",
    }
    assert allowed(tmp_path, files)["usable"] == "2-5"


def test_stale_pid_file_is_not_believed(tmp_path):
    files = {
        **process(1, "0-7", "/sbin/init\0"),
        **process(50, "2-3"),
        **process(77, "4", "sshd\0"),
        "/run/supervisord.pid": "77\n",
    }
    assert allowed(tmp_path, files)["usable"] == "2-3"


def test_without_supervisord_process_one_counts(tmp_path):
    files = {
        **process(1, "0-3", "/sbin/init\0"),
        **process("self", "0"),
        **process(9, "1", "vi\0/etc/supervisor/supervisord.conf\0"),
    }
    assert allowed(tmp_path, files)["usable"] == "0-3"


def test_own_context_is_the_last_resort(tmp_path):
    assert allowed(tmp_path, process("self", "4-6", "sh\0"))["usable"] == "4-6"


@pytest.mark.parametrize(
    "cgroup, files",
    [
        ("0::/system.slice/supervisor.service\n", {"/sys/fs/cgroup/system.slice/cpuset.cpus.effective": "2-3\n"}),
        (
            "0::/system.slice/supervisor.service\n",
            {
                "/sys/fs/cgroup/system.slice/supervisor.service/cpuset.cpus.effective": "2-3\n",
                "/sys/fs/cgroup/system.slice/cpuset.cpus.effective": "0-7\n",
            },
        ),
        ("0::/../../not/here\n", {"/sys/fs/cgroup/cpuset.cpus.effective": "2-3\n"}),
        ("4:cpu,cpuacct:/a\n3:cpuset:/a/b\n0::/a\n", {"/sys/fs/cgroup/cpuset/a/cpuset.effective_cpus": "2-3\n"}),
        ("3:cpuset:/a\n", {"/sys/fs/cgroup/cpuset/a/cpuset.cpus": "2-3\n"}),
    ],
)
def test_cpuset_of_the_cgroup(tmp_path, cgroup, files):
    assert allowed(tmp_path, {**process(7, "1-7", cgroup=cgroup), **files})["usable"] == "2-3"


@pytest.mark.parametrize(
    "files",
    [
        {f"{CPU}/isolated": "6-7\n"},
        {"/proc/cmdline": "ro isolcpus=nohz,domain,managed_irq,6-7 quiet\n"},
        {"/proc/cmdline": "isolcpus=6,7"},
        {f"{CPU}/isolated": "\n", "/sys/fs/cgroup/cpuset.cpus.isolated": "6-7\n"},
    ],
)
def test_isolated_cpus(tmp_path, files):
    cpus = allowed(tmp_path, files)
    assert (cpus["isolated"], cpus["usable"]) == ("6-7", "0-5")


def test_usable_cpus_are_online(tmp_path):
    assert allowed(tmp_path, process(7, "0-255"), online="0-2,5")["usable"] == "0-2,5"


# nvidia-smi beside sysfs


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


def test_status_14_with_a_matrix_is_no_failure(seed, tmp_path):
    run = fake_nvidia(
        seed, "WARNING: infoROM is corrupted at gpu 0000:01:00.0\n" + matrix(seed), topo_status=14, status=14
    )
    found = read_topology(write_tree(tmp_path, files_of(seed)), run=run)
    assert (len(found["topology"]["gpus"]), found["gpu_error"], found["warnings"]) == (4, None, [])


@pytest.mark.parametrize(
    "cpus, numa, warning",
    [
        (
            {0: "0,2,4,6,8,10"},
            {},
            "nvidia-smi's CPU list of GPU0 (0000:01:00.0) is cut after six ranges (0,2,4,6,8,10): sysfs was used (0-47,96-143)",
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
        "GPU0 (0000:01:00.0) is not on this host's PCI bus; nvidia-smi's CPU list 0,2,4,6,8,10 has six ranges and may be cut"
    ]


def test_affinity_outside_this_host_is_unknown(seed, tmp_path):
    files = {f"{CPU}/online": "0-1\n", f"{NODE}/node0/cpulist": "0-1\n"}
    found = read_topology(write_tree(tmp_path, files), run=fake_nvidia(seed, matrix(seed)))
    assert {(gpu["numa_node"], gpu["cpus"], gpu["cpus_source"]) for gpu in found["topology"]["gpus"]} == {
        (None, "0-1", "all")
    }
    assert len(found["warnings"]) == 4 and all("its node is unknown" in warning for warning in found["warnings"])


# No GPU, and why


def no_gpu(tmp_path, run):
    found = read_topology(write_tree(tmp_path, {f"{CPU}/online": "0-1\n"}), run=run)
    assert found["topology"]["gpus"] == []
    return found["gpu_error"]


def test_no_nvidia_smi(tmp_path, monkeypatch):
    monkeypatch.setattr(_topology, "find_nvidia_smi", lambda: None)
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
    monkeypatch.setattr(_topology, "find_nvidia_smi", lambda: program)
    started = time.monotonic()
    found = read_topology(write_tree(tmp_path / "root", {f"{CPU}/online": "0-1\n"}), run=run_command, timeout=1)
    assert "did not end within 1 s; the NVIDIA driver may hang" in found["gpu_error"]
    # The program itself would take a minute.
    assert time.monotonic() - started < 30


def test_children_of_a_hanging_command_are_ended(tmp_path):
    pid_file = tmp_path / "pid"
    with pytest.raises(CommandError):
        run_command([script(tmp_path, f"sleep 600 & echo $! > {pid_file}; wait\n")], 3)
    status = Path(f"/proc/{int(pid_file.read_text(encoding='utf-8'))}/status")

    def ended():
        try:
            # In a container without an init the ended process stays as a zombie.
            return "State:\tZ" in status.read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return True

    end = time.monotonic() + 30
    while not ended():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_command_that_cannot_be_run(tmp_path):
    with pytest.raises(CommandError, match="cannot be run: No such file or directory"):
        run_command([str(tmp_path / "missing")], 1)


def test_find_nvidia_smi(tmp_path):
    program = script(tmp_path, "")
    assert find_nvidia_smi(str(tmp_path)) == program


# NVML


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
    monkeypatch.setattr(_topology.importlib.util, "find_spec", lambda name: object())

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
    monkeypatch.setattr(_topology.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(_topology, "find_nvidia_smi", lambda: None)
    assert no_gpu(tmp_path, lambda argv, timeout: (1, "", "pynvml.NVMLError_LibraryNotFound")).startswith(
        "nvidia-smi was not found"
    )


# Network cards


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


# Damage and speed


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


def test_processes_on_gpus(monkeypatch, tmp_path):
    listed = f"{os.getpid()}, GPU-a\n{os.getpid()}, GPU-b\n999999999, GPU-a\n"
    monkeypatch.setattr(gpu_topology_info, "find_nvidia_smi", lambda: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(gpu_topology_info, "run_command", lambda argv, timeout: (0, listed, ""))
    # The second process is gone already: nothing is said about it.
    [process] = gpu_topology_info.read_processes(5)
    assert (process["pid"], process["gpu_uuids"], process["program"]) == (
        os.getpid(),
        ["GPU-a", "GPU-b"],
        os.environ.get("SUPERVISOR_PROCESS_NAME"),
    )
    assert "py" in process["command"]


def test_processes_are_unknown_when_the_driver_hangs(monkeypatch):
    def hang(argv, timeout):
        raise CommandError("nvidia-smi did not end within 5 s")

    monkeypatch.setattr(gpu_topology_info, "find_nvidia_smi", lambda: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(gpu_topology_info, "run_command", hang)
    assert gpu_topology_info.read_processes(5) == []
    monkeypatch.setattr(gpu_topology_info, "find_nvidia_smi", lambda: None)
    assert gpu_topology_info.read_processes(5) == []
