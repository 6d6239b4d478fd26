# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot servers on a machine of two nodes, against plan and health check.

What counts is what its kernel tells of nodes, cores, GPUs, threads and pages.

The machine has two sockets of four cores of two threads. The first GPU is on node 1 and the second on node 0, and
nvidia-smi knows neither.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import testinfra

REPOSITORY = Path(__file__).parents[3]
KEYS = REPOSITORY / "build/hosts"
PROGRAMS = ("autonomys-plot-server-0", "autonomys-plot-server-1")
PCI = "/sys/bus/pci/devices"
# By PCI address.
GPU_NODES = {"0000:41:00.0": 1, "0000:81:00.0": 0}


def inventory():
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"


def playbook(name, *options):
    """Run one of the scenario's playbooks; the finished process."""
    command = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        inventory(),
        *options,
        REPOSITORY / "molecule/numa" / name,
    ]
    environment = dict(os.environ, ANSIBLE_CONFIG=str(REPOSITORY / "ansible.cfg"), ANSIBLE_TIMEOUT="60")
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def numbers(text):
    """The kernel's list format as a set."""
    result = set()
    for part in filter(None, text.strip().split(",")):
        first, _dash, last = part.partition("-")
        result |= set(range(int(first), int(last or first) + 1))
    return result


def masks(numa, pid):
    """The CPU lists of all threads of a process, with the number of threads."""
    lists = numa.run(f"grep -h ^Cpus_allowed_list: /proc/{pid}/task/*/status").split()[1::2]
    return set(lists), len(lists)


@pytest.fixture(scope="module")
def numa(server, tmp_path_factory):
    """The machine, over one SSH connection: logging in takes an emulated processor seconds."""
    options = (
        "-o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o "
        f"UserKnownHostsFile={KEYS}/known_hosts -o GlobalKnownHostsFile=/dev/null"
    )
    socket = tmp_path_factory.mktemp("ssh") / "socket"
    yield server(
        "numa",
        testinfra.get_host(
            "ssh://root@127.0.0.1:22180",
            ssh_identity_file=str(KEYS / "id_ed25519"),
            ssh_extra_args=options,
            controlpath=socket,
            timeout=60,
        ),
    )
    subprocess.run(["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "numa"], capture_output=True, check=False)


@pytest.fixture(scope="module")
def kernel(numa):
    """What the kernel tells, file by file."""
    files = numa.run(
        "grep -s '' /sys/devices/system/node/node*/cpulist "
        f"/sys/devices/system/cpu/cpu*/topology/thread_siblings_list {PCI}/*/numa_node"
    )
    return dict(line.rsplit(":", 1) for line in files.splitlines())


@pytest.fixture(scope="module")
def cores(kernel):
    """The physical cores as sets of CPUs."""
    return {frozenset(numbers(text)) for name, text in kernel.items() if name.endswith("thread_siblings_list")}


@pytest.fixture(scope="module")
def nodes(kernel):
    """The CPUs of each node."""
    return {
        int(re.search(r"node(\d+)/cpulist", name)[1]): numbers(text)
        for name, text in kernel.items()
        if name.endswith("/cpulist")
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the collection's modules tell."""
    path = tmp_path_factory.mktemp("look") / "told.json"
    done = playbook("look.yml", "-e", f"look_at={path}")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def processes(numa):
    """Each plot server's GPU, masks of all threads, and pages of its own on each node."""
    result = {}
    for name, pid in numa.pids().items():
        if name not in PROGRAMS:
            continue
        maps = [line.split() for line in numa.run(f"cat /proc/{pid}/numa_maps").splitlines()]
        # Pages of files are shared: they are where their first reader was.
        own = [
            words
            for words in maps
            if any(word.startswith("anon=") for word in words) and not any(word.startswith("file=") for word in words)
        ]
        pages = {}
        for node, count in re.findall(r"N(\d+)=(\d+)", " ".join(word for words in own for word in words)):
            pages[int(node)] = pages.get(int(node), 0) + int(count)
        lists, threads = masks(numa, pid)
        environment = numa.run(f"tr '\\0' '\\n' </proc/{pid}/environ")
        result[name] = {
            "pid": pid,
            "threads": threads,
            "masks": lists,
            "policies": {words[1] for words in maps},
            "pages": pages,
            "gpu": re.search("^CUDA_VISIBLE_DEVICES=(.+)$", environment, re.MULTILINE)[1],
        }
    assert sorted(result) == sorted(PROGRAMS)
    return result


@pytest.fixture(scope="module")
def node_of_gpu(numa, kernel):
    """The node that the kernel tells of each GPU, by UUID."""
    lines = numa.run(
        "nvidia-smi --query-gpu=index,uuid,name,pci.bus_id,memory.total,driver_version --format=csv,noheader,nounits"
    ).splitlines()
    address = {uuid: bus_id.lower()[4:] for _index, uuid, _name, bus_id, *_rest in (line.split(", ") for line in lines)}
    return {uuid: int(kernel[f"{PCI}/{bus_id}/numa_node"]) for uuid, bus_id in address.items()}


def test_machine_has_two_nodes_of_four_cores_of_two_threads(nodes, cores, kernel):
    assert nodes == {0: set(range(8)), 1: set(range(8, 16))}
    assert len(cores) == 8 and {len(core) for core in cores} == {2}
    assert {bus_id: int(kernel[f"{PCI}/{bus_id}/numa_node"]) for bus_id in GPU_NODES} == GPU_NODES


def test_topology_is_what_the_kernel_tells(told, nodes, cores, numa):
    topology = told["topology"]["topology"]
    assert {int(number): numbers(node["cpus"]) for number, node in topology["cpus"]["nodes"].items()} == nodes
    assert {int(number): node["distance"] for number, node in topology["cpus"]["nodes"].items()} == {
        0: {"0": 10, "1": 21},
        1: {"0": 21, "1": 10},
    }
    assert {frozenset(numbers(core)) for core in topology["cpus"]["cores"]} == cores
    assert {gpu["bus_id"]: gpu["numa_node"] for gpu in topology["gpus"]} == GPU_NODES
    for gpu in topology["gpus"]:
        assert gpu["cpus_source"] == "sysfs"
        assert gpu["cpus"] == numa.run(f"cat {PCI}/{gpu['bus_id']}/local_cpulist").strip()
    assert not told["topology"].get("warnings")


def test_plan_gives_each_gpu_whole_cores_of_its_node(told, nodes, cores):
    plan = told["topology"]["plan"]
    sets = {gpu["bus_id"]: numbers(gpu["cpus"]) for gpu in plan["gpus"]}
    assert {gpu["placement"] for gpu in plan["gpus"]} == {"local"} and all(gpu["exclusive"] for gpu in plan["gpus"])
    for bus_id, node in GPU_NODES.items():
        assert sets[bus_id] <= nodes[node]
        assert [core for core in cores if core & sets[bus_id]] and all(
            core <= sets[bus_id] for core in cores if core & sets[bus_id]
        )
        assert len(sets[bus_id]) == 6
    assert numbers(plan["pool"]) == set(range(16)) - set.union(*sets.values())
    assert plan["warnings"] == []


def test_every_thread_is_bound_to_the_planned_cores(processes, told, numa):
    planned = {gpu["uuid"]: gpu["cpus"] for gpu in told["topology"]["plan"]["gpus"]}
    for name, process in processes.items():
        assert process["threads"] > 1
        assert process["masks"] == {planned[process["gpu"]]}
        assert numa.definition(name)["command"].split()[:4] == ["numactl", "-C", planned[process["gpu"]], "-l"]


def test_processes_share_no_core_and_are_next_to_their_gpus(processes, nodes, cores, node_of_gpu):
    owners = {}
    for name, process in processes.items():
        mask = set.union(*(numbers(text) for text in process["masks"]))
        assert mask <= nodes[node_of_gpu[process["gpu"]]]
        for core in cores:
            if core & mask:
                owners.setdefault(core, set()).add(name)
    assert {len(names) for names in owners.values()} == {1}
    assert {node_of_gpu[process["gpu"]] for process in processes.values()} == {0, 1}


def test_memory_is_on_the_node_of_the_gpu(processes, node_of_gpu):
    for process in processes.values():
        node = node_of_gpu[process["gpu"]]
        assert process["policies"] == {"local"}
        assert process["pages"].get(node, 0) > 1000
        assert process["pages"][node] == sum(process["pages"].values())


def test_the_collection_sees_the_same_of_the_processes(processes, told):
    for program in told["programs"]["programs"]:
        process = processes[program["name"]]
        assert program["pid"] == process["pid"]
        assert {program["cpus_allowed"]} == process["masks"]
        assert program["memory_policy"] == "local"
        assert program["gpus"] == [process["gpu"]]


def test_a_process_that_leaves_its_cores_is_reported(numa, processes, until):
    name, other = PROGRAMS
    pid, planned = processes[name]["pid"], processes[name]["masks"]
    switch = f"/run/autonomys-fakes/{name}.json"
    try:
        numa.run(f"mkdir -p {switch.rpartition('/')[0]} && echo '{{\"widen_mask\": true}}' >{switch}")
        assert until(lambda: masks(numa, pid)[0] == {*planned, "0-15"})
        done = playbook("health.yml")
    finally:
        numa.run(f"rm {switch}")
    assert done.returncode != 0
    said = re.sub(r"\s+", " ", done.stdout)
    assert f"{name} may run on the CPUs 0-15, planned are {min(planned)}" in said
    assert f"{other} may run" not in said
    assert until(lambda: masks(numa, pid)[0] == planned)
