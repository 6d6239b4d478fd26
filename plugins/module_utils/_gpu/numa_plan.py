# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Plans which CPUs every GPU's process runs on: a pure function of the ``topology`` that gpu_topology_info returns.

The rules: a physical core belongs to one owner with all its usable threads; a GPU lives on its own NUMA node, else on
the nearest, else, where its node is unknown, on one dealt by D'Hondt; the GPUs of a node get equally many cores after
some were kept back for the system; as few L3 caches as possible are shared between GPUs; what no GPU gets is the pool.
A set depends only on the GPUs of its own node.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Sequence, Tuple, TypedDict

from .._cpuset import CpuSet, CpuSetError, format_cpu_list, parse_cpu_list, ranges
from .layout import Layout, lay_out, lay_out_unlike
from .machine import Core, Machine, MachineError

SCORE_FIELDS = ("gpus_off_node", "fewest_cores", "split_cores", "shared_l3", "l3_touched", "ranges")

Homes = Dict[str, Tuple[str, str]]
"""A GPU's key to its node and how that was found: ``local``, ``remote`` or ``unknown``."""


class PlannedGpu(TypedDict):
    """A GPU and its CPUs."""

    index: int | None
    uuid: str | None
    bus_id: str | None
    cpus: str
    cores: int
    numa_node: int
    placement: str
    exclusive: bool


class Plan(TypedDict):
    """What each GPU gets; ``pool`` is what none gets, ``score`` has the numbers of SCORE_FIELDS."""

    gpus: list[PlannedGpu]
    pool: str
    score: dict[str, int]
    warnings: list[str]


class NumaPlanError(ValueError):
    """An option or a topology that cannot be planned with; the message says which value is wrong."""


@dataclass(frozen=True)
class _Gpu:
    """A GPU to plan for; ``node`` is the one that it is said to be on."""

    index: int | None
    uuid: str | None
    bus_id: str | None
    node: str | None
    slot: int

    @property
    def key(self) -> str:
        return self.bus_id or self.uuid or f"GPU{self.index}"

    @property
    def label(self) -> str:
        return str(self.uuid) if self.index is None else f"{self.index} ({self.bus_id or self.uuid})"

    def is_named(self, name: object) -> bool:
        """Tell whether a PCI address, UUID or index from the inventory is this GPU's."""
        return str(name).lower() in (str(self.bus_id).lower(), str(self.uuid).lower(), str(self.index))


class _Domain(NamedTuple):
    """GPUs, in PCI order, and the nodes whose cores they divide, in node order."""

    nodes: list[str]
    gpus: list[_Gpu]


class _Set(NamedTuple):
    """The cores that a GPU gets, and whether they are its own."""

    cores: Sequence[Core]
    exclusive: bool


def numa_plan(
    topology: Mapping[str, Any],
    reserve_cores: int = 2,
    max_cpus: int | None = None,
    min_cpus: int | None = 30,
    scope: str = "node",
    gpu_numa_nodes: Mapping[Any, int | None] | None = None,
) -> Plan:
    """Return ``{gpus, pool, score, warnings}`` for a topology.

    The GPUs of a node are in PCI order, or in the order of their ``slot`` where the topology's GPUs have that key.

    Args:
        topology: As gpu_topology_info returns it.
        reserve_cores: Physical cores per NUMA node that are kept back for the system.
        max_cpus, min_cpus: In logical CPUs per GPU; the latter only warns.
        scope: ``node`` or ``package``.
        gpu_numa_nodes: A GPU (PCI address, UUID or index) to its NUMA node, None for unknown.
    """
    _check_options(reserve_cores, max_cpus, min_cpus, scope)
    machine = _machine(topology)
    warnings: list[str] = []
    gpus = _gpus(topology, gpu_numa_nodes or {}, machine)
    if gpus and machine.cut_cores:
        warnings.append(
            f"{len(machine.cut_cores)} cores are cut by NUMA nodes, such as {format_cpu_list(machine.cut_cores[0])}: "
            "GPUs of different nodes share them; give the virtual machine NUMA cells of whole cores"
        )
    homes = _homes(gpus, machine, reserve_cores, warnings)
    sets: dict[str, _Set] = {}
    for domain in _domains(homes, gpus, machine, scope):
        sets.update(_divide(domain, machine, reserve_cores, max_cpus, warnings))
    planned = [_planned(gpu, homes[gpu.key], sets[gpu.key]) for gpu in gpus]
    for gpu in gpus:
        count = len(_cpus(sets[gpu.key].cores))
        if min_cpus is not None and count < min_cpus:
            warnings.append(f"GPU {gpu.label} gets {count} CPUs, fewer than the wanted {min_cpus}")
    taken = frozenset().union(*(_cpus(chosen.cores) for chosen in sets.values()))
    return {
        "gpus": planned,
        "pool": format_cpu_list(machine.usable - taken),
        "score": _score(planned, machine),
        "warnings": warnings,
    }


def _planned(gpu: _Gpu, home: tuple[str, str], chosen: _Set) -> PlannedGpu:
    node, placement = home
    return {
        "index": gpu.index,
        "uuid": gpu.uuid,
        "bus_id": gpu.bus_id,
        "cpus": format_cpu_list(_cpus(chosen.cores)),
        "cores": len(chosen.cores),
        "numa_node": int(node),
        "placement": placement,
        "exclusive": chosen.exclusive,
    }


def score_key(score: Mapping[str, int]) -> tuple[int, ...]:
    """Return a tuple that is smaller for the better score."""
    return tuple(-score[name] if name == "fewest_cores" else score[name] for name in SCORE_FIELDS)


def faults(topology: Mapping[str, Any], sets: Iterable[tuple[Mapping[str, Any], str | None]]) -> dict[str, int]:
    """Return what is wrong with the CPUs given to GPUs, whoever chose them, as counts.

    ``sets`` are pairs of a GPU of the topology and its CPU list, None where it got none. ``failed`` are GPUs without a
    set that a program can be started with, ``overlapping`` GPUs that share a core with another one, ``off_node`` GPUs
    with CPUs outside their NUMA node although that has some to give, ``split_cores`` cores of which a set has some
    threads only, ``shared_l3`` L3 caches of several GPUs.
    """
    machine = _machine(topology)
    owners_of_core: dict[Core, set[int]] = {}
    caches: list[set[int]] = []
    split: set[Core] = set()
    failed = off_node = 0
    for number, (gpu, text) in enumerate(sets):
        try:
            cpus = parse_cpu_list(text)
        except CpuSetError:
            cpus = frozenset()
        if not cpus or cpus - machine.usable:
            failed += 1
            continue
        own = _cpus(machine.cores_of.get(str(gpu["numa_node"]), []))
        off_node += bool(own and cpus - own)
        for core in machine.cores:
            if cpus.intersection(core):
                owners_of_core.setdefault(core, set()).add(number)
                if not cpus.issuperset(core):
                    split.add(core)
        caches.append({machine.cache_of[cpu] for cpu in cpus if cpu in machine.cache_of})
    overlapping = {number for owners in owners_of_core.values() if len(owners) > 1 for number in owners}
    return {
        "failed": failed,
        "off_node": off_node,
        "overlapping": len(overlapping),
        "split_cores": len(split),
        "shared_l3": _shared(caches),
    }


def _machine(topology: Mapping[str, Any]) -> Machine:
    try:
        return Machine(topology)
    except MachineError as error:
        raise NumaPlanError(str(error)) from error


def _cpus(cores: Iterable[Core]) -> CpuSet:
    return frozenset(cpu for core in cores for cpu in core)


def _shared(caches: Iterable[set[int]]) -> int:
    """Return how many caches are in several of the sets."""
    return sum(1 for owners in Counter(cache for touched in caches for cache in touched).values() if owners > 1)


def _check_options(reserve_cores: int, max_cpus: int | None, min_cpus: int | None, scope: str) -> None:
    for name, value, least, optional in (
        ("reserve_cores", reserve_cores, 0, False),
        ("max_cpus", max_cpus, 1, True),
        ("min_cpus", min_cpus, 0, True),
    ):
        if value is None and optional:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise NumaPlanError(f"{name} must be an integer of at least {least}, not {value!r}")
    if scope not in ("node", "package"):
        raise NumaPlanError(f"scope must be node or package, not {scope!r}")


def _gpus(topology: Mapping[str, Any], overrides: Mapping[Any, int | None], machine: Machine) -> list[_Gpu]:
    """Return the GPUs in PCI order with the node each one is said to be on."""
    found = sorted(topology.get("gpus") or [], key=lambda gpu: (gpu.get("slot", 0), pci_order(gpu)))
    gpus = [
        _Gpu(gpu.get("index"), gpu.get("uuid"), gpu.get("bus_id"), _text(gpu.get("numa_node")), gpu.get("slot", 0))
        for gpu in found
    ]
    if len({gpu.key for gpu in gpus}) != len(gpus):
        raise NumaPlanError("two GPUs of the topology have the same PCI address")
    for name, node in overrides.items():
        place = next((number for number, gpu in enumerate(gpus) if gpu.is_named(name)), None)
        if place is None:
            raise NumaPlanError(f"gpu_numa_nodes names the GPU {name}, which is not in this machine")
        if node is not None and str(node) not in machine.nodes:
            raise NumaPlanError(
                f"gpu_numa_nodes puts the GPU {name} on NUMA node {node}, which this machine does not have "
                f"(it has {', '.join(machine.nodes) or 'none'})"
            )
        gpus[place] = replace(gpus[place], node=_text(node))
    return gpus


def _text(node: int | None) -> str | None:
    return None if node is None else str(node)


def pci_order(gpu: Mapping[str, Any]) -> tuple[int, list[int], int, str]:
    """Return what sorts GPUs by PCI address, whose domains have four to eight digits; those without one come last."""
    index = gpu.get("index")
    number = -1 if index is None else int(index)
    parts = str(gpu.get("bus_id") or "").lower().replace(".", ":").split(":")
    try:
        return (0, [int(part, 16) for part in parts], number, gpu.get("uuid") or "")
    except ValueError:
        return (1, [], number, gpu.get("uuid") or "")


def _homes(gpus: Sequence[_Gpu], machine: Machine, reserve: int, warnings: list[str]) -> Homes:
    """Return each GPU's home: its own node, the nearest one, or one that is dealt."""
    if gpus and not machine.with_cpus:
        raise NumaPlanError(
            f"the topology has no usable CPU on any NUMA node: nothing can be planned for its {len(gpus)} GPUs"
        )
    homes: Homes = {}
    count = dict.fromkeys(machine.with_cpus, 0)

    def emptiness(node: str) -> tuple[float, float, int]:
        # The share that one GPU more would leave; where that is no core at all, the plain number of cores decides.
        cores = len(machine.cores_of[node])
        return (-max(0, cores - reserve) / (count[node] + 1), -cores / (count[node] + 1), int(node))

    remote: list[tuple[_Gpu, str]] = []
    unknown: list[_Gpu] = []
    for gpu in gpus:
        if gpu.node in count:
            homes[gpu.key] = (gpu.node, "local")
            count[gpu.node] += 1
        elif gpu.node in machine.nodes and machine.nodes[gpu.node].distance:
            remote.append((gpu, gpu.node))
        else:
            unknown.append(gpu)
    for gpu, own in remote:
        node = min(machine.with_cpus, key=lambda number: (machine.distance(own, number), emptiness(number)))
        homes[gpu.key] = (node, "remote")
        count[node] += 1
        warnings.append(f"GPU {gpu.label} is on NUMA node {own}, which has no usable CPU: it gets cores of node {node}")
    seats = []
    for _each in unknown:
        node = min(machine.with_cpus, key=emptiness)
        count[node] += 1
        seats.append(node)
    for gpu, node in zip(unknown, sorted(seats, key=int)):
        homes[gpu.key] = (node, "unknown")
        warnings.append(
            f"the NUMA node of GPU {gpu.label} is unknown: it gets cores of node {node}; "
            "name its node in gpu_numa_nodes if you know it"
        )
    return homes


def _domains(homes: Homes, gpus: Sequence[_Gpu], machine: Machine, scope: str) -> list[_Domain]:
    """Return who divides which nodes."""
    members: dict[str, list[_Gpu]] = {}
    for gpu in gpus:
        members.setdefault(homes[gpu.key][0], []).append(gpu)
    nodes_of = {home: [home] for home in members}
    for extra in machine.with_cpus if scope == "package" else []:
        package = machine.nodes[extra].package
        same = [home for home in nodes_of if package is not None and machine.nodes[home].package == package]
        if extra in members or not same:
            continue

        def poverty(home: str, extra: str = extra) -> tuple[float, int, int]:
            # The poorest GPUs first: fewest cores for each, then the nearest.
            cores = sum(len(machine.cores_of[node]) for node in nodes_of[home])
            return (cores / len(members[home]), machine.distance(home, extra), int(home))

        nodes_of[min(same, key=poverty)].append(extra)
    return [_Domain(sorted(nodes_of[home], key=int), members[home]) for home in sorted(members, key=int)]


def _divide(
    domain: _Domain, machine: Machine, reserve_cores: int, max_cpus: int | None, warnings: list[str]
) -> dict[str, _Set]:
    """Return what each GPU of a domain gets of its cores."""
    cores = [core for node in domain.nodes for core in machine.cores_of[node]]
    number, reserve = len(domain.gpus), reserve_cores * len(domain.nodes)
    has = f"NUMA node {', '.join(domain.nodes)} has {len(cores)} usable cores for {number} GPUs"
    if number > len(cores):
        warnings.append(f"{has}: they share all of them")
        return {gpu.key: _Set(cores, False) for gpu in domain.gpus}
    share = max(0, len(cores) - reserve) // number
    if share == 0:
        share = 1
        warnings.append(f"{has}: {reserve} cores cannot be kept back there, every GPU gets one core")
    alike = machine.alike(cores)
    if len(alike) == 1:
        if max_cpus is not None:
            share = min(share, max(1, max_cpus // len(cores[0])))
        layout = lay_out(cores, number, share, machine.cache_of)
    else:
        layout = lay_out_unlike(alike, number, share, max_cpus, machine.cache_of)
        _report_unequal(domain, alike, layout, warnings)
    return {gpu.key: _Set(chosen, True) for gpu, chosen in zip(domain.gpus, layout)}


def _report_unequal(domain: _Domain, alike: Sequence[Sequence[Core]], layout: Layout, warnings: list[str]) -> None:
    """Warn where cores that are not alike cannot be divided evenly."""
    shares = [[sum(1 for core in chosen if core in group) for group in map(frozenset, alike)] for chosen in layout]
    if all(share == shares[0] for share in shares):
        return
    kinds = " and ".join(f"{len(group)} of {len(group[0])} CPUs" for group in alike)
    gets = ", ".join(f"GPU {gpu.label} {len(_cpus(chosen))} CPUs" for gpu, chosen in zip(domain.gpus, layout))
    warnings.append(
        f"NUMA node {', '.join(domain.nodes)} has cores that are not alike ({kinds}), "
        f"which cannot be divided evenly: {gets}"
    )


def _score(planned: Sequence[PlannedGpu], machine: Machine) -> dict[str, int]:
    """Return the plan's score; its fields are compared in the order of SCORE_FIELDS."""
    sets = [parse_cpu_list(gpu["cpus"]) for gpu in planned]
    core_of = {cpu: number for number, core in enumerate(machine.cores) for cpu in core}
    caches = [{machine.cache_of[cpu] for cpu in cpus if cpu in machine.cache_of} for cpus in sets]
    owners_of_core: dict[int, dict[int, set[int]]] = {}
    pool = machine.usable.difference(*sets)
    for number, cpus in enumerate([*sets, pool]):
        for cpu in cpus:
            owners_of_core.setdefault(core_of[cpu], {}).setdefault(cpu, set()).add(number)
    return {
        "gpus_off_node": sum(1 for gpu in planned if gpu["placement"] != "local"),
        "fewest_cores": min([gpu["cores"] for gpu in planned] or [0]),
        "split_cores": sum(
            1 for owners in owners_of_core.values() if len({frozenset(item) for item in owners.values()}) > 1
        ),
        "shared_l3": _shared(caches),
        "l3_touched": sum(len(touched) for touched in caches),
        "ranges": sum(len(ranges(cpus)) for cpus in sets),
    }
