# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The first start of a server: whether the JetStream meta group takes it in.

Empty servers that start within 0.1 s of each other can form a meta group without one of them, and that stays so until
the one that is left out is restarted. It calls itself healthy meanwhile; only the leader tells who is in the group.
"""

from __future__ import annotations

import time
from typing import Callable, Collection, NamedTuple

from .monitor import Nats

# Seconds for which a group must have lacked a server. One that is complete has become so within three, under load six.
PATIENCE_S = 5.0
PAUSE_S = 0.25
MOST_RESTARTS = 3


class Watched(NamedTuple):
    """Whether the meta group has the server now, and how often it was restarted for that."""

    member: bool
    restarts: int


def members(nats: Nats) -> set[str | None]:
    """Return the names of the servers in the meta group, as far as its leader could be asked."""
    if not nats["meta_leader"] or not nats["meta_replicas"]:
        return set()
    return {nats["meta_leader"], *(replica["name"] for replica in nats["meta_replicas"])}


def is_left_out(nats: Nats) -> bool:
    """Return whether a meta group has formed without this server, which holds no stream that a restart could touch."""
    group = members(nats)
    return bool(group) and nats["server_name"] not in group and nats["streams"] == 0


def watch(
    ask: Callable[[], Nats],
    restart: Callable[[], object],
    awaited: Collection[str],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Watched:
    """Wait until the meta group has all *awaited* servers, and restart this one if the group does without it."""
    began = clock()
    left_out: float | None = None
    restarts = 0
    while True:
        nats = ask()
        member = nats["server_name"] in members(nats)
        now = clock()
        if (member and members(nats) >= set(awaited)) or now - began >= timeout:
            return Watched(member, restarts)
        left_out = (now if left_out is None else left_out) if is_left_out(nats) else None
        if left_out is not None and now - left_out >= PATIENCE_S and restarts < MOST_RESTARTS:
            restart()
            restarts += 1
            left_out = None
        sleep(PAUSE_S)
