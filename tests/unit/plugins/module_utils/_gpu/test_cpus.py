# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import read_topology
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._gpu.machines import (
    CPU,
    recorded,
    write_tree,
)


def test_tree_without_list_of_online_cpus(tmp_path):
    cpus = read_topology(write_tree(tmp_path, recorded("sysfs-linux-amd64-8581cf3a529e5d8b97ea876eade2")["files"]))[
        "topology"
    ]["cpus"]
    assert cpus["online"] == cpus["usable"] == "0-23"
    assert cpus["cores"][:2] == ["0,12", "1,13"]
    assert cpus["l3"] == ["0,2,4,6,8,10,12,14,16,18,20,22", "1,3,5,7,9,11,13,15,17,19,21,23"]
    assert [(node["package"], node["memory_mib"]) for node in cpus["nodes"].values()] == [(1, 32207), (0, 32168)]


def test_offline_cpus_and_a_node_that_went_offline(tmp_path):
    found = read_topology(write_tree(tmp_path, recorded("sysfs-offline-cpu0-node0")["files"]))
    cpus = found["topology"]["cpus"]
    assert cpus["online"] == "4-20"
    assert cpus["nodes"] == {
        "1": {"cpus": "5,7,9,11,13,15,17,19", "memory_mib": 65536, "package": 1, "distance": {"1": 10}}
    }
    assert found["warnings"] == ["sysfs puts the CPUs 4,6,8,10,12,14,16,18,20 on no NUMA node: no GPU gets them"]
    assert found["gpu_error"] == "the recorded tree has no NVIDIA display device on its PCI bus"


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
