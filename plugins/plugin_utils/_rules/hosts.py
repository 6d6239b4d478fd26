# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about the hosts themselves."""

from __future__ import annotations

import ipaddress

from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import ARCHITECTURES

from .view import ERROR, HOST, WARNING, Rule, finding, names

RULES = {
    "HOST001": Rule(ERROR, "host", "A host cannot be reached"),
    "HOST002": Rule(ERROR, "host", "A host could not be read"),
    "HOST003": Rule(ERROR, "host", "The architecture is not supported"),
    "HOST004": Rule(ERROR, "host", "No interface has the host's address"),
    "HOST005": Rule(WARNING, "host", "The clock is not synchronized"),
}


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
