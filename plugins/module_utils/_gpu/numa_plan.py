# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Plans which CPUs every GPU's process runs on: a pure function of the ``topology`` that gpu_topology_info returns.

The rules: a physical core belongs to one owner with all its usable threads; a GPU lives on its own NUMA node, else on the nearest, else,
where its node is unknown, on one dealt by D'Hondt; the GPUs of a node get equally many cores after some were kept back for the system; as few
L3 caches as possible are shared between GPUs; what no GPU gets is the pool. A set depends only on the GPUs of its own node.
"""

from __future__ import annotations

from .._cpuset import CpuSetError, format_cpu_list, parse_cpu_list, ranges

SCORE_FIELDS = ("gpus_off_node", "fewest_cores", "split_cores", "shared_l3", "l3_touched", "ranges")


class NumaPlanError(ValueError):
    """An option or a topology that cannot be planned with; the message says which value is wrong."""


def numa_plan(topology, reserve_cores=2, max_cpus=None, min_cpus=30, scope="node", gpu_numa_nodes=None):
    """Return ``{gpus, pool, score, warnings}`` for a topology.

    The GPUs of a node stand in PCI order, or in the order of their ``slot`` where the topology's GPUs have that key.

    ``reserve_cores`` is in physical cores per NUMA node, ``max_cpus`` and ``min_cpus`` in logical CPUs per GPU (the latter only warns),
    ``scope`` is ``node`` or ``package``, ``gpu_numa_nodes`` maps a GPU (PCI address, UUID or index) to a NUMA node, null for unknown.
    """
    _check_options(reserve_cores, max_cpus, min_cpus, scope)
    machine = _Machine(topology)
    warnings = []
    gpus = _gpus(topology, gpu_numa_nodes or {}, machine)
    homes = _homes(gpus, machine, reserve_cores, warnings)
    sets = {}
    exclusive = {}
    for nodes, members in _domains(homes, gpus, machine, scope):
        cores = [core for node in nodes for core in machine.cores_of[node]]
        share = max(0, len(cores) - reserve_cores * len(nodes)) // len(members)
        where = f"NUMA node {', '.join(nodes)}"
        if len(members) > len(cores):
            warnings.append(f"{where} has {len(cores)} usable cores for {len(members)} GPUs: they share all of them")
            for gpu in members:
                sets[gpu["key"]] = list(cores)
                exclusive[gpu["key"]] = False
            continue
        if share == 0:
            share = 1
            warnings.append(
                f"{where} has {len(cores)} usable cores for {len(members)} GPUs: "
                f"{reserve_cores * len(nodes)} cores cannot be kept back there, every GPU gets one core"
            )
        if max_cpus is not None:
            share = min(share, max(1, max_cpus // max(len(core) for core in cores)))
        for gpu, chosen in zip(members, _layout(cores, len(members), share, machine.l3_of)):
            sets[gpu["key"]] = chosen
            exclusive[gpu["key"]] = True
    planned = []
    for gpu in gpus:
        home, placement = homes[gpu["key"]]
        cpus = [cpu for core in sets[gpu["key"]] for cpu in core]
        if min_cpus is not None and len(cpus) < min_cpus:
            warnings.append(f"GPU {gpu['label']} gets {len(cpus)} CPUs, fewer than the wanted {min_cpus}")
        planned.append(
            {
                "index": gpu["index"],
                "uuid": gpu["uuid"],
                "bus_id": gpu["bus_id"],
                "cpus": format_cpu_list(cpus),
                "cores": len(sets[gpu["key"]]),
                "numa_node": int(home),
                "placement": placement,
                "exclusive": exclusive[gpu["key"]],
            }
        )
    taken = {cpu for cores in sets.values() for core in cores for cpu in core}
    return {
        "gpus": planned,
        "pool": format_cpu_list(machine.usable - taken),
        "score": _score(planned, machine),
        "warnings": warnings,
    }


def score_key(score):
    """Return a tuple that is smaller for the better score."""
    return tuple(-score[name] if name == "fewest_cores" else score[name] for name in SCORE_FIELDS)


def faults(topology, sets):
    """Return what is wrong with the CPUs given to GPUs, whoever chose them, as counts.

    ``sets`` are pairs of a GPU of the topology and its CPU list, None where it got none. ``failed`` are GPUs without a set that a program
    can be started with, ``overlapping`` GPUs that share a core with another one, ``off_node`` GPUs with CPUs outside their NUMA node although
    that has some to give, ``split_cores`` cores of which a set has some threads only, ``shared_l3`` L3 caches of several GPUs.
    """
    machine = _Machine(topology)
    owners_of_core, owners_of_l3, split = {}, {}, set()
    counts = {"failed": 0, "off_node": 0}
    for number, (gpu, text) in enumerate(sets):
        try:
            cpus = parse_cpu_list(text)
        except CpuSetError:
            cpus = frozenset()
        if not cpus or cpus - machine.usable:
            counts["failed"] += 1
            continue
        own = {cpu for core in machine.cores_of.get(str(gpu["numa_node"]), []) for cpu in core}
        counts["off_node"] += bool(own and cpus - own)
        for core in machine.cores:
            if cpus.intersection(core):
                owners_of_core.setdefault(core, set()).add(number)
                if not cpus.issuperset(core):
                    split.add(core)
        for group in {machine.l3_of[cpu] for cpu in cpus if cpu in machine.l3_of}:
            owners_of_l3.setdefault(group, set()).add(number)
    overlapping = {number for owners in owners_of_core.values() if len(owners) > 1 for number in owners}
    shared = sum(1 for owners in owners_of_l3.values() if len(owners) > 1)
    return dict(counts, overlapping=len(overlapping), split_cores=len(split), shared_l3=shared)


def _check_options(reserve_cores, max_cpus, min_cpus, scope):
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


class _Machine:
    """The CPUs of a topology, grouped."""

    def __init__(self, topology):
        cpus = topology.get("cpus") or {}
        try:
            self.usable = (parse_cpu_list(cpus.get("usable")) & parse_cpu_list(cpus.get("online"))) - parse_cpu_list(
                cpus.get("isolated")
            )
            cores = [parse_cpu_list(core) for core in cpus.get("cores") or []]
            l3_groups = [parse_cpu_list(group) for group in cpus.get("l3") or []]
            self.nodes = {
                str(number): dict(node, cpus=parse_cpu_list(node.get("cpus")))
                for number, node in (cpus.get("nodes") or {}).items()
            }
        except CpuSetError as exc:
            raise NumaPlanError(f"the topology is damaged: {exc}") from exc
        self.l3_of = {cpu: number for number, group in enumerate(sorted(l3_groups, key=sorted)) for cpu in group}
        node_of = {cpu: number for number, node in self.nodes.items() for cpu in node["cpus"]}
        known = {cpu for core in cores for cpu in core}
        self.cores = sorted(
            [tuple(sorted(core & self.usable)) for core in cores if core & self.usable]
            + [(cpu,) for cpu in self.usable - known]
        )
        self.cores_of = {number: [] for number in self.nodes}
        for core in self.cores:
            if core[0] in node_of:
                self.cores_of[node_of[core[0]]].append(core)
        self.order = sorted(self.nodes, key=int)
        self.with_cpus = [number for number in self.order if self.cores_of[number]]

    def distance(self, one, other):
        """Return the distance between two nodes, a large number where the topology does not tell."""
        return (self.nodes[one].get("distance") or {}).get(other, 1 << 16)


def _gpus(topology, overrides, machine):
    """Return the GPUs in PCI order with the node each one is said to be on."""
    gpus = []
    for gpu in topology.get("gpus") or []:
        node = gpu.get("numa_node")
        gpus.append(
            {
                "index": gpu.get("index"),
                "uuid": gpu.get("uuid"),
                "bus_id": gpu.get("bus_id"),
                "node": None if node is None else str(node),
                "key": gpu.get("bus_id") or gpu.get("uuid") or f"GPU{gpu.get('index')}",
                "label": gpu.get("uuid")
                if gpu.get("index") is None
                else f"{gpu['index']} ({gpu.get('bus_id') or gpu.get('uuid')})",
                "slot": gpu.get("slot", 0),
            }
        )
    gpus.sort(key=lambda gpu: (gpu["slot"], pci_order(gpu)))
    if len({gpu["key"] for gpu in gpus}) != len(gpus):
        raise NumaPlanError("two GPUs of the topology have the same PCI address")
    for name, node in overrides.items():
        wanted = str(name).lower()
        named = [
            gpu for gpu in gpus if wanted in (str(gpu["bus_id"]).lower(), str(gpu["uuid"]).lower(), str(gpu["index"]))
        ]
        if not named:
            raise NumaPlanError(f"gpu_numa_nodes names the GPU {name}, which is not in this machine")
        if node is not None and str(node) not in machine.nodes:
            raise NumaPlanError(
                f"gpu_numa_nodes puts the GPU {name} on NUMA node {node}, which this machine does not have (it has {', '.join(machine.order) or 'none'})"
            )
        named[0]["node"] = None if node is None else str(node)
    return gpus


def pci_order(gpu):
    """Return what sorts GPUs by PCI address, whose domains have four to eight digits; those without one come last."""
    index = gpu["index"] if gpu["index"] is not None else -1
    parts = str(gpu["bus_id"] or "").lower().replace(".", ":").split(":")
    try:
        return (0, [int(part, 16) for part in parts], index, gpu["uuid"] or "")
    except ValueError:
        return (1, [], index, gpu["uuid"] or "")


def _homes(gpus, machine, reserve, warnings):
    """Return {key: (node, placement)}: a GPU's own node, the nearest one, or one that is dealt."""
    if gpus and not machine.with_cpus:
        raise NumaPlanError(
            f"the topology has no usable CPU on any NUMA node: nothing can be planned for its {len(gpus)} GPUs"
        )
    homes = {}
    count = dict.fromkeys(machine.with_cpus, 0)

    def take(gpu, node, placement):
        homes[gpu["key"]] = (node, placement)
        count[node] += 1

    def emptiness(node):
        # The share that one GPU more would leave; where that is no core at all, the plain number of cores decides.
        cores = len(machine.cores_of[node])
        return (-max(0, cores - reserve) / (count[node] + 1), -cores / (count[node] + 1), int(node))

    remote = []
    unknown = []
    for gpu in gpus:
        if gpu["node"] in count:
            take(gpu, gpu["node"], "local")
        elif gpu["node"] in machine.nodes and machine.nodes[gpu["node"]].get("distance"):
            remote.append(gpu)
        else:
            unknown.append(gpu)
    for gpu in remote:
        node = min(machine.with_cpus, key=lambda number: (machine.distance(gpu["node"], number), emptiness(number)))
        take(gpu, node, "remote")
        warnings.append(
            f"GPU {gpu['label']} is on NUMA node {gpu['node']}, which has no usable CPU: it gets cores of node {node}"
        )
    seats = []
    for _gpu in unknown:
        node = min(machine.with_cpus, key=emptiness)
        count[node] += 1
        seats.append(node)
    for gpu, node in zip(unknown, sorted(seats, key=int)):
        homes[gpu["key"]] = (node, "unknown")
        warnings.append(
            f"the NUMA node of GPU {gpu['label']} is unknown: it gets cores of node {node}; name its node in gpu_numa_nodes if you know it"
        )
    return homes


def _domains(homes, gpus, machine, scope):
    """Return [(nodes, GPUs)]: the nodes whose cores these GPUs divide, in node order; the GPUs in PCI order."""
    members = {}
    for gpu in gpus:
        members.setdefault(homes[gpu["key"]][0], []).append(gpu)
    nodes_of = {home: [home] for home in members}
    if scope == "package":
        for extra in machine.with_cpus:
            package = machine.nodes[extra].get("package")
            same = [home for home in nodes_of if package is not None and machine.nodes[home].get("package") == package]
            if extra in members or not same:
                continue
            # The poorest GPUs first: fewest cores for each, then the nearest.
            poorest = min(
                same,
                key=lambda home: (
                    sum(len(machine.cores_of[node]) for node in nodes_of[home]) / len(members[home]),
                    machine.distance(home, extra),
                    int(home),
                ),
            )
            nodes_of[poorest].append(extra)
    return [(sorted(nodes_of[home], key=int), members[home]) for home in sorted(members, key=int)]


def _layout(cores, gpus, share, l3_of):
    """Return each GPU's cores: ``share`` of them for each of ``gpus`` GPUs, from the sorted cores of one domain.

    Several layouts are made and the best is taken: fewest shared L3 groups, fewest groups touched, fewest ranges; among equals the first
    core, which the system uses most, stays free.
    """
    candidates = [_slots(cores, gpus, share)]
    if any(l3_of.get(core[0]) is not None for core in cores):
        groups = {}
        for core in cores:
            # Cores without a known cache count as one group each: nobody can share what is not known.
            groups.setdefault(l3_of.get(core[0], ("none", core)), []).append(core)
        ordered = sorted(groups.values())
        candidates += [_aligned(ordered, gpus, share), *_packed(ordered, gpus, share)]
    return min(candidates, key=lambda layout: (_sharing(layout, l3_of), cores[0] in layout[0]))


def _sharing(layout, l3_of):
    """Return (shared L3 groups, L3 groups touched, ranges) of a layout."""
    touched = [{l3_of[core[0]] for core in chosen if core[0] in l3_of} for chosen in layout]
    owners = {}
    for groups in touched:
        for group in groups:
            owners[group] = owners.get(group, 0) + 1
    runs = sum(len(ranges(cpu for core in chosen for cpu in core)) for chosen in layout)
    return (sum(1 for number in owners.values() if number > 1), sum(len(groups) for groups in touched), runs)


def _slots(cores, gpus, share):
    """Cut the cores into one slot a GPU, as equal as can be; each GPU takes the tail of its slot."""
    spare, extra = divmod(len(cores) - gpus * share, gpus)
    layout = []
    end = 0
    for number in range(gpus):
        end += spare + share + (1 if number < extra else 0)
        layout.append(cores[end - share : end])
    return layout


def _aligned(groups, gpus, share):
    """Lay the sets out so that each one ends where an L3 group ends, as long as the spare cores last; from the last core down."""
    cores = [core for group in groups for core in group]
    group_start = []
    for group in groups:
        group_start += [len(group_start)] * len(group)
    layout = []
    end = len(cores)
    for left in range(gpus, 0, -1):
        boundary = end if end == len(cores) else group_start[end]
        if boundary >= left * share:
            end = boundary
        layout.append(cores[end - share : end])
        end -= share
    return layout[::-1]


def _packed(groups, gpus, share):
    """Return layouts that give whole L3 groups to one GPU each and divide as few groups as possible among several.

    With ``shared`` groups set aside, handing each other group to the GPU that lacks most covers as much as can be covered when the
    groups are equal; so the first number of shared groups whose cores suffice for the rest is the smallest possible.
    """
    by_size = sorted(groups, key=lambda group: (-len(group), group))
    for number in range(len(groups) + 1):
        layouts = [_deal(groups, shared, gpus, share) for shared in (by_size[:number], by_size[len(groups) - number :])]
        if any(layouts):
            return [layout for layout in layouts if layout]
    return []


def _deal(groups, shared, gpus, share):
    """Deal the groups that are not ``shared`` to the GPUs, fill up from ``shared``; None when that is not enough."""
    lacking = [share] * gpus
    owned = [[] for _gpu in range(gpus)]
    free = [group for group in groups if group not in shared]
    while free and max(lacking) > 0:
        # The last GPU takes the last groups, so that what stays free lies at the front.
        gpu = max(range(gpus), key=lambda number: (lacking[number], number))
        enough = [group for group in free if len(group) >= lacking[gpu]]
        group = (
            min(enough, key=lambda item: (len(item), _backwards(item)))
            if enough
            else max(free, key=lambda item: (len(item), item))
        )
        free.remove(group)
        owned[gpu].append(group)
        lacking[gpu] -= min(lacking[gpu], len(group))
    if sum(lacking) > sum(len(group) for group in shared):
        return None
    # Which GPU has which of several equally large groups does not matter; in order they are contiguous.
    for size in {len(group) for groups in owned for group in groups}:
        alike = sorted(group for groups in owned for group in groups if len(group) == size)
        for groups in owned:
            mine = [number for number, group in enumerate(groups) if len(group) == size]
            for number in mine:
                groups[number] = alike.pop(0)
    rest = [core for group in sorted(shared) for core in group]
    layout = []
    for gpu in reversed(range(gpus)):
        whole = sorted(core for group in owned[gpu] for core in group)
        taken = whole[max(0, len(whole) - share) :]
        if lacking[gpu]:
            taken = rest[len(rest) - lacking[gpu] :] + taken
            rest = rest[: len(rest) - lacking[gpu]]
        layout.append(sorted(taken))
    return layout[::-1]


def _backwards(group):
    return -group[0][0]


def _score(planned, machine):
    """Return the plan's score; its fields are compared in the order of SCORE_FIELDS."""
    sets = [parse_cpu_list(gpu["cpus"]) for gpu in planned]
    core_of = {cpu: number for number, core in enumerate(machine.cores) for cpu in core}
    owners_of_core = {}
    owners_of_l3 = {}
    touched = 0
    for number, cpus in enumerate(sets):
        groups = {machine.l3_of[cpu] for cpu in cpus if cpu in machine.l3_of}
        touched += len(groups)
        for group in groups:
            owners_of_l3.setdefault(group, set()).add(number)
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
        "shared_l3": sum(1 for owners in owners_of_l3.values() if len(owners) > 1),
        "l3_touched": touched,
        "ranges": sum(len(ranges(cpus)) for cpus in sets),
    }
