# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""NUMA: rules about the CPUs that plot servers and proof servers get: planned, or chosen by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.gpu_slots import plot_server_plan
from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import slot_of
from ansible_collections.autonomys.cluster.plugins.module_utils._components.proof_server import proof_server_cpus
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import (
    CpuSetError,
    format_cpu_list,
    parse_cpu_list,
)

from .._words import names
from .deployed import deployed_programs
from .gpu_hosts import GpuHost, gpu_hosts
from .view import ERROR, INFO, WARNING, Finding, Rule, View, finding

RULES = {
    "NUMA001": Rule(WARNING, "host", "Plot servers share CPUs"),
    "NUMA002": Rule(WARNING, "host", "A plot server gets few CPUs"),
    "NUMA003": Rule(WARNING, "host", "A plot server's CPUs are not on its GPU's NUMA node"),
    "NUMA004": Rule(WARNING, "host", "A GPU's NUMA node is unknown"),
    "NUMA005": Rule(ERROR, "host", "The CPUs of the plot servers cannot be planned"),
    "NUMA006": Rule(INFO, "host", "The machine's topology was read with doubts"),
    "NUMA007": Rule(WARNING, "host", "The proof server shares CPUs with plot servers"),
    "NUMA008": Rule(ERROR, "host", "The proof server cannot be bound to its CPUs"),
    "NUMA009": Rule(WARNING, "host", "CPUs chosen by hand are off the GPU's NUMA node"),
    "NUMA010": Rule(WARNING, "host", "CPUs chosen by hand overlap"),
    "NUMA011": Rule(WARNING, "host", "CPUs chosen by hand split cores"),
}


@dataclass(frozen=True)
class Owner:
    """A program with the CPUs that it is bound to."""

    label: str
    component: str
    gpu: Mapping[str, Any] | None
    cpus: frozenset[int]
    # Whether they differ from the planned ones.
    by_hand: bool = True

    def begins(self) -> str:
        """Return the label as a sentence begins with it."""
        return self.label[:1].upper() + self.label[1:]


def check(view: View) -> Iterator[Finding]:
    for host, answer in gpu_hosts(view):
        yield from _planned(host)
        proof_cpus = view.value(host.name, "proof_server_cpus")
        if host.proving is not None and proof_cpus is not None:
            settings = {"proof_server_gpu": view.value(host.name, "proof_server_gpu"), "proof_server_cpus": proof_cpus}
            yield from _proof_cpus(host, settings)
            yield from _proof_by_hand(host, proof_cpus)
        yield from _by_hand(host, deployed_programs(view, host.name))
        for warning in answer.get("warnings") or []:
            remedy = (
                "Compare with what lscpu and nvidia-smi topo -m say on the host; docs/numa.md explains the sources."
            )
            yield finding("NUMA006", [host.name], host.users[-1], " ".join(str(warning).split()), remedy)


def _planned(host: GpuHost) -> Iterator[Finding]:
    if host.plan_error:
        remedy = "Correct the variables plot_server_*; docs/numa.md explains them."
        yield finding("NUMA005", [host.name], "plot_server", host.plan_error, remedy)
    if host.plan and host.settings and host.plotting:
        yield from _placement(host, host.plan, host.settings)


def _sets(host: GpuHost) -> dict[int, frozenset[int]]:
    """Return ``{slot: planned CPUs}`` of a host's plot servers."""
    return {gpu["slot"]: parse_cpu_list(gpu["cpus"]) for gpu in (host.plan or {"gpus": []})["gpus"]}


def _by_hand(host: GpuHost, programs: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Judge the CPU sets of deployed plot servers that differ from the planned ones."""
    planned = _sets(host)
    plotting = list(_bound_plot_servers(programs, host.gpus, planned))
    by_hand = [owner for owner in plotting if owner.by_hand]
    sets = names([f"{slot} on {format_cpu_list(cpus)}" for slot, cpus in sorted(planned.items())], most=16)
    remedy = f"Let site.yml replace them by the planned ones{': ' + sets if planned else ''}."
    for owner in by_hand:
        yield from _off_node(host, owner, remedy)
    for number, first in enumerate(plotting):
        for second in plotting[number + 1 :]:
            if first.by_hand or second.by_hand:
                yield from _pair(host, first, second, remedy)


def _proof_by_hand(host: GpuHost, proof_cpus: object) -> Iterator[Finding]:
    """Judge the CPUs that the inventory lists for the proof server."""
    try:
        cpus = parse_cpu_list(str(proof_cpus))
    except CpuSetError:
        return
    gpu = next((gpu for gpu in host.gpus if gpu["uuid"] == host.proving), None)
    own = Owner("the proof server (proof_server_cpus)", "proof_server", gpu, cpus)
    remedy = "Set proof_server_cpus to node, or to whole cores of its GPU's node that no plot server gets."
    yield from _off_node(host, own, remedy)
    for slot, planned in sorted(_sets(host).items()):
        yield from _split(host, own, Owner(f"plot server {slot}", "plot_server", None, planned), remedy)


def _bound_plot_servers(
    programs: Sequence[Mapping[str, Any]], gpus: Sequence[Mapping[str, Any]], planned: Mapping[int, frozenset[int]]
) -> Iterator[Owner]:
    """Yield the deployed plot servers that are bound to CPUs."""
    for program in programs:
        slot = slot_of(program["name"])
        if slot is None or not program.get("cpus"):
            continue
        try:
            cpus = parse_cpu_list(program["cpus"])
        except CpuSetError:
            continue
        by_hand = planned.get(slot) != cpus
        yield Owner(f"plot server {slot}", "plot_server", _gpu(program.get("gpu"), gpus), cpus, by_hand)


def _gpu(chosen: str | None, gpus: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the GPU that CUDA_VISIBLE_DEVICES names, None where it names none or several."""
    if chosen and str(chosen).isdigit():
        return gpus[int(chosen)] if int(chosen) < len(gpus) else None
    return next((gpu for gpu in gpus if gpu["uuid"] == chosen), None)


def _off_node(host: GpuHost, owner: Owner, remedy: str) -> Iterator[Finding]:
    gpu = owner.gpu
    node = host.topology["cpus"]["nodes"].get(str(gpu["numa_node"])) if gpu else None
    if not gpu or not node:
        return
    off = owner.cpus - parse_cpu_list(node["cpus"])
    if off:
        message = (
            f"{owner.begins()} has the CPUs {format_cpu_list(owner.cpus)}; its GPU {gpu['bus_id']} is on NUMA node "
            f"{gpu['numa_node']} (CPUs {node['cpus']}), so {format_cpu_list(off)} are on other nodes"
        )
        yield finding("NUMA009", [host.name], owner.component, message, remedy)


def _pair(host: GpuHost, first: Owner, second: Owner, remedy: str) -> Iterator[Finding]:
    shared = first.cpus & second.cpus
    if shared:
        message = f"{first.begins()} and {second.label} both have the CPUs {format_cpu_list(shared)}"
        yield finding("NUMA010", [host.name], "plot_server", message, remedy)
    yield from _split(host, first, second, remedy)


def _split(host: GpuHost, first: Owner, second: Owner, remedy: str) -> Iterator[Finding]:
    """Find cores of which the one has some threads and the other has others."""
    ours, theirs = first.cpus - second.cpus, second.cpus - first.cpus
    cores = [core for core in map(parse_cpu_list, host.topology["cpus"]["cores"]) if core & ours and core & theirs]
    if cores:
        split = format_cpu_list(frozenset().union(*cores) & (first.cpus | second.cpus))
        message = (
            f"{first.begins()} and {second.label} have different threads of the same {len(cores)} cores (CPUs {split})"
        )
        yield finding("NUMA011", [host.name], first.component, message, remedy)


def _proof_cpus(host: GpuHost, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge whether the proof server can be bound, and whether plot servers have its CPUs too."""
    allowed = host.topology["cpus"]["usable"]
    usable = parse_cpu_list(allowed)
    remedy = f"Set it to node, all, or CPUs of {allowed}."
    try:
        cpus = proof_server_cpus(settings, host.topology)
    except ValueError as error:
        yield finding("NUMA008", [host.name], "proof_server", str(error), remedy)
        return
    bound = parse_cpu_list(cpus) if cpus else usable
    if bound - usable:
        beyond = format_cpu_list(bound - usable)
        message = f"proof_server_cpus has the CPUs {beyond}, which programs of this host may not use"
        yield finding("NUMA008", [host.name], "proof_server", message, remedy)
    shared = bound & frozenset().union(*_sets(host).values())
    if host.plan and shared:
        pool = parse_cpu_list(host.plan["pool"])
        free = format_cpu_list((bound & pool) or pool)
        message = f"The proof server may run on the CPUs {format_cpu_list(shared)} of plot servers"
        remedy = (
            f'Set proof_server_cpus: "{free}", which no plot server gets'
            if free
            else "Let plot servers leave CPUs free"
        )
        remedy += "; plot_server_reserve_cores says how many stay free."
        yield finding("NUMA007", [host.name], "proof_server", message, remedy)


def _placement(host: GpuHost, plan: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Finding]:
    shared: dict[str, list[int]] = {}
    few: dict[tuple[int, int], list[int]] = {}
    least = settings["plot_server_min_cpus"]
    for gpu in plan["gpus"]:
        if gpu["missing"]:
            continue
        cpus = len(parse_cpu_list(gpu["cpus"]))
        if not gpu["exclusive"]:
            shared.setdefault(gpu["cpus"], []).append(gpu["slot"])
        elif cpus < least:
            few.setdefault((gpu["numa_node"], cpus), []).append(gpu["slot"])
        yield from _node(host.name, gpu)
    for cpu_list, slots in sorted(shared.items()):
        message = f"The plot servers {_slots(slots)} share the CPUs {cpu_list}: the host has fewer free cores than GPUs"
        remedy = "Use fewer GPUs or a machine with more cores, or accept slower plotting."
        yield finding("NUMA001", [host.name], "plot_server", message, remedy)
    for (node, cpus), slots in sorted(few.items()):
        message = (
            f"Each of the plot servers {_slots(slots)} gets {cpus} CPUs of NUMA node {node}; {least} are recommended"
        )
        remedy = "Use fewer GPUs per NUMA node, or lower plot_server_min_cpus when plotting is fast enough."
        wider = _fewest_of_the_package(host, settings)
        if wider > cpus:
            remedy = (
                "Set plot_server_numa_scope: package, so that plot servers also get cores of nodes of their socket "
                f"that have no GPU: at least {wider} CPUs each. Or use fewer GPUs per NUMA node."
            )
        yield finding("NUMA002", [host.name], "plot_server", message, remedy)


def _fewest_of_the_package(host: GpuHost, settings: Mapping[str, Any]) -> int:
    """Return the fewest CPUs that a plot server would get with ``plot_server_numa_scope: package``."""
    if settings["plot_server_numa_scope"] == "package":
        return 0
    wider = plot_server_plan({**settings, "plot_server_numa_scope": "package"}, host.topology, host.remembered)
    return min(len(parse_cpu_list(gpu["cpus"])) for gpu in wider["gpus"])


def _node(host: str, gpu: Mapping[str, Any]) -> Iterator[Finding]:
    name = f"plot server {gpu['slot']} (GPU {gpu['bus_id']})"
    if gpu["placement"] == "remote":
        message = f"The CPUs of {name} are on NUMA node {gpu['numa_node']}: its own node has none to give"
        remedy = "Move the GPU to another slot of the machine, or accept slower plotting."
        yield finding("NUMA003", [host], "plot_server", message, remedy)
    elif gpu["placement"] == "unknown":
        message = f"The machine does not report the NUMA node of {name}; node {gpu['numa_node']} was chosen"
        remedy = "Set plot_server_gpu_numa_nodes from the machine's manual, or enable NUMA in its firmware."
        yield finding("NUMA004", [host], "plot_server", message, remedy)


def _slots(slots: Sequence[int]) -> str:
    return names(slots, most=16)
