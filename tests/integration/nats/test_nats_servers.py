# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal
import time

from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import ask_server
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.quorum import Thresholds

PEERS = ["node-1", "node-2", "node-3"]


def ask(cluster, name):
    return ask_server(cluster.url(name), cluster.names, cluster.urls(), 5)


def until(cluster, name, condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        result = ask(cluster, name)
        if condition(result):
            return result
        assert time.monotonic() < end, result
        time.sleep(0.2)


def caught_up(replicas):
    return len(replicas) == len(PEERS) - 1 and all(entry["current"] and not entry["offline"] for entry in replicas)


def test_a_server_stops_is_missed_and_comes_back(cluster):
    for name in PEERS:
        result = until(cluster, name, lambda result: result["safe_to_stop"] and result["healthy"])
        assert result["meta_size"] == 3 and result["max_payload"] == 3145728
    leader = result["meta_leader"]

    cluster.stop(leader)
    assert not ask(cluster, leader)["reachable"]
    left = [name for name in PEERS if name != leader]
    # At once, when the others have noticed nothing but the lost route, and later when they have elected another.
    for name in left:
        assert not until(cluster, name, lambda result: leader not in result["routes"], seconds=5)["safe_to_stop"]
    for name in left:
        result = until(cluster, name, lambda result: result["meta_leader"] not in (None, leader))
        assert not result["safe_to_stop"]

    cluster.start(leader)
    # Whether a server itself has caught up says nothing about the others without it: it is waited for by itself.
    for name in PEERS:
        until(cluster, name, lambda result: result["safe_to_stop"] and caught_up(result["meta_replicas"]))


def test_the_promise_holds(cluster):
    """What safe_to_stop says is tried: without a server that was safe to stop messages are stored, not without two."""
    first, second, last = PEERS
    until(cluster, first, lambda result: result["safe_to_stop"])
    cluster.stop(first)
    assert cluster.publish(last, attempts=50)
    until(cluster, last, lambda result: result["meta_leader"] in (second, last))
    for name in (second, last):
        assert not until(cluster, name, lambda result: first not in result["routes"])["safe_to_stop"]
    cluster.stop(second)
    assert not cluster.publish(last, attempts=2)


def test_lame_duck_mode_hands_the_leadership_over_before_the_server_ends(cluster):
    """What supervisord's stop signal relies on: leadership is handed over unasked, and sooner than by an election."""
    leader = ask(cluster, PEERS[0])["meta_leader"]
    other = next(name for name in PEERS if name != leader)
    until(cluster, leader, lambda result: result["safe_to_stop"])
    cluster.processes[leader].send_signal(signal.SIGUSR2)
    until(cluster, other, lambda result: result["meta_leader"] not in (None, leader), seconds=3)
    # A follower of the new leader needs a moment to catch up with it.
    until(cluster, other, lambda result: result["healthy"])
    # It needs the cluster no longer, and ends by itself.
    assert cluster.processes[leader].wait(60) in (0, 1)


def test_the_thresholds_are_those_that_are_asked_for(cluster):
    result = until(cluster, PEERS[0], lambda result: result["safe_to_stop"])
    strict = ask_server(cluster.url(PEERS[0]), cluster.names, cluster.urls(), 5, Thresholds(max_silence=0))
    assert not strict["safe_to_stop"] and result["config_load_time"]
    assert "was last heard" in " ".join(strict["reasons"])


def test_a_single_server(single):
    result = ask(single, "node-1")
    assert result["healthy"]
    assert result["reasons"] == ["node-1 is the only server"]


def test_the_leaders_are_found_by_their_routes(cluster):
    """Without URLs a peer is asked at its route's address and the same port, which here is the server itself."""
    leader = ask(cluster, "node-1")["meta_leader"]
    follower = next(name for name in PEERS if name != leader)
    result = ask_server(cluster.url(follower), PEERS, {}, 5)
    assert not result["safe_to_stop"]
    assert any("meta group" in reason for reason in result["reasons"])
