# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has to do, by what every host told."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.todo import groups, todo
from hypothesis import given
from hypothesis import strategies as st

SAME = {"changed": False, "restart_required": False}
HEALTHY = {"healthy": True, "problems": []}
SICK = {"healthy": False, "problems": ["it does not answer"]}


def answer(prepare=(), release=None, **components):
    """What a host tells; by default nothing would change and all is healthy."""
    known = release or {"changed": False}
    return {"prepare": list(prepare), "release": known, "components": components, "monitoring": []}


def component(health=None, configuration=None, **program):
    found = {"program": {**SAME, **program}}
    if health != "kept stopped":
        found["health"] = health or HEALTHY
    if configuration is not None:
        found["configuration"] = {"changed": configuration}
    return found


def model(**hosts):
    return {"hosts": {host: {"components": list(told["components"])} for host, told in hosts.items()}}


def judged(**hosts):
    return todo(model(**hosts), hosts, list(hosts))


def test_nothing_to_do():
    assert judged(a=answer(node=component()), b=answer()) == {"prepare": [], "act": {}, "verify": {}, "monitor": []}


@pytest.mark.parametrize(
    "told",
    [
        component(changed=True),
        component(restart_required=True),
        component(configuration=True),
        {"error": "supervisord does not answer"},
    ],
)
def test_what_changes_or_is_not_known_is_done_and_then_looked_at_everywhere(told):
    found = judged(b=answer(caches=component()), a=answer(caches=told))
    assert (found["act"], found["verify"]) == ({"caches": ["a"]}, {"caches": ["a", "b"]})


def test_who_uses_what_changes_is_looked_at_too():
    found = judged(a=answer(nats=component(changed=True), node=component(), controller=component()))
    assert (found["act"], sorted(found["verify"])) == ({"nats": ["a"]}, ["controller", "nats"])


def test_what_is_not_healthy_is_waited_for_where_it_is():
    found = judged(a=answer(node=component(SICK)), b=answer(node=component()))
    assert (found["act"], found["verify"]) == ({}, {"node": ["a"]})


def test_what_is_kept_stopped_is_not_waited_for():
    assert judged(a=answer(node=component("kept stopped")))["verify"] == {}


@pytest.mark.parametrize(
    "told",
    [answer(["create the user autonomys"]), answer(release={"changed": True}), answer(release={"error": "no answer"})],
)
def test_hosts_that_must_be_prepared(told):
    assert judged(a=told, b=answer())["prepare"] == ["a"]


def test_hosts_that_are_left_out_are_left_alone():
    hosts = {"a": answer(node=component(changed=True)), "b": answer(node=component())}
    assert todo(model(**hosts), hosts, ["b"]) == {"prepare": [], "act": {}, "verify": {}, "monitor": []}


def test_what_monitoring_needs_is_done_and_says_who_acts():
    found = judged(a={**answer(node=component()), "monitoring": ["write /x"]}, b=answer(node=component()))
    assert found == {"prepare": [], "act": {}, "verify": {}, "monitor": ["a"]}
    assert list(groups(found)) == [("cluster_acts", "a"), ("cluster_monitor", "a")]


def test_groups_of_hosts():
    found = judged(a=answer(["x"], node=component(changed=True)), b=answer(node=component()))
    assert ("cluster_acts", "b") in set(groups(found, ["b"]))
    assert sorted(groups(found)) == [
        ("cluster_acts", "a"),
        ("cluster_prepare", "a"),
        ("cluster_todo_node", "a"),
        ("cluster_verify_node", "a"),
        ("cluster_verify_node", "b"),
    ]


TOLD = st.builds(
    component,
    st.sampled_from([HEALTHY, SICK, "kept stopped"]),
    st.sampled_from([None, True, False]),
    changed=st.booleans(),
    restart_required=st.booleans(),
)


@given(st.dictionaries(st.sampled_from("abcd"), st.dictionaries(st.sampled_from(list(COMPONENTS)), TOLD), min_size=1))
def test_who_acts_is_verified_and_nobody_else_is_named(told):
    hosts = {host: answer(**components) for host, components in told.items()}
    found = judged(**hosts)
    for verb in ("act", "verify"):
        assert all(name in told[host] for name, members in found[verb].items() for host in members)
    assert all(set(members) <= set(found["verify"][name]) for name, members in found["act"].items())
    # Whoever is sick is waited for.
    sick = {(host, name) for host in told for name, each in told[host].items() if each.get("health") == SICK}
    assert sick <= {(host, name) for name, members in found["verify"].items() for host in members}
