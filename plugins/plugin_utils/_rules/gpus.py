# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""GPU: rules about GPUs, their drivers and who uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.gpu_slots import (
    pinned_gpus,
    renumbered,
    renumbering,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import is_ours

from .._words import names, shown
from .gpu_hosts import GpuHost, gpu_hosts, gpu_users, usable
from .view import ERROR, USUAL, WARNING, Finding, Rule, View, finding

RULES = {
    "GPU001": Rule(ERROR, "host", "A host has no usable GPU"),
    "GPU002": Rule(ERROR, "host", "The GPU driver is too old"),
    "GPU003": Rule(WARNING, "host", "A listed GPU is missing"),
    "GPU004": Rule(WARNING, "host", "A GPU is claimed twice"),
    "GPU005": Rule(ERROR, "host", "The proof server's GPU does not exist"),
    "GPU006": Rule(ERROR, "inventory", "A GPU is listed twice"),
    "GPU007": Rule(ERROR, "inventory", "A GPU's name is malformed"),
    "GPU008": Rule(ERROR, "host", "Plot servers would be renumbered"),
    "GPU009": Rule(WARNING, "host", "Another program uses a GPU"),
    "GPU010": Rule(ERROR, "host", "A GPU does not say which it is"),
}

MIN_DRIVER = "525.60.13"

UUID = re.compile(r"^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def check(view: View) -> Iterator[Finding]:
    for host in view.members("plot_server"):
        yield from _listed(view, host)
    for host in view.members("proof_server"):
        gpu = view.value(host, "proof_server_gpu")
        if gpu is not None and not (str(gpu).isdigit() or UUID.match(str(gpu))):
            message = f"proof_server_gpu is {shown(gpu)}; it must be an index or a UUID"
            remedy = "Take either from the output of nvidia-smi -L on the host."
            yield finding("GPU007", [host], "proof_server", message, remedy)
    for host, users, answer in gpu_users(view):
        if not usable(answer):
            yield _none(host, users, answer)
    for gpu_host, answer in gpu_hosts(view):
        yield from _nameless(gpu_host)
        yield from _driver(gpu_host)
        yield from _claims(gpu_host, view.value(gpu_host.name, "proof_server_gpu"))
        yield from _missing(gpu_host)
        yield from _moved(gpu_host)
        yield from _foreign(gpu_host, answer.get("processes") or [])


def _listed(view: View, host: str) -> Iterator[Finding]:
    listed = [str(gpu) for gpu in view.value(host, "plot_server_gpus") or []]
    for gpu in sorted(set(listed)):
        if listed.count(gpu) > 1:
            message = f"plot_server_gpus has {gpu} {listed.count(gpu)} times"
            yield finding("GPU006", [host], "plot_server", message, "Remove all but one.")
        if not UUID.match(gpu):
            message = f"plot_server_gpus has {shown(gpu)}, which is not a UUID"
            remedy = "Take it from the output of nvidia-smi -L on the host."
            yield finding("GPU007", [host], "plot_server", message, remedy)


def _none(host: str, users: Sequence[str], answer: Mapping[str, Any]) -> Finding:
    message = f"No GPU can be used: {' '.join((answer.get('gpu_error') or 'nvidia-smi lists none').split())}"
    remedy = f"Install the NVIDIA driver ({MIN_DRIVER} or newer) and check that nvidia-smi lists the GPUs"
    remedy += f", or take the host out of the group {' and '.join(users)}."
    return finding("GPU001", [host], users[-1], message, remedy)


def _nameless(host: GpuHost) -> Iterator[Finding]:
    """Find GPUs whose UUID is the text of an error: programs choose their GPU by it."""
    for gpu in host.gpus:
        if not UUID.match(str(gpu["uuid"])):
            message = f"The GPU at {gpu['bus_id']} has {shown(gpu['uuid'])} for a UUID"
            remedy = "Look at it with nvidia-smi and dmesg, and reboot the host or take the card out."
            yield finding("GPU010", [host.name], host.users[-1], message, remedy)


def _driver(host: GpuHost) -> Iterator[Finding]:
    old = sorted({gpu["driver_version"] for gpu in host.gpus if _older(gpu.get("driver_version"), MIN_DRIVER)})
    if old:
        message = f"The GPU driver is {old[0]}; the farmer needs {MIN_DRIVER} or newer"
        yield finding("GPU002", [host.name], host.users[-1], message, "Install a newer driver and reboot the host.")


def _claims(host: GpuHost, wanted: object) -> Iterator[Finding]:
    """Judge the choice of the proof server's GPU."""
    if "proof_server" in host.users and wanted is not None and host.proving is None:
        message = f"proof_server_gpu is {shown(wanted)}; the host has {host.described()}"
        yield finding("GPU005", [host.name], "proof_server", message, "Choose one of them.")
    if host.proving in host.plotting:
        message = f"Both the proof server and a plot server use the GPU {host.proving}"
        remedy = "Leave it out of plot_server_gpus, or choose another proof_server_gpu."
        yield finding("GPU004", [host.name], "plot_server", message, remedy)


def _missing(host: GpuHost) -> Iterator[Finding]:
    if not host.missing:
        return
    message = f"plot_server_gpus has {names(host.missing, most=16)}; the host has {host.described()}"
    remedy = "Look for the GPU with nvidia-smi and dmesg, or replace it in the list."
    if host.plan and host.plotting:
        kept = [f"{gpu['slot']} (CPUs {gpu['cpus']})" for gpu in host.plan["gpus"] if gpu["missing"]]
        remedy += f" Meanwhile its plot server is kept stopped, and its slot free: {names(kept, most=16)}."
    yield finding("GPU003", [host.name], "plot_server", message, remedy, USUAL if host.plotting else ERROR)


def _moved(host: GpuHost) -> Iterator[Finding]:
    moved = renumbered(host.settings, host.topology, host.remembered) if host.settings else []
    if moved:
        gpus = ", ".join(pinned_gpus(host.remembered, host.topology))
        remedy = f"List the GPUs so that each keeps its number: plot_server_gpus: [{gpus}]."
        remedy += " Or stop the plot servers first (plot_server_state: stopped), or accept this."
        yield finding("GPU008", [host.name], "plot_server", renumbering(moved), remedy)


def _older(version: object, least: str) -> bool:
    numbers = [int(number) for number in re.findall(r"\d+", str(version or ""))]
    return bool(numbers) and numbers < [int(number) for number in least.split(".")]


def _foreign(host: GpuHost, processes: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for gpu in host.gpus:
        busy = [
            f"{process['command']} (pid {process['pid']})"
            for process in processes
            if gpu["uuid"] in process["gpu_uuids"] and _is_foreign(process)
        ]
        if busy:
            message = f"GPU {gpu['index']} ({gpu['uuid']}) is used by {names(busy)}"
            remedy = "Stop it: plotting and proving share the GPU's memory and time with it."
            yield finding("GPU009", [host.name], host.users[-1], message, remedy)


def _is_foreign(process: Mapping[str, Any]) -> bool:
    return not is_ours(str(process["program"] or ""))
