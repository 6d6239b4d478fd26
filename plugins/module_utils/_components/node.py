# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The nodes of the Autonomys network that the controllers talk to."""

from __future__ import annotations

from typing import Any

from . import names
from .common import Component, Facts, Folder, Programs, Service, Settings, ShortestStop, make_program, release_binary


def _build(s: Settings, facts: Facts) -> Programs:
    command = [release_binary(s, names.NODE), "run", "--base-path", s["node_base_path"], "--farmer"]
    command += ["--rpc-listen-on", f"{s['node_rpc_address']}:{s['node_rpc_port']}"]
    command += ["--chain", s["cluster_chain"], "--sync", s["node_sync"]]
    command += ["--rpc-methods", s["node_rpc_methods"], "--rpc-cors", s["node_rpc_cors"]]
    for option in ("blocks", "state"):
        pruning = s[f"node_{option}_pruning"]
        if pruning:
            command += [f"--{option}-pruning", pruning]
    program = make_program(s, "node", names.NODE, command + s["node_extra_args"])
    program["state_directories"] = [s["node_base_path"]]
    yield program, {"listening": [s["node_rpc_port"]]}


def _ask(s: Settings) -> dict[str, Any]:
    rpc = f"http://127.0.0.1:{s['node_rpc_port']}"
    return {
        "node": {"url": rpc, "chain": s["cluster_chain"], "min_peers": s["node_min_peers"], "synced": True},
    }


def _application(s: Settings) -> dict[str, Any]:
    # A first synchronization takes days, and is no fault.
    return {"node": {**_ask(s)["node"], "synced": False}}


COMPONENT = Component(
    name="node",
    build=_build,
    binary=names.NODE,
    file=names.NODE,
    service=Service("node_rpc_port", "node_rpc_url"),
    without="the controllers have no node",
    needs="one",
    stopping=True,
    ask=_ask,
    application=_application,
    ports=("node_rpc_port",),
    # Upstream's defaults.
    p2p_ports=(30333, 30433),
    folders=(Folder("node_base_path", int(0.9 * 500 * 2**30)),),
    shortest_stop=ShortestStop(30, "a node closes its database first"),
)
