# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""NODE: rules about the nodes and how the controllers reach them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._words import names, shown
from .deployed import option, programs_of, same_folder
from .view import ERROR, INFO, WARNING, Finding, Rule, View, finding

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
    "NODE010": Rule(ERROR, "host", "A node's database would be left behind"),
}

URL = re.compile(r"^ws://([0-9.]+):([0-9]+)/?$")

# The options that say where a node's database is.
BASE_PATH = ("--base-path", "-d")

WILDCARDS = ("0.0.0.0", "::", "[::]")


def check(view: View) -> Iterator[Finding]:
    for host in view.members("controller"):
        url = view.value(host, "controller_node_rpc_url")
        if url is not None:
            yield from _controller(view, host, str(url))
    for host in view.members("node"):
        yield from _exposed(view, host)
    yield from _exports(view)
    for host, facts in view.read("host", "node"):
        yield from _database(view, host, facts.get("disks") or {})


def _controller(view: View, host: str, url: str) -> Iterator[Finding]:
    nodes = {view.address(node): node for node in view.members("node") if view.address(node)}
    derive = "Remove controller_node_rpc_url from the inventory: it is derived from the group node."
    match = URL.match(url)
    if not match:
        if url not in view.derived("ws://", "node", "node_rpc_port"):
            message = f"controller_node_rpc_url is {shown(url)}; it must be ws://ADDRESS:PORT"
            yield finding("NODE002", [host], "controller", message, derive)
        return
    address, port = match.groups()
    if address in nodes:
        yield from _listens(view, host, url, nodes[address], port)
        yield from _allows(view, host, nodes[address])
    elif nodes:
        message = f"controller_node_rpc_url is {url}; the nodes of the inventory are {names(sorted(map(str, nodes)))}"
        yield finding("NODE001", [host], "controller", message, derive)


def _listens(view: View, host: str, url: str, node: str, port: str) -> Iterator[Finding]:
    listen, rpc_port = view.value(node, "node_rpc_address"), view.value(node, "node_rpc_port")
    if rpc_port is not None and str(rpc_port) != port:
        message = f"controller_node_rpc_url is {url}, but {node} listens on port {rpc_port}"
        remedy = "Remove controller_node_rpc_url from the inventory: it is derived from the group node."
        yield finding("NODE003", [host], "controller", message, remedy)
    elif listen is not None and listen not in WILDCARDS and listen != view.address(node):
        message = f"controller_node_rpc_url is {url}, but {node} has the node_rpc_address {listen}"
        remedy = "Set node_rpc_address to 0.0.0.0 or to the host's cluster_address."
        yield finding("NODE003", [host], "controller", message, remedy)


def _allows(view: View, host: str, node: str) -> Iterator[Finding]:
    methods = view.value(node, "node_rpc_methods")
    if methods is not None and methods != "unsafe" and host != node:
        message = f"node_rpc_methods of {node} is {methods}; a controller on another host needs unsafe"
        remedy = "Set node_rpc_methods to unsafe and keep the port closed to everyone else."
        yield finding("NODE004", [host], "controller", message, remedy)


def _exposed(view: View, host: str) -> Iterator[Finding]:
    listen, methods = view.value(host, "node_rpc_address"), view.value(host, "node_rpc_methods")
    if methods != "unsafe" or listen is None or str(listen).startswith("127."):
        return
    port = view.value(host, "node_rpc_port")
    message = (
        f"node_rpc_methods is unsafe and node_rpc_address is {listen}: whoever reaches port {port} controls the node"
    )
    if view.host_facts(host).get("packet_filter") is False:
        remedy = (
            "Set up a firewall on the host that opens the port to the cluster's own hosts only; accept this finding if "
            "the network has one."
        )
        yield finding("NODE006", [host], "node", message + ", and the host has no packet filter", remedy)
    address = view.ipv4(host)
    public = address is not None and address.is_global
    if public:
        message += f", and {address} is a public address"
    remedy = "Let a firewall open the port to the cluster's own hosts only."
    yield finding("NODE005", [host], "node", message, remedy, WARNING if public else INFO)


def _exports(view: View) -> Iterator[Finding]:
    """Judge whether a node can export pieces: synced fully, with all blocks kept; neither can be had later."""
    missing: dict[str, list[str]] = {}
    for host in view.members("node"):
        sync, pruning = view.value(host, "node_sync"), view.value(host, "node_blocks_pruning")
        if sync is None or pruning is None:
            return
        pruning = option(view.value(host, "node_extra_args") or [], "--blocks-pruning") or pruning
        if sync == "full" and pruning.startswith("archive"):
            return
        missing.setdefault(f"node_sync {sync} and node_blocks_pruning {pruning or 'empty'}", []).append(host)
    remedy = (
        "To export pieces, give one node node_sync: full, node_blocks_pruning: archive and node_state_pruning: archive "
        "before its database is created."
    )
    for state, hosts in sorted(missing.items()):
        message = f"No node has full sync and archive pruning, which the piece export needs; here: {state}"
        yield finding("NODE007", hosts, "node", message, remedy)


def _database(view: View, host: str, disks: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Judge whether the node that is deployed keeps its database."""
    path = view.value(host, "node_base_path")
    if path is None:
        return
    for program in programs_of(view, host, "node"):
        command = program.get("command") or []
        there = option(command, *BASE_PATH)
        if there is not None and same_folder(there, path):
            if disks.get(path, {}).get("empty") is False:
                yield from _fixed(view, host, path, command)
        elif not command or "$" in (there or ""):
            where = f"its command in {program['file']} cannot be read" if not command else f"{there} is a variable"
            message = f"Where {program['name']} keeps its database is not known: {where}"
            remedy = "Compare it with node_base_path yourself, then accept this finding once."
            yield finding("NODE010", [host], "node", message, remedy, WARNING)
        elif "--tmp" not in command:
            kept = there or "the default folder of the user that it runs as"
            message = f"node_base_path is {path}, but {program['name']} keeps its database in {kept}"
            remedy = (
                "Set it to that folder; or stop the node, move the database yourself, and accept this finding once. An "
                "empty database syncs for days."
            )
            yield finding("NODE010", [host], "node", message, remedy)


def _fixed(view: View, host: str, path: str, command: Sequence[str]) -> Iterator[Finding]:
    """Judge what is fixed when a node's database is first created: pruning and chain."""
    extra = view.value(host, "node_extra_args") or []
    remedy = "Set it back, or move the database away: the node then syncs from the beginning."
    for kind in ("blocks", "state"):
        name = f"node_{kind}_pruning"
        wanted = option(extra, f"--{kind}-pruning") or view.value(host, name)
        there = option(command, f"--{kind}-pruning") or ""
        if wanted is not None and wanted != there:
            made = there or "the node's own default"
            message = f"{name} is {wanted or 'empty'}, but the database in {path} was made with {made}"
            yield finding("NODE008", [host], "node", message, remedy)
    chain, created_for = view.value(host, "cluster_chain"), option(command, "--chain")
    if chain and created_for and chain != created_for:
        message = f"cluster_chain is {chain}, but the database in {path} is of {created_for}"
        yield finding("NODE009", [host], "node", message, "Set it back, or give the node another node_base_path.")
