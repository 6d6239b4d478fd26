# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._kinds import KindError
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import parse_size
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import (
    raft_groups,
    reading,
    routed_peers,
    unreachable,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.quorum import META_GROUP
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._nats.servers import (
    PEERS,
    meta_leader,
    recorded,
    view,
)
from hypothesis import given, settings
from hypothesis import strategies as st


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


def test_unreachable_is_an_answer():
    result = unreachable("nobody there")
    assert (result["reachable"], result["healthy"], result["safe_to_stop"]) == (False, False, False)
    assert result["error"] == result["health_error"] == "nobody there"
    assert result["reasons"] == ["nobody there"]
    assert set(result) == set(view(recorded("healthy"), "node-1"))


def test_groups_of_a_recorded_leader():
    groups = raft_groups(recorded("healthy")[meta_leader(recorded("healthy"))]["jsz"])
    assert {name for name, group in groups.items() if group["size"] == 3} == {
        META_GROUP,
        "stream $G/MANY",
        "consumer $G/MANY/dur",
    }


# Answers that NATS does not give


def paths(value, path=()):
    """The ways to all values inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from paths(item, (*path, key))


def changed(value, path, new):
    """A copy of a value with one inside it replaced."""
    value = copy.deepcopy(value)
    inside = value
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = new
    return value


WRONG = ["x", -1, 1.5, True, [], [1], {}, {"a": None}, None]


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_an_answer_of_another_shape_is_an_error_or_a_reading(data):
    """Never a traceback, and what is not understood is never a reason to call a server safe to stop."""
    answers = recorded("healthy")
    leader = meta_leader(answers)
    path = data.draw(st.sampled_from(sorted(map(list, paths(answers[leader])), key=json.dumps)))
    wrong = changed(answers[leader], path, data.draw(st.sampled_from(WRONG)))
    views = {name: raft_groups(answers[name]["jsz"]) for name in PEERS if name != leader}
    try:
        result = reading(wrong, PEERS, views)
    except KindError:
        return
    assert set(result) == set(unreachable(""))
    json.dumps(result)


@pytest.mark.parametrize("key", ["current", "active", "lag", "name", "offline"])
@pytest.mark.parametrize("value", ["x", -1, [], {}])
def test_a_replica_of_another_shape_does_not_make_a_server_safe_to_stop(key, value):
    answers = recorded("healthy")
    leader = meta_leader(answers)
    meta = answers[leader]["jsz"]["meta_cluster"]
    for entry in meta["replicas"]:
        entry[key] = value
    try:
        assert not view(answers, leader)["safe_to_stop"]
    except KindError as error:
        assert str(error).startswith(key)


@pytest.mark.parametrize("key", ["meta_cluster", "account_details"])
def test_groups_that_cannot_be_read_are_no_groups(key):
    with pytest.raises(KindError, match=f"^{key} is not a"):
        raft_groups(dict(recorded("healthy")["node-1"]["jsz"], **{key: "x"}))
