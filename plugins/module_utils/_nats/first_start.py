# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The first start of a server: whether the JetStream meta group takes it in.

Empty servers that start within 0.1 s of each other can form a meta group without one of them, or find no leader, since
each begins with the members that it knows of at that moment. Either stays so until a server is restarted: the one that
is left out, or, where there is no leader, one after another until there is. A server that is left out calls itself
healthy; only the leader tells who is in the group.
"""

from __future__ import annotations

import time
from typing import Callable, Collection, NamedTuple

from .monitor import Nats

# Seconds until a group is taken for what it is. Of those that became complete by themselves most had a leader within
# three, and all members at nearly the same time.
LEFT_OUT_S = 4.0
LEADERLESS_S = 7.0
# Seconds between the restarts of two servers where there is no leader.
TURN_S = 5.0
PAUSE_S = 0.25
MOST_RESTARTS = 3

LEFT_OUT = "the JetStream meta group had formed without it"
LEADERLESS = "the servers had found no leader of the JetStream meta group"


class Watched(NamedTuple):
    """Whether the meta group has the server now, and how often it was restarted for that."""

    member: bool
    restarts: int


def members(nats: Nats) -> set[str | None]:
    """Return the names of the servers in the meta group, as far as its leader could be asked."""
    if not nats["meta_leader"] or not nats["meta_replicas"]:
        return set()
    return {nats["meta_leader"], *(replica["name"] for replica in nats["meta_replicas"])}


def fault_of(nats: Nats, awaited: Collection[str]) -> str | None:
    """Return what a restart of this server may mend, None if nothing; one that holds a stream is left alone."""
    name, group = nats["server_name"], members(nats)
    if name is None or nats["streams"] != 0:
        return None
    if group:
        return None if name in group else LEFT_OUT
    whole = {name, *nats["routes"]} >= set(awaited)
    return LEADERLESS if whole and not nats["meta_leader"] else None


def patience(fault: str, name: str | None, awaited: Collection[str], restarts: int) -> float:
    """Return for how many seconds a fault must be seen before this server is restarted (again)."""
    if fault == LEFT_OUT:
        return LEFT_OUT_S
    turns = sorted(awaited, reverse=True)
    turn = turns.index(name) if name in turns else len(turns)
    return LEADERLESS_S + TURN_S * (turn + restarts * len(turns))


def watch(
    ask: Callable[[], Nats],
    restart: Callable[[str], object],
    awaited: Collection[str],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Watched:
    """Wait until the meta group has all *awaited* servers, and restart this one, saying why, where that is the way."""
    began = clock()
    since: dict[str, float] = {}
    restarts = 0
    while True:
        nats = ask()
        name, group, now = nats["server_name"], members(nats), clock()
        if (name in group and group >= set(awaited)) or now - began >= timeout:
            return Watched(name in group, restarts)
        fault = fault_of(nats, awaited)
        if fault != LEFT_OUT:
            since.pop(LEFT_OUT, None)
        # While another server restarts, there still is no leader.
        if nats["meta_leader"]:
            since.pop(LEADERLESS, None)
        if fault:
            seen = now - since.setdefault(fault, now)
            if seen >= patience(fault, name, awaited, restarts) and restarts < MOST_RESTARTS:
                restart(fault)
                restarts += 1
                since.pop(LEFT_OUT, None)
        sleep(PAUSE_S)
