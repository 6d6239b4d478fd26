# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import re

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import raft_groups, reading
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.quorum import MAX_REASONS
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._nats.servers import (
    PEERS,
    clusters,
    meta_leader,
    recorded,
    view,
)
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("scenario", "current", "offline", "fault"),
    [
        ("one_stopped", True, True, "is offline"),
        ("one_killed", True, False, "has no route"),
        ("one_gone", False, False, "has no route"),
    ],
)
def test_no_other_server_may_stop_when_one_is_down(scenario, current, offline, fault):
    answers = recorded(scenario)
    gone = next(name for name in PEERS if name not in answers)
    for name in answers:
        # Also when nobody says which servers are configured: the groups know who is missing.
        for peers in (PEERS, list(answers)):
            result = view(answers, name, peers)
            assert not result["safe_to_stop"]
            assert (
                f"the meta group needs 2 of its 3 replicas and without {name} would have 1: {gone} {fault}"
                in result["reasons"]
            )
        assert f"there is no route between {name} and {gone}" in view(answers, name)["reasons"]
        # The server itself calls this healthy.
        assert result["healthy"]
    entry = next(entry for entry in result["meta_replicas"] if entry["name"] == gone)
    assert (entry["current"], entry["offline"]) == (current, offline)


def test_a_server_without_a_meta_leader():
    answers = recorded("no_leader")
    result = view(answers, "node-1")
    assert not result["healthy"]
    assert result["health_error"] == "JetStream has not established contact with a meta leader"
    assert result["meta_leader"] is None
    assert result["meta_size"] == 3
    assert result["reasons"] == [
        "node-1 is not healthy before anything is done to it: JetStream has not established contact with a meta leader",
        "there is no route between node-1 and node-2",
        "there is no route between node-1 and node-3",
        "the meta group has no leader",
    ]


def test_a_single_server_is_healthy_and_never_safe_to_stop():
    result = view(recorded("single"), "node-1", ["node-1"])
    assert result["healthy"] and result["jetstream"]
    assert result["reasons"] == ["node-1 is the only server"]
    assert (result["meta_leader"], result["meta_size"], result["meta_replicas"]) == (None, None, [])


def test_a_peer_that_is_configured_and_was_never_seen():
    result = view(recorded("healthy"), "node-1", [*PEERS, "node-4"])
    assert result["reasons"] == ["there is no route between node-1 and node-4"]


def test_without_the_configured_peers_the_routed_ones_count():
    answers = recorded("healthy")["node-1"]
    leader = meta_leader(recorded("healthy"))
    views = {name: raft_groups(recorded("healthy")[name]["jsz"]) for name in PEERS if name != "node-1"}
    assert leader in PEERS
    assert reading(answers, None, views)["safe_to_stop"]
    answers["routez"]["routes"] = []
    assert "node-1 is the only server" in reading(answers, None, views)["reasons"]


def test_of_two_servers_none_may_stop():
    result = view(recorded("healthy"), "node-1", ["node-1", "node-2"])
    assert "of two servers none can be spared: the one that is left has no quorum" in result["reasons"]


def test_a_renamed_server_is_noticed():
    result = view(recorded("healthy"), "node-1", ["old-1", "node-2", "node-3"])
    assert "node-1 is not one of the configured servers node-2, node-3, old-1" in result["reasons"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current": False, "lag": 12}, "is 12 entries behind"),
        ({"current": True, "lag": 1001}, "is 1001 entries behind"),
        ({"current": False}, "is not current"),
        ({"current": True, "offline": True}, "is offline"),
        ({"current": True, "active": 7 * 10**9}, "was last heard 7 s ago"),
        ({"current": True, "active": None}, "was heard nobody knows when"),
        ({"current": None}, "is not current"),
    ],
)
def test_a_replica_that_is_behind_protects_the_others(change, words):
    """Of the stream's three servers one is behind: it may be stopped itself, the other two may not."""
    answers = recorded("healthy")
    stream = next(cluster for cluster in clusters(answers) if cluster.get("leader_since"))
    entry = stream["replicas"][0]
    entry.update(change)
    behind = entry["name"]
    for name in PEERS:
        result = view(answers, name)
        assert result["safe_to_stop"] == (name == behind)
        assert name == behind or re.search(f"without {name} would have 1: {behind} {words}$", result["reasons"][0])


def test_a_ghost_in_the_meta_group_raises_the_quorum():
    answers = recorded("healthy")
    meta = answers[meta_leader(answers)]["jsz"]["meta_cluster"]
    meta["cluster_size"] = 4
    meta["replicas"].append({"name": "renamed", "current": False, "offline": True, "active": 9 * 10**15})
    for name in PEERS:
        assert view(answers, name)["reasons"] == [
            f"the meta group needs 3 of its 4 replicas and without {name} would have 2: renamed is offline"
        ]


def test_five_servers_can_miss_one_that_is_behind():
    answers = {"varz": {"server_name": "n1"}, "routez": {"routes": [{"remote_name": f"n{i}"} for i in range(2, 6)]}}
    replicas = [{"name": f"n{number}", "current": number != 5, "active": 0} for number in range(2, 6)]
    answers["jsz"] = {"meta_cluster": {"leader": "n1", "cluster_size": 5, "replicas": replicas}}
    peers = [f"n{number}" for number in range(1, 6)]
    assert reading(answers, peers, {})["safe_to_stop"]
    replicas[0]["current"] = False
    assert not reading(answers, peers, {})["safe_to_stop"]


def test_a_leader_that_does_not_answer_leaves_it_unknown():
    answers = recorded("healthy")
    leader = meta_leader(answers)
    follower = next(name for name in PEERS if name != leader)
    result = view(answers, follower, silent=[leader])
    assert (
        f"the meta group is led by {leader}, and it is unknown how current its replicas are: no answer"
        in result["reasons"]
    )
    assert result["meta_replicas"] == []


def test_a_leader_that_changes_meanwhile():
    answers = recorded("healthy")
    leader = meta_leader(answers)
    follower = next(name for name in PEERS if name != leader)
    answers[leader]["jsz"]["meta_cluster"]["leader"] = follower
    assert view(answers, follower)["reasons"] == ["the leader of the meta group is changing"]


def test_jetstream_that_is_off():
    answers = recorded("healthy")["node-1"]
    answers["jsz"] = {"server_id": "x", "disabled": True, "config": {}}
    result = reading(answers, PEERS, {})
    assert not result["jetstream"]
    assert result["reasons"] == ["JetStream is not enabled on node-1, so there is no meta leader"]


def test_many_reasons_are_cut():
    answers = recorded("healthy")
    for cluster in clusters(answers):
        for entry in cluster.get("replicas") or []:
            entry["current"] = False
    account = answers["node-1"]["jsz"]["account_details"][0]
    for number in range(100):
        stream = copy.deepcopy(next(item for item in account["stream_detail"] if item["name"] == "MANY"))
        stream.update(name=f"S{number}", consumer_detail=[])
        stream["cluster"]["leader"] = "node-1"
        account["stream_detail"].append(stream)
    result = view(answers, "node-1")
    assert len(result["reasons"]) == MAX_REASONS + 1
    assert re.match(r"and \d+ more$", result["reasons"][-1])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_safe_to_stop_is_what_counting_says(data):
    """The decision equals the count of voters that are up and current without this server, for any group."""
    size = data.draw(st.integers(3, 7))
    names = [f"n{number}" for number in range(size)]
    current = {name: data.draw(st.booleans()) for name in names}
    leader, me = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    replicas = [{"name": name, "current": current[name], "active": 0} for name in names if name != leader]
    jsz = {"meta_cluster": {"leader": leader, "cluster_size": size, "replicas": replicas}}
    follower = {"meta_cluster": {"leader": leader, "cluster_size": size}}
    answers = {
        "varz": {"server_name": me},
        "routez": {"routes": [{"remote_name": name} for name in names if name != me]},
        "jsz": jsz if me == leader else follower,
    }
    left = sum(1 for name in names if name != me and (name == leader or current[name]))
    assert reading(answers, names, {leader: raft_groups(jsz)})["safe_to_stop"] == (left > size // 2)


@pytest.mark.parametrize(
    ("healthz", "words"),
    [
        ({"status": "unavailable", "error": "stream not found"}, "stream not found"),
        ({"status": "unavailable"}, "it does not tell what is wrong"),
        ({}, "it does not tell what is wrong"),
    ],
)
def test_what_ails_a_server_already_is_said_before_it_is_stopped(healthz, words):
    answers = recorded("healthy")
    answers["node-1"]["healthz"] = healthz
    assert view(answers, "node-1")["reasons"] == [f"node-1 is not healthy before anything is done to it: {words}"]
    assert view(answers, "node-2")["safe_to_stop"]
