# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Asking an autonomys-node, and what its JSON-RPC answers mean: results to one flat dictionary."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence, TypedDict, TypeVar

from ._foreign import reads_foreign
from ._http import HttpError, JsonClient
from ._kinds import KindError, flag, mapping, text, whole

METHODS = ("system_chain", "system_version", "system_health", "system_syncState", "subspace_getFarmerAppInfo")
"""The questions, all of them safe methods. The last one says most; a node that lacks it is no farming node."""

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read at most: a block of the chain has five million, in hexadecimal digits."""

_MAX_WORDS = 300

Value = TypeVar("Value")


class RpcError(Exception):
    """The node answered a method with an error."""


class Node(TypedDict):
    """What a node says about itself, as node_info returns it; what it did not tell is None."""

    reachable: bool
    error: str | None
    chain: str | None
    version: str | None
    peers: int | None
    syncing: bool | None
    best: int | None
    target: int | None
    pieces_in_sector: int | None
    history_segments: int | None
    archive: bool | None
    genesis_hash: str | None


def ask_node(url: str, timeout: float, archive: bool = False) -> Node:
    """Ask every question over one connection, each within ``timeout``; the first that gets no HTTP answer ends it."""
    try:
        client = JsonClient(url, timeout, MAX_ANSWER)
    except HttpError as error:
        return unreachable(str(error))
    results: dict[str, Any] = {}
    errors = []
    try:
        for method in METHODS:
            try:
                results[method] = ask(client, method)
            except RpcError as error:
                errors.append(str(error))
        if archive:
            try:
                first = ask(client, "chain_getBlockHash", 1)
                results["chain_getBlock"] = ask(client, "chain_getBlock", first)
            except RpcError as error:
                errors.append(str(error))
    except HttpError as error:
        return unreachable(str(error))
    finally:
        client.close()
    # Something that answers no question at all is no node.
    return reading(results, errors) if results else unreachable(errors[0])


def ask(client: JsonClient, method: str, *params: object) -> Any:
    """Return the result of one method."""
    return result(method, *client.ask("", request(method, params)))


def request(method: str, params: Sequence[object] = ()) -> dict[str, Any]:
    """Return the JSON-RPC request body of a method."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}


@reads_foreign
def result(method: str, status: int, answer: Mapping[str, Any]) -> Any:
    """Return the result in a decoded answer; raise RpcError when it carries an error or is no JSON-RPC answer."""
    if "result" in answer:
        return answer["result"]
    error = answer.get("error")
    if isinstance(error, dict):
        words = f"{error.get('message')} (code {error.get('code')})"
        raise RpcError(f"{method}: {words[:_MAX_WORDS]}")
    raise RpcError(f"{method}: the answer (HTTP status {status}) is no JSON-RPC answer")


@reads_foreign
def genesis_hash(value: object) -> str | None:
    """Return a hash that nodes spell as hex with or without 0x, or as a list of bytes, in the form 0x…; else None."""
    if isinstance(value, list):
        try:
            value = bytes(value).hex()
        except (TypeError, ValueError):
            return None
    if not isinstance(value, str) or not value:
        return None
    value = value.lower()
    return value if value.startswith("0x") else f"0x{value}"


def unreachable(error: str) -> Node:
    """Return the answer for a node that could not be asked."""
    return reading({}, [error], reachable=False)


@reads_foreign
def reading(results: Mapping[str, Any], errors: Sequence[str] = (), reachable: bool = True) -> Node:
    """Return the ``node`` dictionary of the results by method.

    A result of ``chain_getBlock`` is the first block of the chain, null when the node does not have its body.
    What is of a kind that it cannot have counts as not told, and is named beside the ``errors``.
    """
    faults = list(errors)

    def told(kind: Callable[[Mapping[str, Any], str], Value], parent: Mapping[str, Any], key: str) -> Value | None:
        try:
            return kind(parent, key)
        except KindError as error:
            faults.append(str(error))
            return None

    health = told(mapping, results, "system_health") or {}
    sync = told(mapping, results, "system_syncState") or {}
    farmer = told(mapping, results, "subspace_getFarmerAppInfo") or {}
    protocol = told(mapping, farmer, "protocolInfo") or {}
    syncing = told(flag, health, "isSyncing")
    if syncing is None:
        syncing = told(flag, farmer, "syncing")
    chain, version = (told(text, results, method) for method in ("system_chain", "system_version"))
    peers, best = told(whole, health, "peers"), told(whole, sync, "currentBlock")
    target, pieces = told(whole, sync, "highestBlock"), told(whole, protocol, "maxPiecesInSector")
    segments = told(whole, protocol, "historySize")
    return {
        "reachable": reachable,
        "error": "; ".join(faults) or None,
        "chain": chain,
        "version": version,
        "peers": peers,
        "syncing": syncing,
        "best": best,
        "target": target,
        "pieces_in_sector": pieces,
        "history_segments": segments,
        "archive": results["chain_getBlock"] is not None if "chain_getBlock" in results else None,
        "genesis_hash": genesis_hash(farmer.get("genesisHash")),
    }
