# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""HOST: rules about the hosts themselves: reached and read, addresses, clock, memory, CPUs, links."""

from __future__ import annotations

import ipaddress

from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import ARCHITECTURES

from .view import ERROR, HOST, INFO, WARNING, Rule, finding, names

RULES = {
    "HOST001": Rule(ERROR, "host", "A host cannot be reached"),
    "HOST002": Rule(ERROR, "host", "A host could not be read"),
    "HOST003": Rule(ERROR, "host", "The architecture is not supported"),
    "HOST004": Rule(ERROR, "host", "No interface has the host's address"),
    "HOST005": Rule(WARNING, "host", "The clock is not synchronized"),
    "HOST006": Rule(WARNING, "host", "A host has little memory"),
    "HOST007": Rule(INFO, "host", "A host has few CPUs"),
    "HOST008": Rule(WARNING, "host", "A network link is slow"),
}

MIB, GB = 2**20, 10**9

# What the tutorial asks for.
MEMORY_GPU = MEMORY_NODE = 64 * GB
NODE_CPUS = 64
NODE_LINK = 1000
# A sector is about 1.06 GB in and as much out, and a fast GPU makes one in about 3 seconds.
GPU_LINK = 3000


def check(view):
    for host, facts in sorted(view.facts.items()):
        if not view.components(host):
            continue
        if not facts["reachable"]:
            message = f"The host cannot be reached: {_line(facts.get('error'))}"
            yield finding("HOST001", [host], HOST, message, "Look whether it runs and whether ansible -m ping works.")
        elif facts.get("error"):
            yield finding(
                "HOST002",
                [host],
                HOST,
                f"The host could not be read: {_line(facts['error'])}",
                "Run with -vvv to see more.",
            )
    for host, facts in view.read("host"):
        if view.components(host):
            yield from _host(view, host, facts)
            yield from _memory(view, host, facts)
            yield from _cpus(view, host, facts)
            yield from _link(view, host, facts)


def _line(text):
    text = " ".join(str(text or "no reason is known").split())[:300]
    return text[len("Task failed: ") :] if text.startswith("Task failed: ") else text


def _specific(address):
    """Whether an address is that of one interface beside loopback."""
    try:
        parsed = ipaddress.ip_address(str(address))
    except ValueError:
        return False
    return not (parsed.is_unspecified or parsed.is_loopback)


def _host(view, host, facts):
    if facts["architecture"] not in ARCHITECTURES:
        message = f"The host is {facts['architecture']}; programs exist for {names(sorted(ARCHITECTURES))}"
        yield finding("HOST003", [host], HOST, message, "Use another machine.")
    addresses = [address.split("/", 1)[0] for address in facts["addresses"]]
    if addresses and view.ipv4(host) and view.address(host) not in addresses:
        near = [address for address in addresses if ":" not in address]
        message = f"cluster_address is {view.address(host)}; the host's interfaces have {names(near)}"
        remedy = (
            "Set cluster_address to the one on the cluster's network; accept this finding behind address translation."
        )
        yield finding("HOST004", [host], HOST, message, remedy)
    listen = view.value(host, "node_rpc_address")
    if "node" in view.components(host) and addresses and _specific(listen) and listen not in addresses:
        message = "node_rpc_address is %s; the host's interfaces have %s" % (
            listen,
            names([address for address in addresses if ":" not in address]),
        )
        yield finding(
            "HOST004", [host], "node", message, "Set node_rpc_address to 0.0.0.0 or to the host's cluster_address."
        )
    if facts["clock_synchronized"] is False:
        remedy = "Install and start chrony or systemd-timesyncd: solutions are bound to slots of a second."
        yield finding("HOST005", [host], HOST, "The clock is not synchronized", remedy)


def _cpus(view, host, facts):
    cpus = facts.get("cpus")
    if "node" in view.components(host) and cpus is not None and cpus < NODE_CPUS:
        message = (
            f"The host has {cpus} CPUs; {NODE_CPUS} are recommended for a node with its controller and proof server"
        )
        remedy = "Accept this finding if blocks are imported and proofs computed in time."
        yield finding("HOST007", [host], "node", message, remedy)


def _gpus(view, host):
    """Number of GPUs that plot on a host, None where it is not known."""
    listed = view.value(host, "plot_server_gpus")
    if listed:
        return len(listed)
    answer = (view.facts.get(host) or {}).get("gpus")
    return len((answer.get("topology") or {}).get("gpus") or []) if answer and not answer.get("gpu_error") else None


def _memory(view, host, facts):
    memory = facts.get("memory_mib")
    if memory is None:
        return
    wanted, why, component = 0, [], None
    gpus = _gpus(view, host) if "plot_server" in view.components(host) else None
    if gpus:
        wanted, why, component = gpus * MEMORY_GPU, [f"64 GB for each of {gpus} GPUs"], "plot_server"
    if "node" in view.components(host):
        wanted, why, component = wanted + MEMORY_NODE, why + ["64 GB for the node"], component or "node"
    if memory * MIB < wanted:
        message = f"The host has {memory * MIB / GB:.1f} GB of memory; {' and '.join(why)} are wanted"
        yield finding(
            "HOST006",
            [host],
            component,
            message,
            f"Add memory{(', or list fewer GPUs in plot_server_gpus' if gpus else '')}.",
        )


def _link(view, host, facts):
    interface = next(
        (
            each
            for each in facts.get("interfaces") or []
            if view.address(host) in [address.split("/")[0] for address in each["addresses"]]
        ),
        None,
    )
    speed = (interface or {}).get("speed_mbps")
    if speed is None:
        return
    needs = []
    if "node" in view.components(host):
        needs.append((NODE_LINK, "a node wants"))
    if "plot_server" in view.components(host) and _gpus(view, host):
        needs.append((_gpus(view, host) * GPU_LINK, f"{_gpus(view, host)} GPUs plot"))
    if "plot_client" in view.components(host):
        all_gpus = [_gpus(view, plotter) for plotter in view.members("plot_server")]
        if all_gpus and None not in all_gpus:
            storages = len(view.members("plot_client"))
            needs.append(
                (
                    sum(all_gpus) * GPU_LINK // storages,
                    f"{sum(all_gpus)} GPUs plot for {storages} storage hosts, to each",
                )
            )
    for need, why in needs:
        if speed < need:
            message = f"{interface['name']} has {speed} Mbit/s; {why} about {need} Mbit/s each way"
            yield finding(
                "HOST008",
                [host],
                HOST,
                message,
                "Use a faster link for cluster_address, or accept that plotting waits for it.",
            )
