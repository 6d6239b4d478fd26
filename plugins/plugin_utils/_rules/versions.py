# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about what runs and what shall run instead: versions that go back, and restarts that nobody can stand in for."""

from __future__ import annotations

import re

from .._rolling.order import kept_stopped
from .._rolling.step import NEEDS
from .view import ERROR, INFO, WARNING, Rule, finding, names

RULES = {
    "VERS001": Rule(ERROR, "host", "NATS would go back to a release that may not read its data"),
    "VERS002": Rule(ERROR, "host", "A node would go back to a version that may not read its database"),
    "VERS003": Rule(INFO, "host", "Versions are mixed while the cluster rolls"),
    "ROLL001": Rule(WARNING, "inventory", "No NATS server can be missed"),
    "ROLL002": Rule(INFO, "inventory", "A component has one host only"),
    "ROLL003": Rule(WARNING, "inventory", "A controller's node is kept stopped"),
}

# A release's folder in a binary's path: /opt/autonomys/releases/v1.2.3/autonomys-node, /opt/autonomys/nats/2.12.8/nats-server.
BINARY = re.compile(r"/(?:releases|nats)/([^/]+)/([^/]+)$")


def check(view):
    for host, facts in view.read("host"):
        running = _running(facts)
        yield from _nats_goes_back(view, host, running.get("nats-server"))
        yield from _node_goes_back(view, host, running.get("autonomys-node"))
    yield from _mixed(view)
    yield from _needed_servers(view)
    yield from _only_hosts(view)
    yield from _held_nodes(view)


def _running(facts):
    """``{binary: version}`` of the programs that run on a host now."""
    found = {}
    for path in facts.get("running") or []:
        match = BINARY.search(path)
        if match:
            found[match.group(2)] = match.group(1)
    return found


def numbers(version):
    """The numbers that a version begins with, ``(1, 2, 3)``; None for a name that is none."""
    match = re.match(r"^v?(\d+)\.(\d+)\.(\d+)", str(version))
    return tuple(int(number) for number in match.groups()) if match else None


def _nats_goes_back(view, host, runs):
    before, after = numbers(runs), numbers(view.value(host, "nats_version"))
    if before and after and after[:2] < before[:2]:
        message = f"nats-server {runs} runs and has written JetStream's data; nats_version is {view.value(host, 'nats_version')}, and an older minor release may not read them"
        yield finding(
            "VERS001",
            [host],
            "nats",
            message,
            "Keep %d.%d, or accept this finding after you have saved what the streams hold." % before[:2],
        )


def _node_goes_back(view, host, runs):
    before, after = numbers(runs), numbers(view.value(host, "cluster_version"))
    if before and after and after < before:
        message = f"autonomys-node {runs} runs and has opened its database; cluster_version is {view.value(host, 'cluster_version')}, and an older version may not read it"
        remedy = f"Keep {runs} for the nodes, or accept this finding if the release notes say that it can; else the node has to sync again for hours or days."
        yield finding("VERS002", [host], "node", message, remedy)


def _mixed(view):
    changing = {}
    for host, facts in view.read("host"):
        wanted = str(view.value(host, "cluster_version"))
        for binary, version in _running(facts).items():
            if binary != "nats-server" and version != wanted:
                changing.setdefault((version, wanted), []).append(host)
    for (version, wanted), hosts in sorted(changing.items()):
        message = f"{version} runs and becomes {wanted} one host after another; meanwhile caches of different versions do not find each other"
        yield finding(
            "VERS003",
            set(hosts),
            "host",
            message,
            "Nothing: farming goes on. Plotting may be slower until all hosts have the same version.",
        )


def _needed_servers(view):
    servers, stopped = view.members("nats"), kept_stopped(view.model, "nats")
    left = len(servers) - len(stopped)
    if len(servers) > 2 and stopped and left - 1 <= len(servers) // 2:
        message = f"nats_state keeps {names(stopped)} stopped; of the {len(servers)} NATS servers no other can be missed, so none will be restarted"
        remedy = "Start it before anything of NATS changes; accept this finding to restart the others with an outage of JetStream."
        yield finding("ROLL001", servers, "nats", message, remedy)


def _only_hosts(view):
    for component in NEEDS:
        members = view.members(component)
        if len(members) == 1 and len(view.hosts) > 1:
            message = (
                f"Only {names(members)} has {component}: when it restarts, nobody stands in for it, and nobody is asked"
            )
            yield finding(
                "ROLL002",
                members,
                component,
                message,
                "Give the component a second host, or restart it when that does least harm.",
            )


def _held_nodes(view):
    stopped = {
        f"{view.address(host)}:{view.value(host, 'node_rpc_port')}": host for host in kept_stopped(view.model, "node")
    }
    for host in view.members("controller"):
        node = stopped.get(str(view.value(host, "controller_node_rpc_url")).split("://", 1)[-1].rstrip("/"))
        if node and view.value(host, "controller_state") == "started":
            message = f"The controller of {host} uses the node of {node}, which node_state keeps stopped"
            yield finding(
                "ROLL003",
                [host],
                "controller",
                message,
                f"Set controller_state: stopped for {host} too, or give it another node.",
            )
