# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about GPUs, their drivers and the CPUs that plot servers get."""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components.programs import (
    pinned_gpus,
    plot_server_plan,
    proof_gpu,
    proof_server_cpus,
    remembered_slots,
    renumbered,
    renumbering,
)
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
            message = "proof_server_gpu is %s; it must be an index or a UUID" % shown(gpu)
            yield finding("GPU007", [host], "proof_server", message, "Take either from the output of nvidia-smi -L on the host.")
    for host, answer in view.read("gpus"):
        users = [component for component in ("proof_server", "plot_server") if component in view.components(host)]
        if users:
            yield from _host(view, host, users, answer)


def _listed(view, host):
    listed = [str(gpu) for gpu in view.value(host, "plot_server_gpus") or []]
    for gpu in sorted(set(listed)):
        if listed.count(gpu) > 1:
            yield finding("GPU006", [host], "plot_server", "plot_server_gpus has %s %d times" % (gpu, listed.count(gpu)), "Remove all but one.")
        if not UUID.match(gpu):
            message = "plot_server_gpus has %s, which is no UUID" % shown(gpu)
            yield finding("GPU007", [host], "plot_server", message, "Take it from the output of nvidia-smi -L on the host.")


def _host(view, host, users, answer):
    topology = answer.get("topology") or {}
    gpus = sorted(topology.get("gpus") or [], key=pci_order)
    if answer.get("gpu_error") or not gpus:
        message = "No GPU can be used: %s" % " ".join((answer.get("gpu_error") or "nvidia-smi lists none").split())
        remedy = "Install the NVIDIA driver (%s or newer) and look whether nvidia-smi lists the GPUs" % MIN_DRIVER
        remedy += ", or take the host out of the group %s." % " and ".join(users)
        yield finding("GPU001", [host], users[-1], message, remedy)
        return
    old = sorted({gpu["driver_version"] for gpu in gpus if _older(gpu.get("driver_version"), MIN_DRIVER)})
    if old:
        message = "The GPU driver is %s; the farmer needs %s or newer" % (old[0], MIN_DRIVER)
        yield finding("GPU002", [host], users[-1], message, "Install a newer driver and reboot the host.")
    proving = None
    if "proof_server" in users and view.value(host, "proof_server_gpu") is not None:
        gpu = proof_gpu(gpus, str(view.value(host, "proof_server_gpu")))
        proving = gpu and gpu["uuid"]
        if gpu is None:
            message = "proof_server_gpu is %s; the host has %s" % (shown(view.value(host, "proof_server_gpu")), _described(gpus))
            yield finding("GPU005", [host], "proof_server", message, "Choose one of them.")
    plan = None
    if "plot_server" in users and view.value(host, "plot_server_gpus") is not None:
        plan = yield from _plotting(view, host, gpus, proving, topology)
    if proving is not None and view.value(host, "proof_server_cpus") is not None:
        yield from _proof_cpus(view, host, topology, plan)
    yield from _foreign(host, gpus, users, answer.get("processes") or [])
    yield from masks(host, topology, gpus, plan, (view.facts[host].get("host") or {}).get("programs") or [], _chosen(view, host, proving))
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
    remedy = "Set it to node, all, or CPUs of %s." % topology["cpus"]["usable"]
    try:
        cpus = proof_server_cpus(settings, topology)
    except ValueError as error:
        yield finding("NUMA008", [host], "proof_server", str(error), remedy)
        return
    bound = parse_cpu_list(cpus) if cpus else usable
    if bound - usable:
        message = "proof_server_cpus has the CPUs %s, which programs of this host may not use" % format_cpu_list(bound - usable)
        yield finding("NUMA008", [host], "proof_server", message, remedy)
    shared = bound.intersection(cpu for gpu in (plan or {"gpus": []})["gpus"] for cpu in parse_cpu_list(gpu["cpus"]))
    if shared:
        free = (bound & parse_cpu_list(plan["pool"])) or parse_cpu_list(plan["pool"])
        message = "The proof server may run on the CPUs %s of plot servers" % format_cpu_list(shared)
        remedy = 'Set proof_server_cpus: "%s", which no plot server gets' % format_cpu_list(free) if free else "Let plot servers leave CPUs free"
        yield finding("NUMA007", [host], "proof_server", message, remedy + "; plot_server_reserve_cores says how many stay free.")


def _chosen(view, host, proving):
    """The proof server's GPU and the CPUs that the inventory gives it, None where it gives none."""
    try:
        return (proving, parse_cpu_list(str(view.value(host, "proof_server_cpus")))) if proving else None
    except ValueError:
        return None


def _foreign(host, gpus, users, processes):
    for gpu in gpus:
        busy = ["%s (pid %s)" % (process["command"], process["pid"]) for process in processes if gpu["uuid"] in process["gpu_uuids"] and _is_foreign(process)]
        if busy:
            message = "GPU %s (%s) is used by %s" % (gpu["index"], gpu["uuid"], names(busy))
            yield finding("GPU009", [host], users[-1], message, "Stop it: plotting and proving share the GPU's memory and time with it.")


def _is_foreign(process):
    return not str(process["program"] or "").startswith("autonomys-")


def _described(gpus):
    return names(["%d (%s)" % (index, gpu["uuid"]) for index, gpu in enumerate(gpus)], most=16)


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
            yield finding("NUMA005", [host], "plot_server", str(error), "Correct the variables plot_server_*; docs/numa.md explains them.")
    if missing:
        message = "plot_server_gpus has %s; the host has %s" % (names(missing, most=16), _described(gpus))
        remedy = "Look for the GPU with nvidia-smi and dmesg, or replace it in the list."
        if plan and plotting:
            kept = ["%d (CPUs %s)" % (gpu["slot"], gpu["cpus"]) for gpu in plan["gpus"] if gpu["missing"]]
            remedy += " Meanwhile its plot server is kept stopped, and its slot free: %s." % names(kept, most=16)
        yield finding("GPU003", [host], "plot_server", message, remedy, None if plotting else ERROR)
    if proving in plotting:
        message = "Both the proof server and a plot server use the GPU %s" % proving
        yield finding("GPU004", [host], "plot_server", message, "Leave it out of plot_server_gpus, or choose another proof_server_gpu.")
    moved = renumbered(settings, topology, remembered) if settings else []
    if moved:
        remedy = "List the GPUs so that each keeps its number: plot_server_gpus: [%s]." % ", ".join(pinned_gpus(remembered, topology))
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
        name = "plot server %d (GPU %s)" % (gpu["slot"], gpu["bus_id"])
        if gpu["placement"] == "remote":
            message = "The CPUs of %s are on NUMA node %s: its own has none to give" % (name, gpu["numa_node"])
            yield finding("NUMA003", [host], "plot_server", message, "Move the GPU to another slot of the machine, or accept slower plotting.")
        elif gpu["placement"] == "unknown":
            message = "The machine does not tell the NUMA node of %s; node %s was chosen" % (name, gpu["numa_node"])
            remedy = "Set plot_server_gpu_numa_nodes from the machine's manual, or enable NUMA in its firmware."
            yield finding("NUMA004", [host], "plot_server", message, remedy)
    for cpus, slots in sorted(shared.items()):
        message = "The plot servers %s share the CPUs %s: the host has fewer free cores than GPUs" % (_slots(slots), cpus)
        yield finding("NUMA001", [host], "plot_server", message, "Use fewer GPUs or a machine with more cores, or accept slower plotting.")
    for (node, cpus), slots in sorted(few.items()):
        message = "Each of the plot servers %s gets %d CPUs of NUMA node %s; %d are wanted" % (_slots(slots), cpus, node, settings["plot_server_min_cpus"])
        yield finding("NUMA002", [host], "plot_server", message, "Use fewer GPUs a NUMA node, or lower plot_server_min_cpus when plotting is fast enough.")


def _slots(slots):
    return names([str(slot) for slot in slots], most=16)
