# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""NODE: rules about the nodes and how the controllers reach them."""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components.node import COMPONENT

from .deployed import deployed_program, option
from .view import ERROR, INFO, WARNING, Rule, finding, names, shown

RULES = {
    "NODE001": Rule(ERROR, "inventory", "A controller's node is not in the inventory"),
    "NODE002": Rule(ERROR, "inventory", "A controller's node URL is malformed"),
    "NODE003": Rule(ERROR, "inventory", "The node does not listen where its controller connects"),
    "NODE004": Rule(WARNING, "inventory", "The node refuses methods that its controller needs"),
    "NODE005": Rule(INFO, "inventory", "The node's unsafe RPC methods are reachable from the network"),
    "NODE006": Rule(WARNING, "host", "Nothing guards the node's unsafe RPC methods"),
    "NODE007": Rule(INFO, "inventory", "No node can export pieces"),
    "NODE008": Rule(ERROR, "host", "The pruning of an existing database would change"),
    "NODE009": Rule(ERROR, "host", "The chain of an existing database would change"),
}

URL = re.compile(r"^ws://([0-9.]+):([0-9]+)/?$")

WILDCARDS = ("0.0.0.0", "::", "[::]")


def check(view):
    nodes = {view.address(host): host for host in view.members("node") if view.address(host)}
    for host in view.members("controller"):
        url = view.value(host, "controller_node_rpc_url")
        if url is not None:
            yield from _controller(view, host, str(url), nodes)
    for host in view.members("node"):
        yield from _exposed(view, host)
    yield from _exports(view)
    for host, facts in view.read("host", "node"):
        yield from _database(view, host, facts.get("disks") or {})


def _controller(view, host, url, nodes):
    derive = "Remove controller_node_rpc_url from the inventory: it is derived from the group node."
    match = URL.match(url)
    if not match:
        if url not in view.derived("ws://", "node", "node_rpc_port"):
            yield finding(
                "NODE002",
                [host],
                "controller",
                f"controller_node_rpc_url is {shown(url)}; it must be ws://ADDRESS:PORT",
                derive,
            )
        return
    address, port = match.groups()
    if not nodes:
        return
    if address not in nodes:
        message = f"controller_node_rpc_url is {url}; the nodes of the inventory are {names(sorted(nodes))}"
        yield finding("NODE001", [host], "controller", message, derive)
        return
    node = nodes[address]
    listen, rpc_port, methods = (view.value(node, "node_rpc_" + name) for name in ("address", "port", "methods"))
    if rpc_port is not None and str(rpc_port) != port:
        yield finding(
            "NODE003",
            [host],
            "controller",
            f"controller_node_rpc_url is {url}, but {node} listens on port {rpc_port}",
            derive,
        )
    elif listen is not None and listen not in WILDCARDS and listen != address:
        message = f"controller_node_rpc_url is {url}, but {node} has the node_rpc_address {listen}"
        yield finding(
            "NODE003",
            [host],
            "controller",
            message,
            "Set node_rpc_address to 0.0.0.0 or to the host's cluster_address.",
        )
    if methods is not None and methods != "unsafe" and host != node:
        message = f"node_rpc_methods of {node} is {methods}; a controller on another host needs unsafe"
        yield finding(
            "NODE004",
            [host],
            "controller",
            message,
            "Set node_rpc_methods to unsafe and keep the port closed to everyone else.",
        )


def _exposed(view, host):
    listen, methods = view.value(host, "node_rpc_address"), view.value(host, "node_rpc_methods")
    if methods != "unsafe" or listen is None or str(listen).startswith("127."):
        return
    message = f"node_rpc_methods is unsafe and node_rpc_address is {listen}: who reaches port {view.value(host, 'node_rpc_port')} controls the node"
    if ((view.facts.get(host) or {}).get("host") or {}).get("packet_filter") is False:
        remedy = "Set up a firewall on the host that opens the port to the cluster's own hosts only; accept this finding if the network has one."
        yield finding("NODE006", [host], "node", message + ", and no packet filter stands in the way", remedy)
    public = view.ipv4(host) is not None and view.ipv4(host).is_global
    if public:
        message += f", and {view.address(host)} is a public address"
    yield finding(
        "NODE005",
        [host],
        "node",
        message,
        "Let a firewall open the port to the cluster's own hosts only.",
        WARNING if public else INFO,
    )


def _exports(view):
    """The piece export reads a node that has synced fully and kept all blocks; neither can be had later."""
    missing = {}
    for host in view.members("node"):
        sync, pruning = view.value(host, "node_sync"), view.value(host, "node_blocks_pruning")
        if sync is None or pruning is None:
            return
        pruning = option(view.value(host, "node_extra_args") or [], "--blocks-pruning") or pruning
        if sync == "full" and pruning.startswith("archive"):
            return
        missing.setdefault(f"node_sync {sync} and node_blocks_pruning {pruning or 'empty'}", []).append(host)
    for state, hosts in sorted(missing.items()):
        remedy = "To export pieces, give one node node_sync: full, node_blocks_pruning: archive and node_state_pruning: archive before its database is created."
        yield finding(
            "NODE007",
            hosts,
            "node",
            f"No node has full sync and archive pruning, which the piece export needs; here: {state}",
            remedy,
        )


def _database(view, host, disks):
    """Pruning and chain are fixed when a node's database is first created."""
    program, path = deployed_program(view, host, COMPONENT.file), view.value(host, "node_base_path")
    command = (program or {}).get("command") or []
    if path is None or option(command, "--base-path") != path or (disks.get(path) or {}).get("empty") is not False:
        return
    extra = view.value(host, "node_extra_args") or []
    for kind in ("blocks", "state"):
        name = f"node_{kind}_pruning"
        wanted, there = (option(words, f"--{kind}-pruning") or "" for words in (extra, command))
        wanted = wanted or view.value(host, name)
        if wanted is not None and wanted != there:
            message = "%s is %s, but the database in %s was made with %s" % (
                name,
                wanted or "empty",
                path,
                there or "the node's own default",
            )
            yield finding(
                "NODE008",
                [host],
                "node",
                message,
                "Set it back, or move the database away: the node then syncs from the beginning.",
            )
    chain, there = view.value(host, "cluster_chain"), option(command, "--chain")
    if chain and there and chain != there:
        message = f"cluster_chain is {chain}, but the database in {path} is of {there}"
        yield finding("NODE009", [host], "node", message, "Set it back, or give the node another node_base_path.")
