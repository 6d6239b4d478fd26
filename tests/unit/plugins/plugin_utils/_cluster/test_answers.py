# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host may answer: this machine's own answers, and whatever else one could send instead."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.read import read
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.answers import MAX_BYTES, fault_of, misfit
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.part import part_of
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import changes, reading
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.todo import todo
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._rules.sample import Cluster

HOSTS = ("node-1", "plotter-1", "storage-1")
MODEL = Cluster().model()
VALUES = [None, True, -1, 1.5, float("nan"), 10**30, "x", [], {}, [None], {"error": "x"}, {"error": 1}, ...]


@pytest.fixture(scope="module")
def told():
    """What this machine answers as each kind of host, over the wire."""
    return {host: json.loads(json.dumps(read(part_of(MODEL, host), set().update))) for host in HOSTS}


def judged(host, answer):
    return fault_of(answer, MODEL["hosts"][host]["components"])


def places(value, place=()):
    """Where something is in an answer; of lists, the first item."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


def put(answer, place, value):
    """Put another value into an answer, or none at all where it is Ellipsis; the answer."""
    at = answer
    for key in place[:-1]:
        at = at[key]
    if value is ...:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return answer


def changed(answer, place, value):
    return put(copy.deepcopy(answer), place, value)


@pytest.mark.parametrize("host", HOSTS)
def test_what_this_machine_answers_is_an_answer(told, host):
    assert judged(host, told[host]) is None


@pytest.mark.parametrize("host", HOSTS)
def test_whatever_is_taken_for_an_answer_can_be_worked_with(told, host):
    """Each place of the answer gets every kind of value: it is refused, or what follows is as usual."""
    refused = 0
    for place in list(places(told[host]))[1:]:
        answer = copy.deepcopy(told[host])
        for value in VALUES:
            put(answer, place, value)
            fault = judged(host, answer)
            refused += fault is not None
            if fault is None:
                variables = {"__host_reading": {"reading": answer}}
                assert reading(variables)["reachable"]
                todo(MODEL, {host: changes(variables)}, [host])
    assert refused > 500


def test_a_place_is_told(told):
    answer = changed(told["node-1"], ("host", "cpus"), "many")
    assert judged("node-1", answer) == "the host answers with something of another kind at host.cpus"
    answer = changed(told["node-1"], ("host", "x" * 500), 1)
    assert judged("node-1", answer) is None


def test_an_answer_without_end_or_of_other_components_is_none(told):
    assert "no object of at most" in judged("node-1", changed(told["node-1"], ("host", "hostname"), "x" * MAX_BYTES))
    assert "no object" in judged("node-1", [])
    assert "of its components" in judged("node-1", changed(told["node-1"], ("components", "caches"), {"error": "x"}))
    assert "lacks host" in judged("node-1", changed(told["node-1"], ("host",), ...))


@pytest.mark.parametrize(
    ("value", "hint", "fits"),
    [(1, float, True), (True, int, False), (1, bool, False), (float("nan"), float, False), (10**30, int, False)]
    + [
        ([1, "x"], list[int], False),
        ({"a": 1}, dict[str, int], True),
        ({"a": []}, Any, True),
        (None, "str | None", True),
    ],
)
def test_kinds(value, hint, fits):
    hint = str | None if isinstance(hint, str) else hint
    assert (misfit(value, hint, "x") is None) == fits


def test_many_hosts_cost_little(told):
    begun = time.process_time()
    for _each in range(100):
        judged("node-1", told["node-1"])
    assert time.process_time() - begun < 2
