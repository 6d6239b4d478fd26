# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a component until nothing is wrong."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _looking

WELL = {"name": "autonomys-controller", "state": "RUNNING", "connected": ["10.0.0.1:4222"], "listening": [], "gpus": []}
SICK = dict(WELL, connected=[])
EXPECTED = [{"name": "autonomys-controller", "connected_any": ["10.0.0.1:4222"]}]


class Action:
    """An action whose host gives one answer after another, and the last one for ever."""

    def __init__(self, *answers, check=False):
        self.answers = list(answers)
        self.asked = []
        self.resets = 0
        self._task = type("Task", (), {"check_mode": check})()
        self._connection = self

    def reset(self):
        self.resets += 1

    def _execute_module(self, module_name, module_args, task_vars):
        self.asked.append((module_name, module_args))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only while somebody sleeps."""
    now = [0.0]
    monkeypatch.setattr(_looking.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_looking.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def wait(action, timeout=10, interval=2, patience=0, **question):
    asked = dict({"component": "controller", "name": "autonomys-controller", "programs": EXPECTED}, **question)
    return _looking.Looker(action, {}).wait(asked, timeout, interval, patience)


def test_it_looks_until_nothing_is_wrong(clock):
    action = Action({"programs": [SICK]}, {"programs": [SICK]}, {"programs": [WELL]})
    looked = wait(action)
    assert looked == {
        "healthy": True,
        "problems": [],
        "waited_s": 4,
        "evidence": {"programs": [WELL]},
        "expected": EXPECTED,
    }
    assert action.asked == [("autonomys.cluster.supervisor_program_info", {"name": "autonomys-controller"})] * 3


def test_it_says_what_was_wrong_at_the_last_look(clock):
    looked = wait(Action({"programs": [SICK]}), timeout=5)
    assert not looked["healthy"] and looked["waited_s"] == 4
    assert looked["problems"] == [
        "autonomys-controller has no connection to NATS (10.0.0.1:4222); it is connected to nothing"
    ]


@pytest.mark.parametrize(("check", "question"), [(True, {}), (False, {"report_only": True})])
def test_one_look_is_enough_where_nothing_is_changed(clock, check, question):
    action = Action({"programs": [SICK]}, check=check)
    assert wait(action, **question)["waited_s"] == 0
    assert len(action.asked) == 1


def test_a_module_that_fails_is_a_problem(clock):
    looked = wait(Action({"failed": True, "msg": "supervisord does not answer"}), timeout=0)
    assert looked["problems"] == ["supervisord does not answer"]


def test_a_host_that_is_out_of_reach_is_waited_for_only_after_a_restart(clock):
    gone = AnsibleConnectionFailure("gone")
    with pytest.raises(AnsibleConnectionFailure):
        clock[0] = 1.0
        wait(Action(gone, {"programs": [WELL]}), patience=-1)
    action = Action(gone, {"programs": [WELL]})
    assert wait(action, patience=60)["healthy"] and action.resets == 1


def test_who_serves_is_asked_for_the_programs_whatever_is_expected(clock):
    question = {"programs": [], "at_work": True, "nats_servers": ["nats://10.0.0.1:4222"]}
    assert wait(Action({"programs": [WELL]}), timeout=0, **question)["healthy"]
    assert wait(Action({"programs": [SICK]}), timeout=0, **question)["problems"] == [
        "autonomys-controller has no connection to NATS"
    ]
    # Without its own NATS servers, by those of the expectations.
    assert not wait(Action({"programs": [SICK]}), timeout=0, at_work=True)["healthy"]


def test_every_component_has_a_question(tutorial_model):
    for component in COMPONENTS:
        host = tutorial_model["components"][component][0]
        asked = _looking.serving_question(tutorial_model, component, host)
        assert (asked["component"], asked["at_work"]) == (component, True)
        assert asked.get("nats") or asked.get("node") or asked["nats_servers"]


def test_the_other_nats_servers_are_asked_where_the_inventory_says(clock):
    action = Action({"failed": True, "msg": "enough"})
    nats = {"url": "http://127.0.0.1:8222", "peers": {"node-2": "10.0.0.2", "node-1": "fd00::1"}}
    wait(action, timeout=0, programs=[], nats=nats)
    urls = {"node-1": "http://[fd00::1]:8222", "node-2": "http://10.0.0.2:8222"}
    asked = {"url": "http://127.0.0.1:8222", "peers": ["node-1", "node-2"], "peer_urls": urls}
    assert ("autonomys.cluster.nats_info", asked) in action.asked
