# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Which cores the GPUs of a host use, and why, in words: for the plan and its report. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.gpu_slots import (
    plot_server_gpus,
    plot_server_plan,
    proof_gpu,
    remembered_slots,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._components.proof_server import proof_server_cpus
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import format_cpu_list, parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.machine import Machine
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

from .._words import counted
from .shape import Facts, Gpu, GpuHost, ProofServer, Settings

# A GPU as the NUMA plan has it, with its slot.
Planned = Mapping[str, Any]


def gpu_host(name: str, components: Iterable[str], settings: Settings, facts: Facts) -> GpuHost | None:
    """Return the GPUs of a host with the cores that they use, None where they were not read.

    Args:
        components, settings: of the host, from the model.
        facts: what preflight read of it.
    """
    read = facts["gpus"]
    if not read or not read.get("topology"):
        return None
    topology = read["topology"]
    result: GpuHost = {
        "gpus": [],
        "proof_server": None,
        "pool": topology["cpus"]["usable"],
        "warnings": [read["gpu_error"]] if read.get("gpu_error") else [],
        "slots_fixed": False,
        "block": "",
    }
    if "plot_server" in components:
        remembered = remembered_slots((facts["host"] or {}).get("programs"))
        plan = plot_server_plan(settings, topology, remembered)
        named = {gpu["uuid"]: gpu for gpu in plot_server_gpus(settings, topology, remembered)}
        neighbours = _Neighbours(Machine(topology), plan)
        result["gpus"] = [_gpu(gpu, named[gpu["uuid"]], neighbours, settings) for gpu in plan["gpus"]]
        result["warnings"] += plan["warnings"]
        result["pool"] = plan["pool"]
        result["slots_fixed"] = bool(settings["plot_server_gpus"])
        result["block"] = block(name, result["gpus"])
    if "proof_server" in components:
        result["proof_server"] = _proof_server(settings, topology)
    return result


def block(host: str, gpus: Sequence[Gpu]) -> str:
    """Return the lines of YAML that fix which GPU has which number, for the host's variables."""
    lines = [printable(f"# {host}"), "plot_server_gpus:" if gpus else "plot_server_gpus: []"]
    for gpu in gpus:
        known = [f"port {gpu['port']}", gpu["name"], gpu["bus_id"], "missing now" if gpu["missing"] else ""]
        # Whoever pastes these lines must not paste one that a host made up.
        lines.append(printable(f"  - {gpu['uuid']}  # {gpu['slot']}: {', '.join(text for text in known if text)}"))
    return "\n".join(lines)


class _Neighbours:
    """The GPUs of a plan, by the cores and caches of their machine that they divide."""

    def __init__(self, machine: Machine, plan: Mapping[str, Any]) -> None:
        self.machine = machine
        self.gpus: Sequence[Planned] = plan["gpus"]
        self.pool = parse_cpu_list(plan["pool"])

    def of(self, gpu: Planned) -> list[Planned]:
        """Return the GPUs of the same home, itself included."""
        return [other for other in self.gpus if other["numa_node"] == gpu["numa_node"]]

    def nodes_of(self, gpu: Planned) -> list[str]:
        """Return the nodes whose cores the GPU and its neighbours divide.

        These are its home, and with the scope ``package`` others.
        """
        used = frozenset().union(*(parse_cpu_list(other["cpus"]) for other in self.of(gpu)))
        nodes = [number for number, node in self.machine.nodes.items() if node.cpus & used]
        return nodes or [str(gpu["numa_node"])]

    def sharing(self, gpu: Planned) -> list[Planned]:
        """Return the other GPUs that use an L3 cache which this one uses."""
        mine = self.caches_of(gpu)
        return [other for other in self.gpus if other["uuid"] != gpu["uuid"] and mine & self.caches_of(other)]

    def caches_of(self, gpu: Planned) -> set[int]:
        cache_of = self.machine.cache_of
        return {cache_of[cpu] for cpu in parse_cpu_list(gpu["cpus"]) if cpu in cache_of}


def _gpu(planned: Planned, read: Mapping[str, Any], neighbours: _Neighbours, settings: Settings) -> Gpu:
    """Return a GPU as the plan has it.

    Args:
        planned: what the NUMA plan says of it.
        read: what the topology says of it.
    """
    return {
        "slot": planned["slot"],
        "index": planned["index"],
        "uuid": planned["uuid"],
        "name": read.get("name"),
        "bus_id": planned["bus_id"],
        "cpus": planned["cpus"],
        "cores": planned["cores"],
        "numa_node": planned["numa_node"],
        "placement": planned["placement"],
        "exclusive": planned["exclusive"],
        "missing": planned["missing"],
        "port": int(settings["plot_server_port"]) + planned["slot"],
        "why": _why(planned, read, neighbours, settings),
    }


def _why(gpu: Planned, read: Mapping[str, Any], neighbours: _Neighbours, settings: Settings) -> str:
    """Return which cores a GPU's plot server uses and why."""
    machine = neighbours.machine
    nodes = neighbours.nodes_of(gpu)
    node = f"NUMA node {nodes[0]}" if len(nodes) == 1 else f"NUMA nodes {', '.join(nodes)}"
    label = f"GPU {gpu['index']}" if gpu["index"] is not None else f"The missing GPU {gpu['uuid']}"
    verb = "would use" if gpu["missing"] else "uses"
    number = f"{counted(gpu['cores'], 'core')} ({counted(len(parse_cpu_list(gpu['cpus'])), 'CPU')})"
    sentences = [f"{label} {verb} CPUs {gpu['cpus']}: {number} of {node}, {_home(gpu, read, machine)}"]
    members = neighbours.of(gpu)
    cores = [core for node in nodes for core in machine.cores_of.get(node, [])]
    if gpu["exclusive"]:
        reserve = int(settings["plot_server_reserve_cores"]) * len(nodes)
        sentences.append(_share(gpu, len(members), len(cores), reserve, settings))
        left = format_cpu_list(cpu for core in cores for cpu in core if cpu in neighbours.pool)
        sentences.append(f"Kept free there: {'CPUs ' + left if left else 'nothing'}.")
        if machine.caches:
            others = ", ".join(str(other["slot"]) for other in neighbours.sharing(gpu))
            with_whom = f"It shares an L3 cache with plot server {others}."
            sentences.append(with_whom if others else "It shares no L3 cache with another GPU.")
    else:
        sentences.append(f"There are only {len(cores)} usable cores for {len(members)} GPUs, so they all share them.")
    if gpu["missing"]:
        sentences.append("The GPU is missing now: its plot server is kept stopped, and its cores wait for it.")
    return " ".join(sentences)


def _home(gpu: Planned, read: Mapping[str, Any], machine: Machine) -> str:
    """Return why a GPU's cores are on their node."""
    if gpu["placement"] == "local":
        return "the node that the GPU is attached to." if len(machine.nodes) > 1 else "the only one."
    if gpu["placement"] == "remote":
        own = read.get("numa_node")
        return f"because the GPU's own node {own} has no usable CPUs and this one is the nearest."
    if len(machine.nodes) < 2:
        return "the only one."
    return (
        "chosen because the machine does not tell where the GPU is attached "
        "(plot_server_gpu_numa_nodes can name the node)."
    )


def _share(gpu: Planned, number: int, total: int, reserve: int, settings: Settings) -> str:
    """Return the arithmetic of a GPU's share.

    Args:
        number: how many GPUs divide the cores.
        total: how many cores there are.
        reserve: how many of them are kept back.
    """
    share, rest = divmod(max(0, total - reserve), number)
    if share == 0:
        return f"Of {total} usable cores, {reserve} cannot be kept back, and every GPU gets one."
    if gpu["cores"] < share:
        limit = settings["plot_server_max_cpus"]
        whose = "the GPU" if number == 1 else f"each of the {number} GPUs"
        limited = f"plot_server_max_cpus ({limit}) limits that to {gpu['cores']}."
        return f"Of {total} usable cores, {whose} would get {share}; {limited}"
    back = ""
    if reserve:
        verb = "is" if reserve == 1 else "are"
        back = f"{reserve} {verb} kept back for the system (plot_server_reserve_cores), and "
    who = "the only GPU gets" if number == 1 else f"the {number} GPUs get"
    division = f"({total} − {reserve}) ÷ {number} = " if number > 1 and not rest else ""
    each = "" if number == 1 else " each"
    left = (
        f"; the {'core' if rest == 1 else f'{rest} cores'} left over {'stays' if rest == 1 else 'stay'} free"
        if rest
        else ""
    )
    return f"Of {total} usable cores there, {back}{who} {division}{gpu['cores']}{each}{left}."


def _proof_server(settings: Settings, topology: Mapping[str, Any]) -> ProofServer | None:
    gpu = proof_gpu(topology["gpus"], str(settings["proof_server_gpu"]))
    if gpu is None:
        return None
    cpus = proof_server_cpus(settings, topology)
    choice = str(settings["proof_server_cpus"])
    bound = f"runs on CPUs {cpus}" if cpus else "is bound to no CPUs"
    if cpus and choice == "node":
        reason = f", all usable ones of NUMA node {gpu['numa_node']}, which that GPU is attached to."
    elif cpus or choice == "all":
        reason = ", as proof_server_cpus says."
    else:
        reason = ": there is one NUMA node, or the GPU's is unknown."
    return {
        "index": gpu["index"],
        "uuid": gpu["uuid"],
        "name": gpu.get("name"),
        "bus_id": gpu["bus_id"],
        "cpus": cpus,
        "why": f"The proof server uses GPU {gpu['index']} and {bound}{reason}",
    }
