# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a component from the control node: one execution for each wait, whatever becomes of the connection."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _looking

HEALTHY = {"healthy": True, "problems": [], "waited_s": 3, "evidence": {"programs": []}, "expected": []}
SICK = {
    "failed": True,
    "msg": "controller is not healthy after 9 s: it sleeps",
    "healthy": False,
    "problems": ["it sleeps"],
    "waited_s": 9,
    "evidence": {"programs": []},
}
GONE = AnsibleConnectionFailure("gone")
EXPECTED = [{"name": "autonomys-controller", "connected_any": ["10.0.0.1:4222"]}]


class Action:
    """An action whose host gives one answer after another, each after some seconds, and the last one for ever."""

    def __init__(self, clock, *answers):
        self.clock = clock
        self.answers = list(answers)
        self.asked = []
        self.resets = 0
        self._task = type("Task", (), {"check_mode": False})()
        self._connection = self

    def reset(self):
        self.resets += 1

    def _execute_module(self, module_name, module_args, task_vars):
        self.asked.append((module_name, module_args))
        seconds, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.clock[0] += seconds
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only while somebody sleeps, or the host answers."""
    now = [0.0]
    monkeypatch.setattr(_looking.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_looking.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def wait(action, timeout=100, patience=0):
    question = {"component": "controller", "name": "autonomys-controller", "programs": EXPECTED, "nats": None}
    return _looking.Looker(action, {}).wait(question, timeout, 2, patience)


def test_a_wait_is_one_execution(clock):
    action = Action(clock, (3, HEALTHY))
    assert wait(action) == {**HEALTHY, "expected": EXPECTED}
    question = {"component": "controller", "name": "autonomys-controller", "programs": EXPECTED}
    assert action.asked == [("autonomys.cluster.component_health", {**question, "timeout": 100, "interval": 2})]


def test_what_is_not_healthy_is_an_answer(clock):
    looked = wait(Action(clock, (9, SICK)))
    assert (looked["healthy"], looked["problems"], looked["waited_s"]) == (False, ["it sleeps"], 9)


def test_a_module_that_breaks_is_a_problem(clock):
    looked = wait(Action(clock, (0, {"failed": True, "msg": "no Python"})))
    assert (looked["healthy"], looked["problems"], looked["evidence"]) == (False, ["no Python"], {})


def test_a_host_that_is_out_of_reach_is_waited_for_only_after_a_restart(clock):
    with pytest.raises(AnsibleConnectionFailure):
        wait(Action(clock, (0, GONE), (0, HEALTHY)))
    action = Action(clock, (10, GONE), (3, HEALTHY))
    assert wait(action, patience=60)["waited_s"] == 15
    assert action.resets == 1 and action.asked[-1][1]["timeout"] == 88


def test_a_host_that_does_not_come_back_ends_the_run(clock):
    with pytest.raises(AnsibleConnectionFailure):
        wait(Action(clock, (10, GONE)), patience=60)
    assert 60 <= clock[0] < 80


def test_a_connection_that_breaks_during_a_long_wait_is_made_again(clock):
    action = Action(clock, (70, GONE), (10, GONE), (0, HEALTHY))
    assert wait(action, patience=60)["healthy"]
    assert action.asked[-1][1]["timeout"] == 16


def test_breaking_again_and_again_ends_too(clock):
    with pytest.raises(AnsibleConnectionFailure):
        wait(Action(clock, (30, GONE)), patience=60)
    assert clock[0] < 200


def test_every_component_has_a_question(tutorial_model):
    for component in COMPONENTS:
        host = tutorial_model["components"][component][0]
        asked = _looking.serving_question(tutorial_model, component, host)
        assert (asked["component"], asked["at_work"]) == (component, True)
        assert asked.get("nats") or asked.get("node") or asked["nats_servers"]
