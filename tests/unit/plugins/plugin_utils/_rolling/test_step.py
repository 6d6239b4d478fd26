# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host may be taken away in a rolling restart."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.step import (
    NEEDS,
    failure,
    refusal,
    step_problems,
)

WORKS = {"at_work": True, "problems": []}
BROKEN = {"at_work": False, "problems": ["it is BACKOFF"]}
HOSTS = ("a", "b", "c", "d")


def step(component, evidence, batch=("a",), members=HOSTS, roll="1"):
    return step_problems(component, "a", list(batch), members, evidence, roll)


@pytest.mark.parametrize("component", ["node", "controller", "proof_server"])
def test_one_other_host_must_be_at_work(component):
    assert step(component, {"a": WORKS, "b": BROKEN, "c": BROKEN, "d": WORKS}) == []
    assert step(component, {"a": WORKS, "b": BROKEN, "c": BROKEN}) == [
        f"no other {component} is at work (b: it is BACKOFF, c: it is BACKOFF, d: it was not asked or did not answer)"
    ]


@pytest.mark.parametrize("component", ["caches", "plot_client"])
def test_all_others_must_be_at_work(component):
    assert step(component, {"a": WORKS, "b": WORKS, "c": WORKS}) == []
    assert step(component, {"a": WORKS, "b": WORKS, "c": BROKEN}) == [
        f"1 of the 4 hosts with {component} are not at work already (c: it is BACKOFF)"
    ]


def test_plot_servers_that_are_not_at_work_count_as_part_of_the_share():
    evidence = {"a": WORKS, "b": WORKS, "c": WORKS, "d": BROKEN}
    assert step("plot_server", evidence, roll="50%") == []
    assert step("plot_server", evidence, batch=("a", "b"), roll="50%") == [
        "1 of the 4 hosts with plot_server are not at work already (d: it is BACKOFF)"
    ]
    assert step("plot_server", dict(evidence, d=WORKS), batch=("a", "b"), roll="50%") == []


@pytest.mark.parametrize("component", NEEDS)
def test_an_only_host_cannot_be_stood_in_for(component):
    assert step(component, {"a": WORKS}, members=["a"]) == []


@pytest.mark.parametrize("component", NEEDS)
def test_a_host_that_does_no_work_may_restart(component):
    assert step(component, {"a": BROKEN, "b": BROKEN, "c": BROKEN, "d": BROKEN}) == []


def test_nats_servers_are_asked_themselves():
    assert step("nats", {}) == []


def test_what_a_host_said_does_not_steer_the_terminal():
    log = "it ended:\n  \x1b[2K\x1b]0;owned\x07 said hello"
    for message in (refusal("node", "a", [log]), failure("node", "a", log, "It was put back.", ["b"])):
        assert "it ended:\n  \\x1b[2K\\x1b]0;owned\\x07 said hello" in message and "\x1b" not in message
