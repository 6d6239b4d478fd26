# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about CPU sets that somebody chose by hand: in the inventory, or in definitions that stand on a host."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import slot_of
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import (
    CpuSetError,
    format_cpu_list,
    parse_cpu_list,
)

from .view import WARNING, Rule, finding, names

RULES = {
    "NUMA009": Rule(WARNING, "host", "CPUs chosen by hand are off the GPU's NUMA node"),
    "NUMA010": Rule(WARNING, "host", "CPUs chosen by hand overlap"),
    "NUMA011": Rule(WARNING, "host", "CPUs chosen by hand split cores"),
}


def masks(host, topology, gpus, plan, programs, proof):
    """Judge hand-made CPU sets.

    Args:
        gpus: the host's GPUs in PCI order.
        plan: the plan of its plot servers, None without.
        programs: the programs that stand on the host; those of the plan are judged by rules of their own.
        proof: ``(uuid of the proof server's GPU, its CPUs)`` where the inventory gives the CPUs, else None.
    """
    planned = {gpu["slot"]: parse_cpu_list(gpu["cpus"]) for gpu in (plan or {"gpus": []})["gpus"]}
    plotting = list(_standing(programs, gpus, planned))
    by_hand = [owner for owner in plotting if owner["by_hand"]]
    remedy = "Let site.yml replace them by the planned ones%s." % "".join(
        ": %s" % names([f"{slot} on {format_cpu_list(cpus)}" for slot, cpus in sorted(planned.items())], most=16)
        if planned
        else ""
    )
    for owner in by_hand:
        yield from _off_node(host, topology, owner, remedy)
    for number, first in enumerate(plotting):
        for second in plotting[number + 1 :]:
            if first["by_hand"] or second["by_hand"]:
                yield from _pair(host, topology, first, second, remedy)
    if proof:
        own = {
            "label": "the proof server (proof_server_cpus)",
            "component": "proof_server",
            "gpu": proof[0],
            "cpus": proof[1],
        }
        remedy = "Set proof_server_cpus to node, or to whole cores of its GPU's node that no plot server gets."
        yield from _off_node(
            host, topology, dict(own, gpu=next((gpu for gpu in gpus if gpu["uuid"] == proof[0]), None)), remedy
        )
        for slot, cpus in sorted(planned.items()):
            yield from _split(host, topology, own, {"label": f"plot server {slot}", "cpus": cpus}, remedy)


def _standing(programs, gpus, planned):
    for program in programs:
        slot = slot_of(program["name"])
        if slot is None or not program.get("cpus"):
            continue
        try:
            cpus = parse_cpu_list(program["cpus"])
        except CpuSetError:
            continue
        by_hand = planned.get(slot) != cpus
        yield {
            "label": f"plot server {slot}",
            "component": "plot_server",
            "gpu": _gpu(program.get("gpu"), gpus),
            "cpus": cpus,
            "by_hand": by_hand,
        }


def _gpu(chosen, gpus):
    """The GPU that CUDA_VISIBLE_DEVICES names, None where it names none or several."""
    if chosen and str(chosen).isdigit():
        return gpus[int(chosen)] if int(chosen) < len(gpus) else None
    return next((gpu for gpu in gpus if gpu["uuid"] == chosen), None)


def _off_node(host, topology, owner, remedy):
    gpu = owner["gpu"]
    node = topology["cpus"]["nodes"].get(str(gpu["numa_node"])) if gpu and gpu["numa_node"] is not None else None
    if not node:
        return
    off = owner["cpus"] - parse_cpu_list(node["cpus"])
    if off:
        message = f"{owner['label'][:1].upper() + owner['label'][1:]} has the CPUs {format_cpu_list(owner['cpus'])}; its GPU {gpu['bus_id']} is on NUMA node {gpu['numa_node']} (CPUs {node['cpus']}), so {format_cpu_list(off)} are off it"
        yield finding("NUMA009", [host], owner["component"], message, remedy)


def _pair(host, topology, first, second, remedy):
    shared = first["cpus"] & second["cpus"]
    if shared:
        message = f"{first['label'][:1].upper() + first['label'][1:]} and {second['label']} both have the CPUs {format_cpu_list(shared)}"
        yield finding("NUMA010", [host], "plot_server", message, remedy)
    yield from _split(host, topology, first, second, remedy)


def _split(host, topology, first, second, remedy):
    """Cores of which the one has some threads and the other has others."""
    ours, theirs = first["cpus"] - second["cpus"], second["cpus"] - first["cpus"]
    cores = [core for core in map(parse_cpu_list, topology["cpus"]["cores"]) if core & ours and core & theirs]
    if cores:
        split = frozenset().union(*cores)
        message = f"{first['label'][:1].upper() + first['label'][1:]} and {second['label']} have different threads of the same {len(cores)} cores (CPUs {format_cpu_list(split & (first['cpus'] | second['cpus']))})"
        yield finding("NUMA011", [host], first["component"], message, remedy)
