# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads a host's CPUs: cores, caches, NUMA nodes, and which of them programs of supervisord may use."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypedDict

from .._cpuset import CpuSet, CpuSetError, format_cpu_list, parse_cpu_list
from .._host.files import Host
from .._host.parse import natural, parse_memory_mib

BASE = "/sys/devices/system/cpu"
NODES = "/sys/devices/system/node"


class Node(TypedDict):
    """A NUMA node; ``distance`` is by the number of the other node, ``package`` None without CPUs."""

    cpus: str
    memory_mib: int | None
    package: int | None
    distance: dict[str, int]


class Cpus(TypedDict):
    """The CPUs of a host; every set of them is text in the kernel's list format."""

    online: str
    usable: str
    isolated: str
    cores: list[str]
    l3: list[str]
    nodes: dict[str, Node]


def read_cpus(host: Host, warnings: list[str]) -> tuple[Cpus, dict[str, CpuSet]]:
    """Return the CPUs, and ``{node: online CPUs}``; what is odd is added to the warnings."""
    online = _read_online(host)
    nodes, node_sets = _read_nodes(host, online, warnings)
    package_of = {cpu: _read_package(host, cpu) for cpu in online}
    for number, node in nodes.items():
        packages = sorted({package for package in map(package_of.get, node_sets[number]) if package is not None})
        node["package"] = packages[0] if packages else None
    isolated = _read_isolated(host) & online
    cpus: Cpus = {
        "online": format_cpu_list(online),
        "usable": format_cpu_list((_read_allowed(host, online) & online) - isolated),
        "isolated": format_cpu_list(isolated),
        "cores": [format_cpu_list(core) for core in _read_cores(host, online)],
        "l3": [format_cpu_list(group) for group in _read_caches(host, online)],
        "nodes": nodes,
    }
    return cpus, node_sets


def _read_online(host: Host) -> CpuSet:
    online = host.cpus(BASE + "/online")
    if online is not None:
        return online
    present = [int(name[3:]) for name in host.names(BASE, r"cpu[0-9]{1,9}\Z")]
    return frozenset(cpu for cpu in present if host.integer(f"{BASE}/cpu{cpu}/online") != 0)


def _read_nodes(host: Host, online: CpuSet, warnings: list[str]) -> tuple[dict[str, Node], dict[str, CpuSet]]:
    numbers = sorted(int(name[4:]) for name in host.names(NODES, r"node[0-9]{1,9}\Z"))
    if not numbers:
        # A kernel without NUMA support: one node with everything.
        memory = parse_memory_mib(host.read("/proc/meminfo") or "")
        only: Node = {"cpus": format_cpu_list(online), "memory_mib": memory, "package": None, "distance": {"0": 10}}
        return {"0": only}, {"0": online}
    nodes: dict[str, Node] = {}
    node_sets: dict[str, CpuSet] = {}
    for number in numbers:
        folder = f"{NODES}/node{number}"
        # Some kernels list a node's possible CPUs, others its online ones.
        cpus = (host.cpus(folder + "/cpulist", folder + "/cpumap") or frozenset()) & online
        node_sets[str(number)] = cpus
        nodes[str(number)] = {
            "cpus": format_cpu_list(cpus),
            "memory_mib": parse_memory_mib(host.read(folder + "/meminfo") or ""),
            "package": None,
            "distance": _distances(host.read(folder + "/distance") or "", numbers) or {str(number): 10},
        }
    homeless = online.difference(*node_sets.values())
    if homeless:
        warnings.append(f"sysfs puts the CPUs {format_cpu_list(homeless)} on no NUMA node: no GPU gets them")
    return nodes, node_sets


def _distances(text: str, numbers: list[int]) -> dict[str, int]:
    """Return a node's distances by number of the other node, empty when they cannot be told apart."""
    distances = [distance for distance in map(natural, text.split()) if distance is not None]
    # One value for each online node; where a node's folder is missing, one for each number up to the largest.
    if len(distances) == len(numbers):
        columns = numbers
    elif len(distances) == numbers[-1] + 1:
        columns = list(range(len(distances)))
    else:
        return {}
    return {str(other): distance for other, distance in zip(columns, distances) if other in numbers}


def _read_package(host: Host, cpu: int) -> int | None:
    package = host.integer(f"{BASE}/cpu{cpu}/topology/physical_package_id")
    return package if package is not None and package >= 0 else None


def _read_cores(host: Host, online: CpuSet) -> list[CpuSet]:
    """Return the physical cores as sets of their online CPUs."""
    cores: list[CpuSet] = []
    seen: set[int] = set()
    for cpu in sorted(online):
        if cpu in seen:
            continue
        folder = f"{BASE}/cpu{cpu}/topology"
        siblings = host.cpus(folder + "/thread_siblings_list", folder + "/thread_siblings") or frozenset()
        core = ((siblings & online) | {cpu}) - seen
        seen |= core
        cores.append(core)
    return cores


def _read_caches(host: Host, online: CpuSet) -> list[CpuSet]:
    """Return the groups of online CPUs that share a highest unified cache."""
    caches: list[CpuSet] = []
    seen: set[int] = set()
    for cpu in sorted(online):
        if cpu in seen:
            continue
        group = _highest_unified_cache(host, f"{BASE}/cpu{cpu}/cache") & online - seen
        if group:
            seen |= group | {cpu}
            caches.append(group | {cpu})
    return caches


def _highest_unified_cache(host: Host, folder: str) -> CpuSet:
    """Return the CPUs that share the highest unified cache of one CPU; usually that is level 3."""
    highest = 0
    cpus: CpuSet = frozenset()
    for index in host.names(folder, r"index[0-9]+\Z"):
        level = host.integer(f"{folder}/{index}/level")
        if level is None or level <= highest or host.read(f"{folder}/{index}/type") != "Unified":
            continue
        shared = host.cpus(f"{folder}/{index}/shared_cpu_list", f"{folder}/{index}/shared_cpu_map")
        if shared:
            highest, cpus = level, shared
    return cpus


def _read_isolated(host: Host) -> CpuSet:
    """Return the CPUs that the scheduler leaves alone: isolcpus and isolated cpuset partitions."""
    isolated = host.cpus(BASE + "/isolated")
    if isolated is None:
        # Older kernels do not have the file. The flags come first: isolcpus=nohz,domain,2-5
        isolated = frozenset()
        for value in re.findall(r"(?:^|\s)isolcpus=(\S+)", host.read("/proc/cmdline") or ""):
            numbers = [part for part in value.split(",") if re.match(r"[0-9]+(?:-[0-9]+)?\Z", part)]
            isolated |= _cpus(",".join(numbers)) or frozenset()
    return isolated | (host.cpus("/sys/fs/cgroup/cpuset.cpus.isolated") or frozenset())


def _read_allowed(host: Host, online: CpuSet) -> CpuSet:
    """Return the CPUs that programs started by supervisord may use: its affinity and its cgroup's cpuset."""
    for pid in [_supervisord_pid(host), "1", "self"]:
        match = re.search(r"^Cpus_allowed_list:\s*(\S+)", host.read(f"/proc/{pid}/status") or "", re.M) if pid else None
        allowed = _cpus(match.group(1)) if match else None
        if pid and allowed is not None:
            return allowed & _read_cpuset(host, pid, online)
    return online


def _cpus(text: str) -> CpuSet | None:
    try:
        return parse_cpu_list(text)
    except CpuSetError:
        return None


def _supervisord_pid(host: Host) -> str | None:
    """Return the pid of the running supervisord as text, None when there is none."""
    for name in ("/run/supervisord.pid", "/var/run/supervisord.pid"):
        pid = natural(host.read(name))
        if pid and _is_supervisord(host, str(pid)):
            return str(pid)
    namespace = _pid_namespace(host, "self")
    for entry in sorted(host.names("/proc", r"[0-9]+\Z"), key=int):
        # A supervisord inside a container of this host has a life of its own.
        if _is_supervisord(host, entry) and _pid_namespace(host, entry) == namespace:
            return entry
    return None


def _is_supervisord(host: Host, pid: str) -> bool:
    words = (host.read(f"/proc/{pid}/cmdline") or "").split("\0")
    return any(Path(word).name == "supervisord" for word in words[:3])


def _pid_namespace(host: Host, pid: str) -> str | None:
    try:
        return os.readlink(str(host.path(f"/proc/{pid}/ns/pid")))
    except OSError:
        return None


def _read_cpuset(host: Host, pid: str, online: CpuSet) -> CpuSet:
    """Return the CPUs of a process's cgroup, the online ones where cpusets are not in use."""
    for line in (host.read(f"/proc/{pid}/cgroup") or "").splitlines():
        parts = line.split(":", 2)
        if len(parts) != 3:
            continue
        if parts[1] == "":
            bases, names = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], ["cpuset.cpus.effective"]
        elif "cpuset" in parts[1].split(","):
            bases, names = ["/sys/fs/cgroup/cpuset"], ["cpuset.effective_cpus", "cpuset.cpus"]
        else:
            continue
        cpus = _nearest_cpuset(host, parts[2], [(base, name) for base in bases for name in names])
        if cpus:
            return cpus
    return online


def _nearest_cpuset(host: Host, folder: str, places: list[tuple[str, str]]) -> CpuSet | None:
    """Return the CPUs of a cgroup, or of the nearest one above that has any."""
    # The controller may be enabled only further up; in a container the path may not exist at all.
    while True:
        for base, name in places:
            cpus = host.cpus(f"{base}{folder.rstrip('/')}/{name}")
            if cpus:
                return cpus
        if folder in ("", "/"):
            return None
        folder = folder.rpartition("/")[0]
