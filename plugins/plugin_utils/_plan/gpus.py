# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Which cores the GPUs of a host use, and why, in words: for the plan and its report. Pure functions."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.gpu_slots import (
    plot_server_gpus,
    plot_server_plan,
    proof_gpu,
    remembered_slots,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._components.proof_server import proof_server_cpus
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import format_cpu_list, parse_cpu_list


def gpu_host(name, components, settings, facts):
    """The GPUs of a host with the cores that they use.

    Args:
        components, settings: of the host, from the model.
        facts: what preflight read of it.

    Returns:
        None where the GPUs were not read, else ``{"gpus": [{"slot", "index", "uuid", "name", "bus_id", "cpus", "cores", "numa_node", "placement",
        "exclusive", "missing", "port", "why"}], "proof_server": {"index", "uuid", "name", "bus_id", "cpus", "why"} or None, "pool", "warnings",
        "slots_fixed", "block"}``. ``why`` is a sentence, ``block`` the text of ``plot_server_gpus`` to paste.
    """
    read = facts.get("gpus")
    if not read or not read.get("topology"):
        return None
    topology = read["topology"]
    result = {
        "gpus": [],
        "proof_server": None,
        "pool": topology["cpus"]["usable"],
        "warnings": [],
        "slots_fixed": False,
        "block": "",
    }
    if read.get("gpu_error"):
        result["warnings"].append(read["gpu_error"])
    if "plot_server" in components:
        remembered = remembered_slots((facts.get("host") or {}).get("programs"))
        plan = plot_server_plan(settings, topology, remembered)
        named = {gpu["uuid"]: gpu for gpu in plot_server_gpus(settings, topology, remembered)}
        machine = _Machine(topology, plan)
        for gpu in plan["gpus"]:
            entry = dict(gpu, name=named[gpu["uuid"]].get("name"), port=int(settings["plot_server_port"]) + gpu["slot"])
            entry["why"] = _why(entry, named[gpu["uuid"]], machine, settings)
            result["gpus"].append(entry)
        result["warnings"] += plan["warnings"]
        result["pool"] = plan["pool"]
        result["slots_fixed"] = bool(settings["plot_server_gpus"])
        result["block"] = block(name, result["gpus"])
    if "proof_server" in components:
        result["proof_server"] = _proof_server(settings, topology)
    return result


def block(host, gpus):
    """The lines of YAML that fix which GPU has which number, for the host's variables."""
    lines = [f"# {host}", "plot_server_gpus:" if gpus else "plot_server_gpus: []"]
    for gpu in gpus:
        words = ", ".join(
            filter(None, [f"port {gpu['port']}", gpu["name"], gpu["bus_id"], "missing now" if gpu["missing"] else ""])
        )
        lines.append(f"  - {gpu['uuid']}  # {gpu['slot']}: {words}")
    return "\n".join(lines)


class _Machine:
    """A topology's cores by node, and the plan's GPUs by the nodes whose cores they divide."""

    def __init__(self, topology, plan):
        cpus = topology["cpus"]
        usable = (parse_cpu_list(cpus["usable"]) & parse_cpu_list(cpus["online"])) - parse_cpu_list(cpus["isolated"])
        self.nodes = {str(number): parse_cpu_list(node["cpus"]) for number, node in cpus["nodes"].items()}
        self.usable = usable
        self.cores = sorted(tuple(sorted(parse_cpu_list(core) & usable)) for core in cpus["cores"])
        self.cores = [core for core in self.cores if core]
        self.caches = [parse_cpu_list(group) for group in cpus["l3"]]
        self.gpus = plan["gpus"]
        self.pool = parse_cpu_list(plan["pool"])

    def nodes_of(self, gpu):
        """The nodes whose cores the GPU and its neighbours divide: its home, and with the scope ``package`` others."""
        members = [parse_cpu_list(other["cpus"]) for other in self.neighbours(gpu)]
        used = frozenset().union(*members)
        return [number for number in sorted(self.nodes, key=int) if self.nodes[number] & used] or [
            str(gpu["numa_node"])
        ]

    def neighbours(self, gpu):
        """The GPUs of the same home, itself included."""
        return [other for other in self.gpus if other["numa_node"] == gpu["numa_node"]]

    def cores_in(self, nodes):
        cpus = frozenset().union(*(self.nodes.get(number, frozenset()) for number in nodes))
        return [core for core in self.cores if core[0] in cpus]

    def sharing(self, gpu):
        """The other GPUs that use an L3 cache which this one uses."""
        mine = parse_cpu_list(gpu["cpus"])
        cached = frozenset().union(*(cache for cache in self.caches if cache & mine))
        return [other for other in self.gpus if other["uuid"] != gpu["uuid"] and cached & parse_cpu_list(other["cpus"])]


def _why(gpu, read, machine, settings):
    """Which cores a GPU's plot server uses and why."""
    cpus = parse_cpu_list(gpu["cpus"])
    nodes = machine.nodes_of(gpu)
    node = f"NUMA node {nodes[0]}" if len(nodes) == 1 else f"NUMA nodes {', '.join(nodes)}"
    sentences = []
    label = f"GPU {gpu['index']}" if gpu["index"] is not None else f"The missing GPU {gpu['uuid']}"
    uses = f"{label} {('would use' if gpu['missing'] else 'uses')} CPUs {gpu['cpus']}: {_count(gpu['cores'], len(cpus))} of {node}"
    sentences.append(uses + ", " + _home(gpu, read, machine))
    members, cores = machine.neighbours(gpu), machine.cores_in(nodes)
    reserve = int(settings["plot_server_reserve_cores"]) * len(nodes)
    if not gpu["exclusive"]:
        sentences.append(f"There are only {len(cores)} usable cores for {len(members)} GPUs, so they all share them.")
    else:
        sentences.append(_share(gpu, members, cores, reserve, settings))
        left = format_cpu_list(cpu for core in cores for cpu in core if cpu in machine.pool)
        sentences.append(f"Kept free there: {('CPUs ' + left if left else 'nothing')}.")
        sharing = machine.sharing(gpu)
        if machine.caches:
            others = ", ".join(str(other["slot"]) for other in sharing)
            sentences.append(
                f"It shares an L3 cache with plot server {others}."
                if sharing
                else "It shares no L3 cache with another GPU."
            )
    if gpu["missing"]:
        sentences.append("The GPU is missing now: its plot server is kept stopped, and its cores wait for it.")
    return " ".join(sentences)


def _count(cores, cpus):
    cores_text = "1 core" if cores == 1 else f"{cores} cores"
    return f"{cores_text} ({('1 CPU' if cpus == 1 else '%d CPUs' % cpus)})"


def _home(gpu, read, machine):
    if gpu["placement"] == "local":
        return "the node that the GPU is attached to." if len(machine.nodes) > 1 else "the only one."
    own = read.get("numa_node")
    if gpu["placement"] == "remote":
        return f"because the GPU's own node {own} has no usable CPUs and this one is the nearest."
    if len(machine.nodes) < 2:
        return "the only one."
    return "chosen because the machine does not tell where the GPU is attached (plot_server_gpu_numa_nodes can name the node)."


def _share(gpu, members, cores, reserve, settings):
    """The arithmetic of a GPU's share."""
    total, number = len(cores), len(members)
    share = max(0, total - reserve) // number
    who = "the only GPU gets" if number == 1 else f"the {number} GPUs get"
    each = "" if number == 1 else " each"
    if share == 0:
        return f"Of {total} usable cores {reserve} cannot be kept back, and every GPU gets one."
    if gpu["cores"] < share:
        limit = settings["plot_server_max_cpus"]
        whose = "the GPU" if number == 1 else f"each of the {number} GPUs"
        return f"Of {total} usable cores {whose} would get {share}; plot_server_max_cpus ({limit}) limits that to {gpu['cores']}."
    back = (
        f"{reserve} {('is' if reserve == 1 else 'are')} kept back for the system (plot_server_reserve_cores), and "
        if reserve
        else ""
    )
    exact = number > 1 and (total - reserve) % number == 0
    sum_text = f"({total} − {reserve}) ÷ {number} = " if exact else ""
    rest = (total - reserve) % number
    ending = f"; the {('core' if rest == 1 else '%d cores' % rest)} left over stays free" if rest else ""
    return f"Of {total} usable cores there {back}{who} {sum_text}{gpu['cores']}{each}{ending}."


def _proof_server(settings, topology):
    gpu = proof_gpu(topology["gpus"], str(settings["proof_server_gpu"]))
    if gpu is None:
        return None
    cpus = proof_server_cpus(settings, topology)
    choice = str(settings["proof_server_cpus"])
    if cpus and choice == "node":
        why = f"The proof server uses GPU {gpu['index']} and runs on CPUs {cpus}, all usable ones of NUMA node {gpu['numa_node']}, which that GPU is attached to."
    elif cpus:
        why = f"The proof server uses GPU {gpu['index']} and runs on CPUs {cpus}, as proof_server_cpus says."
    elif choice == "all":
        why = f"The proof server uses GPU {gpu['index']} and is bound to no CPUs, as proof_server_cpus says."
    else:
        why = f"The proof server uses GPU {gpu['index']} and is bound to no CPUs: there is one NUMA node, or the GPU's is unknown."
    return {
        "index": gpu["index"],
        "uuid": gpu["uuid"],
        "name": gpu.get("name"),
        "bus_id": gpu["bus_id"],
        "cpus": cpus,
        "why": why,
    }
