# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about GPUs, their drivers and the CPUs that plot servers get."""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components.gpu_slots import (
    pinned_gpus,
    plot_server_plan,
    proof_gpu,
    remembered_slots,
    renumbered,
    renumbering,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._components.proof_server import proof_server_cpus
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import format_cpu_list, parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import pci_order

from .hand_bound import masks
from .view import ERROR, INFO, WARNING, Rule, finding, names, shown

RULES = {
    "GPU001": Rule(ERROR, "host", "A host has no usable GPU"),
    "GPU002": Rule(ERROR, "host", "The GPU driver is too old"),
    "GPU003": Rule(WARNING, "host", "A listed GPU is missing"),
    "GPU004": Rule(WARNING, "host", "A GPU is claimed twice"),
    "GPU005": Rule(ERROR, "host", "The proof server's GPU does not exist"),
    "GPU006": Rule(ERROR, "inventory", "A GPU is listed twice"),
    "GPU007": Rule(ERROR, "inventory", "A GPU's name is malformed"),
    "GPU008": Rule(ERROR, "host", "Plot servers would be renumbered"),
    "GPU009": Rule(WARNING, "host", "A GPU is busy with a foreign program"),
    "NUMA001": Rule(WARNING, "host", "Plot servers share CPUs"),
    "NUMA002": Rule(WARNING, "host", "A plot server gets few CPUs"),
    "NUMA003": Rule(WARNING, "host", "A plot server's CPUs are not on its GPU's NUMA node"),
    "NUMA004": Rule(WARNING, "host", "A GPU's NUMA node is unknown"),
    "NUMA005": Rule(ERROR, "host", "The CPUs of the plot servers cannot be planned"),
    "NUMA006": Rule(INFO, "host", "The machine's topology was read with doubts"),
    "NUMA007": Rule(WARNING, "host", "The proof server shares CPUs with plot servers"),
    "NUMA008": Rule(ERROR, "host", "The proof server cannot be bound to its CPUs"),
}

MIN_DRIVER = "525.60.13"

UUID = re.compile(r"^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

PLAN = ("gpus", "reserve_cores", "max_cpus", "min_cpus", "numa_scope", "gpu_numa_nodes", "state")
OPTIONAL = ("max_cpus",)


def check(view):
    for host in view.members("plot_server"):
        yield from _listed(view, host)
    for host in view.members("proof_server"):
        gpu = view.value(host, "proof_server_gpu")
        if gpu is not None and not (str(gpu).isdigit() or UUID.match(str(gpu))):
            message = f"proof_server_gpu is {shown(gpu)}; it must be an index or a UUID"
            yield finding(
                "GPU007", [host], "proof_server", message, "Take either from the output of nvidia-smi -L on the host."
            )
    for host, answer in view.read("gpus"):
        users = [component for component in ("proof_server", "plot_server") if component in view.components(host)]
        if users:
            yield from _host(view, host, users, answer)


def _listed(view, host):
    listed = [str(gpu) for gpu in view.value(host, "plot_server_gpus") or []]
    for gpu in sorted(set(listed)):
        if listed.count(gpu) > 1:
            yield finding(
                "GPU006",
                [host],
                "plot_server",
                f"plot_server_gpus has {gpu} {listed.count(gpu)} times",
                "Remove all but one.",
            )
        if not UUID.match(gpu):
            message = f"plot_server_gpus has {shown(gpu)}, which is no UUID"
            yield finding(
                "GPU007", [host], "plot_server", message, "Take it from the output of nvidia-smi -L on the host."
            )


def _host(view, host, users, answer):
    topology = answer.get("topology") or {}
    gpus = sorted(topology.get("gpus") or [], key=pci_order)
    if answer.get("gpu_error") or not gpus:
        message = "No GPU can be used: %s" % " ".join((answer.get("gpu_error") or "nvidia-smi lists none").split())
        remedy = f"Install the NVIDIA driver ({MIN_DRIVER} or newer) and look whether nvidia-smi lists the GPUs"
        remedy += f", or take the host out of the group {' and '.join(users)}."
        yield finding("GPU001", [host], users[-1], message, remedy)
        return
    old = sorted({gpu["driver_version"] for gpu in gpus if _older(gpu.get("driver_version"), MIN_DRIVER)})
    if old:
        message = f"The GPU driver is {old[0]}; the farmer needs {MIN_DRIVER} or newer"
        yield finding("GPU002", [host], users[-1], message, "Install a newer driver and reboot the host.")
    proving = None
    if "proof_server" in users and view.value(host, "proof_server_gpu") is not None:
        gpu = proof_gpu(gpus, str(view.value(host, "proof_server_gpu")))
        proving = gpu and gpu["uuid"]
        if gpu is None:
            message = (
                f"proof_server_gpu is {shown(view.value(host, 'proof_server_gpu'))}; the host has {_described(gpus)}"
            )
            yield finding("GPU005", [host], "proof_server", message, "Choose one of them.")
    plan = None
    if "plot_server" in users and view.value(host, "plot_server_gpus") is not None:
        plan = yield from _plotting(view, host, gpus, proving, topology)
    if proving is not None and view.value(host, "proof_server_cpus") is not None:
        yield from _proof_cpus(view, host, topology, plan)
    yield from _foreign(host, gpus, users, answer.get("processes") or [])
    yield from masks(
        host,
        topology,
        gpus,
        plan,
        (view.facts[host].get("host") or {}).get("programs") or [],
        _chosen(view, host, proving),
    )
    for warning in answer.get("warnings") or []:
        remedy = "Compare with what lscpu and nvidia-smi topo -m say on the host; docs/numa.md explains the sources."
        yield finding("NUMA006", [host], users[-1], " ".join(str(warning).split()), remedy)


def _older(version, least):
    numbers = [int(number) for number in re.findall(r"\d+", str(version or ""))]
    return bool(numbers) and numbers < [int(number) for number in least.split(".")]


def _proof_cpus(view, host, topology, plan):
    """Rules about the CPUs of the proof server, on a host whose plot servers have ``plan`` (None without any)."""
    settings = {name: view.value(host, name) for name in ("proof_server_gpu", "proof_server_cpus")}
    usable = parse_cpu_list(topology["cpus"]["usable"])
    remedy = f"Set it to node, all, or CPUs of {topology['cpus']['usable']}."
    try:
        cpus = proof_server_cpus(settings, topology)
    except ValueError as error:
        yield finding("NUMA008", [host], "proof_server", str(error), remedy)
        return
    bound = parse_cpu_list(cpus) if cpus else usable
    if bound - usable:
        message = (
            f"proof_server_cpus has the CPUs {format_cpu_list(bound - usable)}, which programs of this host may not use"
        )
        yield finding("NUMA008", [host], "proof_server", message, remedy)
    shared = bound.intersection(cpu for gpu in (plan or {"gpus": []})["gpus"] for cpu in parse_cpu_list(gpu["cpus"]))
    if shared:
        free = (bound & parse_cpu_list(plan["pool"])) or parse_cpu_list(plan["pool"])
        message = f"The proof server may run on the CPUs {format_cpu_list(shared)} of plot servers"
        remedy = (
            f'Set proof_server_cpus: "{format_cpu_list(free)}", which no plot server gets'
            if free
            else "Let plot servers leave CPUs free"
        )
        yield finding(
            "NUMA007", [host], "proof_server", message, remedy + "; plot_server_reserve_cores says how many stay free."
        )


def _chosen(view, host, proving):
    """The proof server's GPU and the CPUs that the inventory gives it, None where it gives none."""
    try:
        return (proving, parse_cpu_list(str(view.value(host, "proof_server_cpus")))) if proving else None
    except ValueError:
        return None


def _foreign(host, gpus, users, processes):
    for gpu in gpus:
        busy = [
            f"{process['command']} (pid {process['pid']})"
            for process in processes
            if gpu["uuid"] in process["gpu_uuids"] and _is_foreign(process)
        ]
        if busy:
            message = f"GPU {gpu['index']} ({gpu['uuid']}) is used by {names(busy)}"
            yield finding(
                "GPU009",
                [host],
                users[-1],
                message,
                "Stop it: plotting and proving share the GPU's memory and time with it.",
            )


def _is_foreign(process):
    return not str(process["program"] or "").startswith("autonomys-")


def _described(gpus):
    return names([f"{index} ({gpu['uuid']})" for index, gpu in enumerate(gpus)], most=16)


def _plotting(view, host, gpus, proving, topology):
    listed = [str(gpu) for gpu in view.value(host, "plot_server_gpus")]
    present = [gpu["uuid"] for gpu in gpus]
    missing = [gpu for gpu in listed if gpu not in present]
    plotting = [gpu for gpu in listed or present if gpu in present]
    settings, remembered = _settings(view, host), remembered_slots((view.facts[host].get("host") or {}).get("programs"))
    plan = None
    if settings:
        try:
            plan = plot_server_plan(settings, topology, remembered)
        except ValueError as error:
            yield finding(
                "NUMA005",
                [host],
                "plot_server",
                str(error),
                "Correct the variables plot_server_*; docs/numa.md explains them.",
            )
    if missing:
        message = f"plot_server_gpus has {names(missing, most=16)}; the host has {_described(gpus)}"
        remedy = "Look for the GPU with nvidia-smi and dmesg, or replace it in the list."
        if plan and plotting:
            kept = [f"{gpu['slot']} (CPUs {gpu['cpus']})" for gpu in plan["gpus"] if gpu["missing"]]
            remedy += f" Meanwhile its plot server is kept stopped, and its slot free: {names(kept, most=16)}."
        yield finding("GPU003", [host], "plot_server", message, remedy, None if plotting else ERROR)
    if proving in plotting:
        message = f"Both the proof server and a plot server use the GPU {proving}"
        yield finding(
            "GPU004",
            [host],
            "plot_server",
            message,
            "Leave it out of plot_server_gpus, or choose another proof_server_gpu.",
        )
    moved = renumbered(settings, topology, remembered) if settings else []
    if moved:
        remedy = f"List the GPUs so that each keeps its number: plot_server_gpus: [{', '.join(pinned_gpus(remembered, topology))}]."
        remedy += " Or stop the plot servers first (plot_server_state: stopped), or accept this."
        yield finding("GPU008", [host], "plot_server", renumbering(moved), remedy)
    if plotting and plan:
        yield from _placement(host, plan, settings)
    return plan


def _settings(view, host):
    """The variables of the plan, None where one is missing or wrong."""
    settings = {"plot_server_" + name: view.value(host, "plot_server_" + name) for name in PLAN}
    return None if any(settings["plot_server_" + name] is None for name in PLAN if name not in OPTIONAL) else settings


def _placement(host, plan, settings):
    shared, few = {}, {}
    for gpu in plan["gpus"]:
        if gpu["missing"]:
            continue
        cpus, least = len(parse_cpu_list(gpu["cpus"])), settings["plot_server_min_cpus"]
        if not gpu["exclusive"]:
            shared.setdefault(gpu["cpus"], []).append(gpu["slot"])
        elif cpus < least:
            few.setdefault((gpu["numa_node"], cpus), []).append(gpu["slot"])
        name = f"plot server {gpu['slot']} (GPU {gpu['bus_id']})"
        if gpu["placement"] == "remote":
            message = f"The CPUs of {name} are on NUMA node {gpu['numa_node']}: its own has none to give"
            yield finding(
                "NUMA003",
                [host],
                "plot_server",
                message,
                "Move the GPU to another slot of the machine, or accept slower plotting.",
            )
        elif gpu["placement"] == "unknown":
            message = f"The machine does not tell the NUMA node of {name}; node {gpu['numa_node']} was chosen"
            remedy = "Set plot_server_gpu_numa_nodes from the machine's manual, or enable NUMA in its firmware."
            yield finding("NUMA004", [host], "plot_server", message, remedy)
    for cpus, slots in sorted(shared.items()):
        message = f"The plot servers {_slots(slots)} share the CPUs {cpus}: the host has fewer free cores than GPUs"
        yield finding(
            "NUMA001",
            [host],
            "plot_server",
            message,
            "Use fewer GPUs or a machine with more cores, or accept slower plotting.",
        )
    for (node, cpus), slots in sorted(few.items()):
        message = f"Each of the plot servers {_slots(slots)} gets {cpus} CPUs of NUMA node {node}; {settings['plot_server_min_cpus']} are wanted"
        yield finding(
            "NUMA002",
            [host],
            "plot_server",
            message,
            "Use fewer GPUs a NUMA node, or lower plot_server_min_cpus when plotting is fast enough.",
        )


def _slots(slots):
    return names([str(slot) for slot in slots], most=16)
