# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host may restart, by what the others have just told."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.autonomys.cluster.plugins.action import component_restart_check, component_serving_info

STARTED = {"settings": {"plot_client_state": "started", "controller_state": "started"}}
MODEL = {
    "components": {"plot_client": ["a", "b", "c"], "controller": ["a", "b"]},
    "roll": {"plot_client": "1", "controller": "1"},
    "hosts": {"a": STARTED, "b": STARTED, "c": STARTED},
}
AT_WORK = {"component": "plot_client", "at_work": True, "problems": []}
AWAY = {"component": "plot_client", "at_work": False, "problems": ["it is BACKOFF"]}


@pytest.fixture
def plugin(monkeypatch):
    """An action without its task's surroundings."""

    def make(module, check_mode=False, **args):
        monkeypatch.setattr(module.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
        made = module.ActionModule.__new__(module.ActionModule)
        made._task = type("Task", (), {"args": args, "check_mode": check_mode})()
        return made

    return make


def variables(own=None):
    return {
        "inventory_hostname": "a",
        "ansible_play_batch": ["a"],
        "groups": {"all": ["a", "b", "c"]},
        "hostvars": {"a": {"__cluster_model": MODEL}},
        "__roll_at_work": own or AT_WORK,
    }


@pytest.mark.parametrize(
    ("others", "own", "problem"),
    [
        ([dict(AT_WORK, host="b"), dict(AT_WORK, host="c")], None, None),
        ([dict(AT_WORK, host="b"), dict(AWAY, host="c")], None, "c: it is BACKOFF"),
        # A restart may be what repairs it.
        ([dict(AT_WORK, host="b"), dict(AWAY, host="c")], AWAY, None),
        # Who cannot be reached, or was not asked, has not said that it is away.
        ([dict(AT_WORK, host="b"), dict(AWAY, host="c", at_work=None)], None, None),
        ([{"skipped": True}], None, None),
    ],
)
def test_the_others_decide(plugin, others, own, problem):
    result = plugin(component_restart_check, component="plot_client", others=others).run(task_vars=variables(own))
    assert bool(result.get("failed")) == bool(problem) and not result["changed"]
    assert (problem or "") in result.get("msg", "")


def test_no_other_one_that_answers_is_no_other_one_at_work(plugin):
    own = dict(AT_WORK, component="controller")
    others = [{"component": "controller", "host": "b", "at_work": None, "problems": ["it cannot be reached"]}]
    run = plugin(component_restart_check, component="controller", others=others)
    assert "no other controller is at work" in run.run(task_vars=variables(own))["msg"]
    check = plugin(component_restart_check, True, component="controller", others=others).run(task_vars=variables(own))
    assert "failed" not in check and len(check["warnings"]) == 1


def test_a_host_that_is_asked_for_another_one_and_lost_ends_nothing(plugin, monkeypatch):
    def lost(*_args):
        raise AnsibleConnectionFailure("no route")

    monkeypatch.setattr(component_serving_info, "Looker", lambda *_args: type("Looker", (), {"wait": lost})())
    monkeypatch.setattr(component_serving_info, "serving_question", lambda *_args: {})
    told = plugin(component_serving_info, component="controller", host="b").run(task_vars=variables())
    assert told == {
        "changed": False,
        "component": "controller",
        "host": "b",
        "at_work": None,
        "problems": ["it cannot be reached: no route"],
        "restarts_last": False,
    }
    with pytest.raises(AnsibleConnectionFailure):
        plugin(component_serving_info, component="controller").run(task_vars=variables())
