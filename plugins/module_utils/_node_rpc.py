# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What the HTTP answers of an autonomys-node mean: JSON-RPC results to one flat dictionary."""

from __future__ import annotations

METHODS = ("system_chain", "system_version", "system_health", "system_syncState", "subspace_getFarmerAppInfo")
"""The questions, all of them safe methods. The last one says most; a node that lacks it is no farming node."""


class RpcError(Exception):
    """The node answered a method with an error."""


def request(method, number=1, params=()):
    """Return the JSON-RPC request body of a method."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def result(method, status, answer):
    """Return the result in a decoded answer; raise RpcError when it carries an error or is no JSON-RPC answer."""
    if "result" in answer:
        return answer["result"]
    error = answer.get("error")
    if isinstance(error, dict):
        raise RpcError(f"{method}: {error.get('message')} (code {error.get('code')})")
    raise RpcError(f"{method}: the answer (HTTP status {status}) is no JSON-RPC answer")


def genesis_hash(value):
    """Return a hash that nodes spell as hex with or without 0x, or as a list of bytes, in the form 0x…; else None."""
    if isinstance(value, list):
        try:
            value = bytes(value).hex()
        except (TypeError, ValueError):
            return None
    if not isinstance(value, str) or not value:
        return None
    value = value.lower()
    return value if value.startswith("0x") else "0x" + value


def unreachable(error):
    """Return the answer for a node that could not be asked."""
    return reading({}, error=error, reachable=False)


def reading(results, error=None, reachable=True):
    """Return the ``node`` dictionary of the results by method; what a node did not tell is None.

    A result of ``chain_getBlock`` is the first block of the chain, null when the node does not have its body (any more).
    """
    health = _mapping(results.get("system_health"))
    sync = _mapping(results.get("system_syncState"))
    farmer = _mapping(results.get("subspace_getFarmerAppInfo"))
    syncing = health.get("isSyncing")
    if syncing is None:
        syncing = farmer.get("syncing")
    return {
        "reachable": reachable,
        "error": error,
        "chain": results.get("system_chain"),
        "version": results.get("system_version"),
        "peers": health.get("peers"),
        "syncing": syncing,
        "best": sync.get("currentBlock"),
        "target": sync.get("highestBlock"),
        "pieces_in_sector": _mapping(farmer.get("protocolInfo")).get("maxPiecesInSector"),
        "history_segments": _mapping(farmer.get("protocolInfo")).get("historySize"),
        "archive": results["chain_getBlock"] is not None if "chain_getBlock" in results else None,
        "genesis_hash": genesis_hash(farmer.get("genesisHash")),
    }


def _mapping(value):
    return value if isinstance(value, dict) else {}
