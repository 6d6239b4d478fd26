# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""A topology's CPUs, grouped: what may be used, and by core, cache and NUMA node."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Tuple

from .._cpuset import CpuSet, CpuSetError, parse_cpu_list

Core = Tuple[int, ...]
"""The CPUs of a core, ascending."""

_FAR = 1 << 16


class MachineError(ValueError):
    """A topology whose sets of CPUs cannot be read; the message says which."""


class MachineNode(NamedTuple):
    """A NUMA node; ``cpus`` are all online ones, ``distance`` is by the number of the other node."""

    cpus: CpuSet
    memory_mib: int | None
    package: int | None
    distance: Mapping[str, int]


class Machine:
    """What a ``topology`` as gpu_topology_info returns it says of the CPUs.

    Attributes:
        online: All CPUs.
        isolated: Those that the scheduler leaves alone.
        usable: Those that programs of supervisord may use.
        nodes: The NUMA nodes by number, in order.
        whole_cores: Physical cores with all their CPUs, by the first one.
        cores: What is usable of them; a core with no usable CPU is not there.
        caches: Groups of CPUs that share the highest unified cache, by the first CPU.
        cache_of: The number of a CPU's group.
        node_of: The number of a CPU's NUMA node.
        cores_of: The usable cores of each node.
        with_cpus: The numbers of the nodes that have usable cores, in order.
    """

    def __init__(self, topology: Mapping[str, Any]) -> None:
        cpus = topology.get("cpus") or {}
        try:
            self.online = parse_cpu_list(cpus.get("online"))
            self.isolated = parse_cpu_list(cpus.get("isolated"))
            self.usable = (parse_cpu_list(cpus.get("usable")) & self.online) - self.isolated
            cores = [parse_cpu_list(core) for core in cpus.get("cores") or []]
            caches = [parse_cpu_list(group) for group in cpus.get("l3") or []]
            nodes = {str(number): _node(node) for number, node in (cpus.get("nodes") or {}).items()}
        except CpuSetError as error:
            raise MachineError(f"the topology is damaged: {error}") from error
        self.nodes = {number: nodes[number] for number in sorted(nodes, key=int)}
        self.node_of = {cpu: number for number, node in self.nodes.items() for cpu in node.cpus}
        self.caches = sorted(caches, key=sorted)
        self.cache_of = {cpu: number for number, group in enumerate(self.caches) for cpu in group}
        single = self.usable.difference(*cores)
        self.whole_cores: list[Core] = sorted([*(tuple(sorted(core)) for core in cores), *((cpu,) for cpu in single)])
        usable = (tuple(cpu for cpu in core if cpu in self.usable) for core in self.whole_cores)
        self.cores: list[Core] = sorted(core for core in usable if core)
        self.cores_of: dict[str, list[Core]] = {number: [] for number in self.nodes}
        for core in self.cores:
            if core[0] in self.node_of:
                self.cores_of[self.node_of[core[0]]].append(core)
        self.with_cpus = [number for number in self.nodes if self.cores_of[number]]

    def distance(self, one: str, other: str) -> int:
        """Return the distance between two nodes, a large number where the topology does not tell."""
        return self.nodes[one].distance.get(other, _FAR)


def _node(node: Mapping[str, Any]) -> MachineNode:
    return MachineNode(
        parse_cpu_list(node.get("cpus")), node.get("memory_mib"), node.get("package"), node.get("distance") or {}
    )
