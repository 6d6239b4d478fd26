# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""HOST: rules about the hosts themselves: reached and read, addresses, clock, memory, CPUs, links."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import ARCHITECTURES

from .._words import names, one_line, shown
from .view import ERROR, HOST, INFO, WARNING, Finding, Rule, View, finding

RULES = {
    "HOST001": Rule(ERROR, "host", "A host cannot be reached"),
    "HOST002": Rule(ERROR, "host", "A host could not be read"),
    "HOST003": Rule(ERROR, "host", "The architecture is not supported"),
    "HOST004": Rule(ERROR, "host", "No interface has the host's address"),
    "HOST005": Rule(WARNING, "host", "The clock is not synchronized"),
    "HOST006": Rule(WARNING, "host", "A host has little memory"),
    "HOST007": Rule(INFO, "host", "A host has few CPUs"),
    "HOST008": Rule(WARNING, "host", "A network link is slow"),
    "HOST009": Rule(ERROR, "host", "Not all of a host can be read"),
    "HOST010": Rule(ERROR, "host", "A run would end with an error on a host"),
    "HOST011": Rule(WARNING, "host", "Others than root can tell supervisord what to do"),
}

MIB, GB = 2**20, 10**9

# What the tutorial asks for.
MEMORY_GPU = MEMORY_NODE = 64 * GB
NODE_CPUS = 64
# How the addresses begin on which only the host itself reaches a program.
LOOPBACK = ("127.", "localhost:", "[::1]")
NODE_LINK = 1000
# A sector is about 1.06 GB in and as much out, and a fast GPU makes one in about 3 seconds.
GPU_LINK = 3000


def check(view: View) -> Iterator[Finding]:
    for host, facts in sorted(view.facts.items()):
        if not view.components(host):
            continue
        if not facts["reachable"]:
            message = f"The host cannot be reached: {_reason(facts.get('error'))}"
            yield finding("HOST001", [host], HOST, message, "Check that it runs and that ansible -m ping works.")
        elif facts.get("error"):
            message = f"The host could not be read: {_reason(facts['error'])}"
            yield finding("HOST002", [host], HOST, message, "Run with -vvv to see more.")
        yield from _refused(view, host, facts.get("refused") or {})
    for host, facts in view.read("host"):
        if view.components(host):
            yield from _reader(host, facts)
            yield from _control(host, facts.get("control") or {})
            yield from _machine(host, facts)
            yield from _addresses(view, host, facts)
            yield from _memory(view, host, facts)
            yield from _cpus(view, host, facts)
            yield from _link(view, host, facts)


def _reason(error: object) -> str:
    return one_line(error or "no reason is known").removeprefix("Task failed: ")


def _reader(host: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge as whom the host was read: what may not be read looks as if it were not there."""
    user, unreadable = facts.get("running_as"), facts.get("unreadable") or {}
    what = names([f"{path} ({why})" for path, why in sorted(unreadable.items())])
    if user not in (None, "root"):
        message = f"Modules run as {user} and not as root"
        message += f", and could not read {what}" if unreadable else ""
        remedy = (
            "Set ansible_become: true for the host, or connect as root. Other rules are silent about what is not read."
        )
        yield finding("HOST009", [host], HOST, message, remedy)
    elif unreadable:
        message = f"Not even root can read {what}"
        remedy = (
            "Look for errors of the disk with dmesg. What is defined there is not known, and rules about it are silent."
        )
        yield finding("HOST009", [host], HOST, message, remedy)


def _refused(view: View, host: str, refused: Mapping[str, str]) -> Iterator[Finding]:
    """Say what a run would end with."""
    remedy = "Fix that first: a run would end there."
    components: dict[str, list[str]] = {}
    for component in view.components(host):
        if component in refused:
            components.setdefault(one_line(refused[component]), []).append(component)
    for why, concerned in components.items():
        yield finding("HOST010", [host], concerned[0] if len(concerned) == 1 else HOST, why, remedy)


def _control(host: str, control: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge who can tell supervisord what to do: it starts any command as root for them."""
    address, port = str(control.get("address") or ""), "supervisord listens on "
    if address and not control.get("address_password"):
        message = f"{port}{shown(address)} without a password: whoever reaches that is root on the host"
        remedy = "Remove [inet_http_server] from supervisord's configuration and restart it: its socket is enough."
        local = address.startswith(LOOPBACK)
        yield finding("HOST011", [host], HOST, message, remedy, WARNING if local else ERROR)
    elif address and not address.startswith(LOOPBACK):
        message = f"{port}{shown(address)}: its password, which makes root of whoever has it, goes in clear"
        remedy = "Remove [inet_http_server] from supervisord's configuration, or let it listen on 127.0.0.1 only."
        yield finding("HOST011", [host], HOST, message, remedy)
    mode, owner, group = control.get("mode"), control.get("owner"), control.get("group")
    who = [f"the user {owner}"] if owner not in (None, "root") else []
    who += [f"the group {group}"] if mode and int(mode, 8) & stat.S_IWGRP and group != "root" else []
    who += ["everybody on the host"] if mode and int(mode, 8) & stat.S_IWOTH else []
    if who and not control.get("socket_password"):
        message = f"supervisord's socket {control.get('socket')} is open to {names(who)}, who so can become root"
        remedy = "Set chmod=0700 and remove chown= in [unix_http_server], and restart supervisord."
        yield finding("HOST011", [host], HOST, message, remedy)


def _machine(host: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    if facts["architecture"] not in ARCHITECTURES:
        message = f"The host is {facts['architecture']}; programs exist for {names(sorted(ARCHITECTURES))}"
        yield finding("HOST003", [host], HOST, message, "Use another machine.")
    if facts["clock_synchronized"] is False:
        remedy = "Install and start chrony or systemd-timesyncd: solutions count only within their slot of one second."
        yield finding("HOST005", [host], HOST, "The clock is not synchronized", remedy)


def _addresses(view: View, host: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    addresses = [address.split("/", 1)[0] for address in facts["addresses"]]
    there = names([address for address in addresses if ":" not in address])
    if addresses and view.ipv4(host) and view.address(host) not in addresses:
        message = f"cluster_address is {view.address(host)}; the host's interfaces have {there}"
        remedy = (
            "Set cluster_address to the one on the cluster's network; accept this finding behind address translation."
        )
        yield finding("HOST004", [host], HOST, message, remedy)
    listen = view.value(host, "node_rpc_address")
    if "node" in view.components(host) and addresses and _specific(listen) and listen not in addresses:
        message = f"node_rpc_address is {listen}; the host's interfaces have {there}"
        remedy = "Set node_rpc_address to 0.0.0.0 or to the host's cluster_address."
        yield finding("HOST004", [host], "node", message, remedy)


def _specific(address: object) -> bool:
    """Return whether an address is that of one interface beside loopback."""
    try:
        parsed = ipaddress.ip_address(str(address))
    except ValueError:
        return False
    return not (parsed.is_unspecified or parsed.is_loopback)


def _memory(view: View, host: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    memory = facts.get("memory_mib")
    if memory is None:
        return
    gpus = (_gpus(view, host) if "plot_server" in view.components(host) else None) or 0
    node = "node" in view.components(host)
    wanted = gpus * MEMORY_GPU + node * MEMORY_NODE
    if memory * MIB < wanted:
        why = [f"64 GB for each of {gpus} GPUs"] * bool(gpus) + ["64 GB for the node"] * node
        message = f"The host has {memory * MIB / GB:.1f} GB of memory; {' and '.join(why)} are recommended"
        remedy = f"Add memory{', or list fewer GPUs in plot_server_gpus' if gpus else ''}."
        yield finding("HOST006", [host], "plot_server" if gpus else "node", message, remedy)


def _cpus(view: View, host: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    cpus = facts.get("cpus")
    if "node" in view.components(host) and cpus is not None and cpus < NODE_CPUS:
        message = (
            f"The host has {cpus} CPUs; {NODE_CPUS} are recommended for a node with its controller and proof server"
        )
        remedy = "Accept this finding if blocks are imported and proofs computed in time."
        yield finding("HOST007", [host], "node", message, remedy)


def _gpus(view: View, host: str) -> int | None:
    """Return the number of GPUs that plot on a host, None where it is not known."""
    listed = view.value(host, "plot_server_gpus")
    if listed:
        return len(listed)
    answer = view.facts.get(host, {}).get("gpus")
    return len((answer.get("topology") or {}).get("gpus") or []) if answer and not answer.get("gpu_error") else None


def _link(view: View, host: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    remedy = "Use a faster link for cluster_address, or accept that plotting waits for it."
    for interface in facts.get("interfaces") or []:
        addresses = [address.split("/")[0] for address in interface["addresses"]]
        speed = interface.get("speed_mbps")
        if view.address(host) in addresses and speed is not None:
            for need, why in _traffic(view, host):
                if speed < need:
                    message = f"{interface['name']} has {speed} Mbit/s; {why} about {need} Mbit/s each way"
                    yield finding("HOST008", [host], HOST, message, remedy)
            return


def _traffic(view: View, host: str) -> Iterator[tuple[int, str]]:
    """Yield how many Mbit/s each component of a host needs, and why."""
    components = view.components(host)
    if "node" in components:
        yield NODE_LINK, "a node needs"
    gpus = _gpus(view, host) if "plot_server" in components else None
    if gpus:
        yield gpus * GPU_LINK, f"{gpus} plotting GPUs need"
    if "plot_client" in components:
        plotting = [_gpus(view, plotter) for plotter in view.members("plot_server")]
        known = [gpus for gpus in plotting if gpus is not None]
        if known and len(known) == len(plotting):
            storages = len(view.members("plot_client"))
            yield (
                sum(known) * GPU_LINK // storages,
                f"with {sum(known)} plotting GPUs, each of {storages} storage hosts needs",
            )
