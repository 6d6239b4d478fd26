# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""ROLL: rules about restarts that nobody can stand in for."""

from __future__ import annotations

from collections.abc import Iterator

from .._rolling.order import kept_stopped
from .._rolling.step import NEEDS
from .._words import names
from .view import INFO, WARNING, Finding, Rule, View, finding

RULES = {
    "ROLL001": Rule(WARNING, "inventory", "No NATS server can be spared"),
    "ROLL002": Rule(INFO, "inventory", "A component has one host only"),
    "ROLL003": Rule(WARNING, "inventory", "A controller's node is kept stopped"),
}


def check(view: View) -> Iterator[Finding]:
    yield from _needed_servers(view)
    yield from _only_hosts(view)
    yield from _held_nodes(view)


def _needed_servers(view: View) -> Iterator[Finding]:
    servers, stopped = view.members("nats"), kept_stopped(view.model, "nats")
    left = len(servers) - len(stopped)
    if len(servers) > 2 and stopped and left - 1 <= len(servers) // 2:
        message = (
            f"nats_state keeps {names(stopped)} stopped; of the {len(servers)} NATS servers no other can be spared, so "
            "none will be restarted"
        )
        remedy = (
            "Start it before you change anything about NATS; accept this finding to restart the others with an outage "
            "of JetStream."
        )
        yield finding("ROLL001", servers, "nats", message, remedy)


def _only_hosts(view: View) -> Iterator[Finding]:
    remedy = "Give the component a second host, or restart it when that does the least harm."
    for component in NEEDS:
        members = view.members(component)
        if len(members) == 1 and len(view.hosts) > 1:
            why = "when it restarts, no other host can take over, so none is asked"
            message = f"Only {names(members)} has {component}: {why}"
            yield finding("ROLL002", members, component, message, remedy)


def _held_nodes(view: View) -> Iterator[Finding]:
    stopped = {
        f"{view.address(host)}:{view.value(host, 'node_rpc_port')}": host for host in kept_stopped(view.model, "node")
    }
    for host in view.members("controller"):
        node = stopped.get(str(view.value(host, "controller_node_rpc_url")).split("://", 1)[-1].rstrip("/"))
        if node and view.value(host, "controller_state") == "started":
            message = f"The controller of {host} uses the node of {node}, which node_state keeps stopped"
            remedy = f"Set controller_state: stopped for {host} too, or give it another node."
            yield finding("ROLL003", [host], "controller", message, remedy)
