# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import (
    MAX_REASONS,
    META_GROUP,
    leaders_to_ask,
    parse_size,
    raft_groups,
    reading,
    routed_peers,
    unreachable,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[5]
PEERS = ["node-1", "node-2", "node-3"]


def recorded(scenario):
    return json.loads((ROOT / "tests" / "fixtures" / "nats" / f"{scenario}.json").read_text())


def view(answers, name, peers=None, silent=()):
    """Return what nats_info returns for a server when the servers in ``silent`` do not answer it."""
    groups = raft_groups(answers[name]["jsz"])
    views = {
        leader: raft_groups(answers[leader]["jsz"]) if leader in answers and leader not in silent else "no answer"
        for leader in leaders_to_ask(groups, name)
    }
    return reading(answers[name], peers or PEERS, views)


def clusters(answers):
    """Yield every description of a raft group in recorded answers."""
    for server in answers.values():
        yield server["jsz"]["meta_cluster"]
        for account in server["jsz"]["account_details"]:
            for stream in account["stream_detail"]:
                yield stream["cluster"]
                for consumer in stream.get("consumer_detail", []):
                    yield consumer["cluster"]


def meta_leader(answers):
    return next(iter(answers.values()))["jsz"]["meta_cluster"]["leader"]


# A healthy cluster


@pytest.mark.parametrize("name", PEERS)
def test_each_server_of_a_healthy_cluster_is_safe_to_stop(name):
    result = view(recorded("healthy"), name)
    assert (result["safe_to_stop"], result["reasons"]) == (True, [])
    assert result["reachable"] and result["healthy"] and result["jetstream"]
    assert result["error"] is None and result["health_error"] is None
    assert (result["server_name"], result["cluster_name"], result["version"]) == (name, "autonomys", "2.12.8")
    assert result["max_payload"] == parse_size("3MB")
    assert result["routes"] == [peer for peer in PEERS if peer != name]
    assert result["meta_size"] == 3
    assert result["store_dir"].endswith(f"{name}/jetstream")
    assert (result["slow_consumers"], result["connections"]) == (0, 0)


def test_meta_replicas_come_from_the_leader_whoever_is_asked():
    answers = recorded("healthy")
    leader = meta_leader(answers)
    for name in PEERS:
        result = view(answers, name)
        assert result["meta_leader"] == leader
        assert [entry["name"] for entry in result["meta_replicas"]] == [peer for peer in PEERS if peer != leader]
        assert all(entry["current"] and not entry["offline"] and entry["lag"] == 0 for entry in result["meta_replicas"])
        assert all(0 < entry["active"] < 5 for entry in result["meta_replicas"])


def test_pooled_routes_count_once():
    answers = recorded("healthy")["node-1"]["routez"]
    assert answers["num_routes"] > 2
    assert sorted(routed_peers(answers)) == ["node-2", "node-3"]


def test_a_stream_without_replicas_is_reported_and_does_not_block():
    answers = recorded("healthy")
    found = [item for name in PEERS for item in view(answers, name)["unreplicated"]]
    assert found == ["stream $G/ONE"]


# Faults that were recorded


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
        "there is no route between node-1 and node-2",
        "there is no route between node-1 and node-3",
        "the meta group has no leader",
    ]


def test_a_single_server_is_healthy_and_never_safe_to_stop():
    result = view(recorded("single"), "node-1", ["node-1"])
    assert result["healthy"] and result["jetstream"]
    assert result["reasons"] == ["node-1 is the only server"]
    assert (result["meta_leader"], result["meta_size"], result["meta_replicas"]) == (None, None, [])


# Faults made from the healthy cluster


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
    assert "of two servers neither can be spared: the one that is left has no quorum" in result["reasons"]


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
    replicas = [{"name": f"n{number}", "current": number != 5} for number in range(2, 6)]
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


def test_unreachable_is_an_answer():
    result = unreachable("nobody there")
    assert (result["reachable"], result["healthy"], result["safe_to_stop"]) == (False, False, False)
    assert result["error"] == result["health_error"] == "nobody there"
    assert result["reasons"] == ["nobody there"]
    assert set(result) == set(view(recorded("healthy"), "node-1"))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_safe_to_stop_is_what_counting_says(data):
    """The decision equals the count of voters that are up and current without this server, for any group."""
    size = data.draw(st.integers(3, 7))
    names = [f"n{number}" for number in range(size)]
    current = {name: data.draw(st.booleans()) for name in names}
    leader, me = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    replicas = [{"name": name, "current": current[name]} for name in names if name != leader]
    jsz = {"meta_cluster": {"leader": leader, "cluster_size": size, "replicas": replicas}}
    follower = {"meta_cluster": {"leader": leader, "cluster_size": size}}
    answers = {
        "varz": {"server_name": me},
        "routez": {"routes": [{"remote_name": name} for name in names if name != me]},
        "jsz": jsz if me == leader else follower,
    }
    left = sum(1 for name in names if name != me and (name == leader or current[name]))
    assert reading(answers, names, {leader: raft_groups(jsz)})["safe_to_stop"] == (left > size // 2)


def test_groups_of_a_recorded_leader():
    groups = raft_groups(recorded("healthy")[meta_leader(recorded("healthy"))]["jsz"])
    assert {name for name, group in groups.items() if group["size"] == 3} == {
        META_GROUP,
        "stream $G/MANY",
        "consumer $G/MANY/dur",
    }


# Sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("3MB", 3145728),
        ("3M", 3000000),
        ("3m", 3000000),
        ("3mb", 3145728),
        ("3MiB", 3145728),
        ("3Mi", 3145728),
        ("2K", 2000),
        ("2KB", 2048),
        ("1GB", 1024**3),
        ("1G", 1000**3),
        ("1TB", 1024**4),
        (3145728, 3145728),
        ("3145728", 3145728),
        ("-1", -1),
    ],
)
def test_sizes_are_read_as_nats_server_reads_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["3 MB", "3.5MB", "3145728B", "", "MB", "3XB", "3MBB", None, "0x10"])
def test_sizes_that_nats_server_refuses(text):
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


# The pinned checksums


def test_pinned_checksums():
    table = yaml.safe_load((ROOT / "roles" / "common" / "vars" / "main" / "nats_checksums.yml").read_text())[
        "__common_nats_checksums"
    ]
    assert len(table) == 66
    values = [checksum for version in table.values() for checksum in version.values()]
    assert all(re.match("^[0-9a-f]{64}$", value) for value in values)
    assert len(set(values)) == len(values)
    assert all(isinstance(version, str) and set(entry) == {"amd64", "arm64"} for version, entry in table.items())
