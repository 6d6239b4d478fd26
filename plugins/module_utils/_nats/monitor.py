# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What the monitoring answers of a NATS server mean.

Only the leader of a raft group knows how far the other members are: a follower shows the meta group without
replicas, and every other follower of a stream as ``current: false, active: 0``. So the replicas of a group are always
those of its leader's answer.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence, TypedDict

from .._foreign import reads_foreign
from .._kinds import flag, items, mapping, number, text, whole
from .quorum import META_GROUP, Group, Groups, Replica, Thresholds, Views, leader_view, stop_reasons

JSZ = "/jsz?accounts=1&streams=1&consumers=1"
"""The question that lists every raft group of a server with its replicas as that server sees them."""

PATHS = {"varz": "/varz", "healthz": "/healthz", "routez": "/routez", "jsz": JSZ}
"""All questions by the names of their answers, in the order in which they are asked."""

Answers = Mapping[str, Dict[str, Any]]
"""Decoded answers by the names of `PATHS`, as far as they came."""


class Nats(TypedDict):
    """The state of one server, as nats_info returns it."""

    reachable: bool
    error: str | None
    server_name: str | None
    cluster_name: str | None
    version: str | None
    config_load_time: str | None
    healthy: bool
    health_error: str | None
    max_payload: int | None
    jetstream: bool
    store_dir: str | None
    store_bytes: int | None
    store_max_bytes: int | None
    routes: list[str]
    meta_leader: str | None
    meta_size: int | None
    meta_replicas: list[Replica]
    streams: int | None
    unreplicated: list[str]
    slow_consumers: int | None
    connections: int | None
    safe_to_stop: bool
    reasons: list[str]


@reads_foreign
def routed_peers(routez: Mapping[str, Any]) -> dict[str, str | None]:
    """Return ``{server name: IP address}`` of the servers with at least one route (pooling makes several each)."""
    peers: dict[str, str | None] = {}
    for route in items(routez, "routes"):
        name = text(route, "remote_name")
        if name:
            peers.setdefault(name, text(route, "ip"))
    return peers


def replica(entry: Mapping[str, Any]) -> Replica:
    """Return one replica as its group's leader sees it; ``active`` is in seconds since it was heard.

    NATS leaves ``lag`` and ``offline`` out when there is none; ``active`` it always tells.
    """
    active = number(entry, "active")
    return {
        "name": text(entry, "name"),
        "current": bool(flag(entry, "current")),
        "offline": bool(flag(entry, "offline")),
        "lag": whole(entry, "lag") or 0,
        "active": None if active is None else round(active / 1e9, 3),
    }


@reads_foreign
def raft_groups(jsz: Mapping[str, Any]) -> Groups:
    """Return ``{name: {leader, size, replicas}}`` of the groups in a /jsz answer: meta group, streams, consumers.

    A stream or consumer that is alone on its server has the size 1 and no replicas. A server without a cluster
    has no groups. Raises KindError for an answer that NATS does not give.
    """
    groups: Groups = {}
    meta = mapping(jsz, "meta_cluster")
    if meta:
        groups[META_GROUP] = _group(meta, whole(meta, "cluster_size") or 0)
    for account in items(jsz, "account_details"):
        for stream in items(account, "stream_detail"):
            name = f"{text(account, 'name')}/{text(stream, 'name')}"
            _add_group(groups, f"stream {name}", stream)
            for consumer in items(stream, "consumer_detail"):
                _add_group(groups, f"consumer {name}/{text(consumer, 'name')}", consumer)
    return groups


def _add_group(groups: Groups, name: str, asset: Mapping[str, Any]) -> None:
    cluster = mapping(asset, "cluster")
    if cluster:
        groups[name] = _group(cluster, 0)


def _group(cluster: Mapping[str, Any], size: int) -> Group:
    replicas = [replica(entry) for entry in items(cluster, "replicas")]
    return {"leader": text(cluster, "leader") or None, "size": max(size, len(replicas) + 1), "replicas": replicas}


def unreachable(error: str) -> Nats:
    """Return the ``nats`` dictionary of a server that did not answer."""
    return reading({}, error=error)


@reads_foreign
def reading(
    answers: Answers,
    peers: Sequence[str] | None = None,
    views: Views | None = None,
    thresholds: Thresholds | None = None,
    error: str | None = None,
) -> Nats:
    """Return the ``nats`` dictionary of one server.

    ``peers`` are the names of all configured servers, ``error`` says why not all answers came. Raises KindError for
    answers that NATS does not give.
    """
    varz, routez, jsz, healthz = (mapping(answers, key) for key in ("varz", "routez", "jsz", "healthz"))
    name = text(varz, "server_name")
    routes = routed_peers(routez)
    groups = raft_groups(jsz)
    meta: Group = groups.get(META_GROUP, {"leader": None, "size": 0, "replicas": []})
    jetstream = bool(jsz) and not flag(jsz, "disabled")
    meta_replicas = leader_view(META_GROUP, meta, name, views or {})[0] or []
    healthy = text(healthz, "status") == "ok"
    sick = None if healthy or "healthz" not in answers else text(healthz, "error") or "it does not tell what is wrong"
    reasons = [error] if error else stop_reasons(name, peers, routes, jetstream, groups, views or {}, thresholds, sick)
    return {
        "reachable": bool(varz),
        "error": error,
        "server_name": name,
        "cluster_name": text(mapping(varz, "cluster"), "name"),
        "version": text(varz, "version"),
        "config_load_time": text(varz, "config_load_time"),
        "healthy": healthy,
        "health_error": None if healthy else text(healthz, "error") or error,
        "max_payload": whole(varz, "max_payload"),
        "jetstream": jetstream,
        "store_dir": text(mapping(jsz, "config"), "store_dir"),
        "store_bytes": whole(jsz, "storage"),
        "store_max_bytes": whole(mapping(jsz, "config"), "max_storage"),
        "routes": sorted(routes),
        "meta_leader": meta["leader"],
        "meta_size": meta["size"] or None,
        "meta_replicas": sorted(meta_replicas, key=lambda entry: entry["name"] or ""),
        "streams": whole(jsz, "streams"),
        "unreplicated": sorted(key for key, group in groups.items() if group["size"] == 1 and key != META_GROUP),
        "slow_consumers": whole(varz, "slow_consumers"),
        "connections": whole(varz, "connections"),
        "safe_to_stop": not reasons,
        "reasons": reasons,
    }
