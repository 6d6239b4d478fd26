# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Whether a NATS server may be stopped now: every raft group that it is in must keep a quorum without it.

For ten seconds a replica that went away stays ``current``: with ``offline`` beside it when it was stopped, without any
sign when it was killed or hangs. So a replica counts only when it is current, not offline, routed and was heard lately.
"""

from __future__ import annotations

from typing import Collection, Dict, Mapping, NamedTuple, Sequence, TypedDict, Union

MAX_REASONS = 20

MAX_SILENCE = 5.0
"""Seconds since a replica was heard at most; leaders and followers exchange heartbeats every second."""

MAX_LAG = 1000
"""Entries that a replica may be behind at most; under load a few are always on their way."""

META_GROUP = "meta group"


class Replica(TypedDict):
    """A member of a raft group as its leader sees it; ``active`` is in seconds, None when the leader does not tell."""

    name: str | None
    current: bool
    offline: bool
    lag: int
    active: float | None


class Group(TypedDict):
    """A raft group: its leader, the number of its members, and the others as the leader sees them."""

    leader: str | None
    size: int
    replicas: list[Replica]


Groups = Dict[str, Group]

Views = Mapping[str, Union[Groups, str]]
"""For each other leader its groups, or the reason why it could not be asked."""


class Thresholds(NamedTuple):
    """From when on a replica does not count: seconds of silence, and entries that it is behind."""

    max_silence: float = MAX_SILENCE
    max_lag: int = MAX_LAG


def leaders_to_ask(groups: Groups, server_name: str | None) -> list[str]:
    """Return the names of the other servers that lead a replicated group of this server."""
    leaders = {group["leader"] for group in groups.values() if group["size"] > 1}
    return sorted(leader for leader in leaders if leader and leader != server_name)


def leader_view(
    name: str, group: Group, server_name: str | None, views: Views
) -> tuple[list[Replica] | None, str | None]:
    """Return ``(replicas, None)`` as the group's leader sees them, or ``(None, why they are unknown)``."""
    leader = group["leader"]
    if not leader:
        return None, f"the {name} has no leader"
    if leader == server_name:
        return group["replicas"], None
    view = views.get(leader, "it was not asked")
    if isinstance(view, str):
        return None, f"the {name} is led by {leader}, and it is unknown how current its replicas are: {view}"
    seen = view.get(name)
    if not seen or seen["leader"] != leader:
        return None, f"the leader of the {name} is changing"
    return seen["replicas"], None


def stop_reasons(
    server_name: str | None,
    peers: Sequence[str] | None,
    routes: Collection[str],
    jetstream: bool,
    groups: Groups,
    views: Views,
    thresholds: Thresholds | None = None,
    sick: str | None = None,
) -> list[str]:
    """Return why this server must not be stopped now; an empty list means that it may. ``sick`` says what ails it.

    It may be stopped when all configured ``peers`` are routed, the meta group has a leader, and every raft group
    that the server is in keeps a quorum of current replicas without it. It must be healthy itself: what ails it already
    would be taken for a fault of its next start.
    """
    reasons = [f"{server_name} is not healthy before anything is done to it: {sick}"] if sick else []
    if not jetstream:
        reasons.append(f"JetStream is not enabled on {server_name}, so there is no meta leader")
    configured = sorted(set(peers or [*routes, *([server_name] if server_name else [])]))
    if server_name not in configured:
        reasons.append(f"{server_name} is not one of the configured servers {', '.join(configured)}")
    if len(configured) == 1:
        reasons.append(f"{server_name} is the only server")
    elif len(configured) == 2:
        reasons.append("of two servers none can be spared: the one that is left has no quorum")
    missing = [peer for peer in configured if peer != server_name and peer not in routes]
    reasons += [f"there is no route between {server_name} and {peer}" for peer in missing]
    if jetstream and len(configured) > 1 and META_GROUP not in groups:
        reasons.append("there is no meta group")
    limits = thresholds or Thresholds()
    for name in sorted(groups, key=lambda key: (key != META_GROUP, key)):
        if groups[name]["size"] > 1:
            replicas, unknown = leader_view(name, groups[name], server_name, views)
            reason = unknown or _quorum_reason(name, groups[name], replicas or [], server_name, routes, limits)
            reasons += [reason] if reason else []
    if len(reasons) > MAX_REASONS:
        reasons[MAX_REASONS:] = [f"and {len(reasons) - MAX_REASONS} more"]
    return reasons


def _quorum_reason(
    name: str,
    group: Group,
    replicas: Sequence[Replica],
    server_name: str | None,
    routes: Collection[str],
    limits: Thresholds,
) -> str | None:
    """Return why a group has no quorum of current replicas without this server, or None when it has one."""
    size = max(group["size"], len(replicas) + 1)
    quorum = size // 2 + 1
    faults = {entry["name"] or "?": _fault(entry, routes, limits) for entry in replicas if entry["name"] != server_name}
    left = sum(1 for fault in faults.values() if not fault) + (group["leader"] != server_name)
    if left >= quorum:
        return None
    missing = ", ".join(f"{replica} {fault}" for replica, fault in sorted(faults.items()) if fault)
    reason = f"the {name} needs {quorum} of its {size} replicas and without {server_name} would have {left}"
    return f"{reason}: {missing}" if missing else reason


def _fault(entry: Replica, routes: Collection[str], limits: Thresholds) -> str | None:
    """Return why a replica does not count for a quorum, None when it does."""
    if entry["offline"]:
        return "is offline"
    if entry["name"] not in routes:
        return "has no route"
    if entry["active"] is None:
        return "was heard nobody knows when"
    if entry["active"] > limits.max_silence:
        return f"was last heard {entry['active']:.0f} s ago"
    if entry["lag"] > limits.max_lag or (entry["lag"] and not entry["current"]):
        return f"is {entry['lag']} entries behind"
    if not entry["current"]:
        return "is not current"
    return None
