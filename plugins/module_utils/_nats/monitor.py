# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What the monitoring answers of a NATS server mean, and whether that server may be stopped now.

Only the leader of a raft group knows how far the other members are: a follower shows the meta group without
replicas, and every other follower of a stream as ``current: false, active: 0``. So the decision about a group is
always made from its leader's answer. And for ten seconds a replica that went away stays ``current``: with ``offline``
beside it when it was stopped, without any sign when it was killed or hangs. So a replica counts only when it is
current, not offline, routed and was heard lately.
"""

from __future__ import annotations

import re

JSZ = "/jsz?accounts=1&streams=1&consumers=1"
"""The question that lists every raft group of a server with its replicas as that server sees them."""

MAX_REASONS = 20

MAX_SILENCE = 5
"""Seconds since a replica was heard at most; leaders and followers exchange heartbeats every second."""

MAX_LAG = 1000
"""Entries that a replica may be behind at most; under load a few are always on their way."""

META_GROUP = "meta group"

_SIZE = re.compile(r"^(-?[0-9]+)([a-zA-Z]*)$")
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}


def parse_size(value):
    """Return the bytes that nats-server reads in a size: 3MB is 3 * 1024², but 3M is 3 * 1000².

    Raises ValueError for what the server refuses too, such as ``"3 MB"``, ``"3.5MB"`` or ``"10B"``.
    """
    match = _SIZE.match(str(value))
    if match:
        suffix = match.group(2).lower()
        if not suffix:
            return int(match.group(1))
        power = _POWERS.get(suffix[0])
        if power and suffix[1:] in ("", "b", "i", "ib"):
            return int(match.group(1)) * (1024 if suffix[1:] else 1000) ** power
    raise ValueError(f"{value!r} is not a size: use a whole number with or without K, KB, M, MB, G, GB, T or TB")


def routed_peers(routez):
    """Return ``{server name: IP address}`` of the servers with at least one route (pooling makes several each)."""
    peers = {}
    for route in routez.get("routes") or []:
        if route.get("remote_name"):
            peers.setdefault(route["remote_name"], route.get("ip"))
    return peers


def replica(entry):
    """Return one replica as its group's leader sees it; ``active`` is in seconds since it was heard."""
    return {
        "name": entry.get("name"),
        "current": bool(entry.get("current")),
        "offline": bool(entry.get("offline")),
        "lag": entry.get("lag", 0),
        "active": round((entry.get("active") or 0) / 1e9, 3),
    }


def raft_groups(jsz):
    """Return ``{name: {leader, size, replicas}}`` of the groups in a /jsz answer: meta group, streams, consumers.

    A stream or consumer that is alone on its server has the size 1 and no replicas. A server without a cluster
    has no groups.
    """
    groups = {}
    meta = jsz.get("meta_cluster")
    if meta:
        replicas = [replica(entry) for entry in meta.get("replicas") or []]
        size = max(meta.get("cluster_size") or 0, len(replicas) + 1)
        groups[META_GROUP] = {"leader": meta.get("leader") or None, "size": size, "replicas": replicas}
    for account in jsz.get("account_details") or []:
        for stream in account.get("stream_detail") or []:
            name = f"{account.get('name')}/{stream.get('name')}"
            _add_group(groups, f"stream {name}", stream.get("cluster"))
            for consumer in stream.get("consumer_detail") or []:
                _add_group(groups, f"consumer {name}/{consumer.get('name')}", consumer.get("cluster"))
    return groups


def _add_group(groups, name, cluster):
    if cluster:
        replicas = [replica(entry) for entry in cluster.get("replicas") or []]
        groups[name] = {"leader": cluster.get("leader") or None, "size": len(replicas) + 1, "replicas": replicas}


def leaders_to_ask(groups, server_name):
    """Return the names of the other servers that lead a replicated group of this server."""
    return sorted(
        {group["leader"] for group in groups.values() if group["size"] > 1 and group["leader"]} - {server_name}
    )


def leader_view(name, group, server_name, views):
    """Return ``(replicas, None)`` as the group's leader sees them, or ``(None, why they are unknown)``.

    ``views`` holds for each other leader its groups, or the reason why it could not be asked as a string.
    """
    leader = group["leader"]
    if not leader:
        return None, f"the {name} has no leader"
    if leader == server_name:
        return group["replicas"], None
    view = views.get(leader, "it was not asked")
    if not isinstance(view, dict):
        return None, f"the {name} is led by {leader}, and it is unknown how current its replicas are: {view}"
    if view.get(name, {}).get("leader") != leader:
        return None, f"the leader of the {name} is changing"
    return view[name]["replicas"], None


def stop_reasons(server_name, peers, routes, jetstream, groups, views, max_silence=MAX_SILENCE, max_lag=MAX_LAG):
    """Return why this server must not be stopped now; an empty list means that it may.

    It may be stopped when all configured ``peers`` are routed, the meta group has a leader, and every raft group
    that the server is in keeps a quorum of current replicas without it. A replica that its leader has not heard for
    ``max_silence`` seconds, or that is more than ``max_lag`` entries behind, does not count.
    """
    reasons = []
    if not jetstream:
        reasons.append(f"JetStream is not enabled on {server_name}, so there is no meta leader")
    configured = sorted(set(peers or [*list(routes), server_name]))
    if server_name not in configured:
        reasons.append(f"{server_name} is not one of the configured servers {', '.join(configured)}")
    if len(configured) == 1:
        reasons.append(f"{server_name} is the only server")
    elif len(configured) == 2:
        reasons.append("of two servers neither can be spared: the one that is left has no quorum")
    for peer in configured:
        if peer != server_name and peer not in routes:
            reasons.append(f"there is no route between {server_name} and {peer}")
    if jetstream and len(configured) > 1 and META_GROUP not in groups:
        reasons.append("there is no meta group")
    for name in sorted(groups, key=lambda key: (key != META_GROUP, key)):
        group = groups[name]
        if group["size"] == 1:
            continue
        replicas, unknown = leader_view(name, group, server_name, views)
        reason = unknown or _quorum_reason(
            name, group, replicas, server_name, lambda entry: _fault(entry, routes, max_silence, max_lag)
        )
        if reason:
            reasons.append(reason)
    if len(reasons) > MAX_REASONS:
        reasons[MAX_REASONS:] = [f"and {len(reasons) - MAX_REASONS} more"]
    return reasons


def _quorum_reason(name, group, replicas, server_name, fault_of):
    """Return why a group has no quorum of current replicas without this server, or None when it has one."""
    size = max(group["size"], len(replicas) + 1)
    quorum = size // 2 + 1
    others = [entry for entry in replicas if entry["name"] != server_name]
    states = {entry["name"]: fault_of(entry) for entry in others}
    left = sum(1 for fault in states.values() if not fault) + (group["leader"] != server_name)
    if left >= quorum:
        return None
    missing = ", ".join(f"{name} {fault}" for name, fault in sorted(states.items()) if fault)
    reason = f"the {name} needs {quorum} of its {size} replicas and without {server_name} would have {left}"
    return f"{reason}: {missing}" if missing else reason


def _fault(entry, routes, max_silence, max_lag):
    """Return why a replica does not count for a quorum, None when it does."""
    if entry["offline"]:
        return "is offline"
    if entry["name"] not in routes:
        return "has no route"
    if entry["active"] > max_silence:
        return f"was last heard {entry['active']:.0f} s ago"
    if entry["lag"] > max_lag or (entry["lag"] and not entry["current"]):
        return f"is {entry['lag']} entries behind"
    if not entry["current"]:
        return "is not current"
    return None


def unreachable(error):
    """Return the ``nats`` dictionary of a server that did not answer."""
    return reading({"error": error})


def reading(answers, peers=None, views=None, **thresholds):
    """Return the ``nats`` dictionary of one server.

    ``answers`` has the decoded ``varz``, ``healthz``, ``routez`` and ``jsz``, as far as they came, and ``error`` when
    one did not; ``peers`` are the names of all configured servers; ``views`` is described at `leader_view`, ``thresholds`` at `stop_reasons`.
    """
    varz, routez, jsz = (answers.get(key) or {} for key in ("varz", "routez", "jsz"))
    healthz = answers.get("healthz") or {}
    error = answers.get("error")
    name = varz.get("server_name")
    routes = routed_peers(routez)
    groups = raft_groups(jsz)
    meta = groups.get(META_GROUP, {"leader": None, "size": None, "replicas": []})
    jetstream = bool(jsz) and not jsz.get("disabled")
    meta_replicas = leader_view(META_GROUP, meta, name, views or {})[0] or []
    reasons = [error] if error else stop_reasons(name, peers, routes, jetstream, groups, views or {}, **thresholds)
    return {
        "reachable": bool(varz),
        "error": error,
        "server_name": name,
        "cluster_name": (varz.get("cluster") or {}).get("name"),
        "version": varz.get("version"),
        "config_load_time": varz.get("config_load_time"),
        "healthy": healthz.get("status") == "ok",
        "health_error": None if healthz.get("status") == "ok" else healthz.get("error") or error,
        "max_payload": varz.get("max_payload"),
        "jetstream": jetstream,
        "store_dir": (jsz.get("config") or {}).get("store_dir"),
        "routes": sorted(routes),
        "meta_leader": meta["leader"],
        "meta_size": meta["size"],
        "meta_replicas": sorted(meta_replicas, key=lambda entry: entry["name"] or ""),
        "unreplicated": sorted(key for key, group in groups.items() if group["size"] == 1 and key != META_GROUP),
        "slow_consumers": varz.get("slow_consumers"),
        "connections": varz.get("connections"),
        "safe_to_stop": not reasons,
        "reasons": reasons,
    }
