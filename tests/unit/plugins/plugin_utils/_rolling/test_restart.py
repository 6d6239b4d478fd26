# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step of a rolling restart on one host: restart, look, go back."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.autonomys.cluster.plugins.action.component_restart import ARGUMENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._looking import Readers, look
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _lock, _looking
from ansible_collections.autonomys.cluster.plugins.plugin_utils._looking import Looker
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.restart import RestartStep


class Host(Looker):
    """Answers instead of a host; what it shows is judged as a host judges it."""

    def __init__(self, answers, check=False):
        connection = type("Connection", (), {"reset": lambda self: None})()
        task = type("Task", (), {"check_mode": check})()
        super().__init__(type("Action", (), {"_task": task, "_connection": connection})(), {})
        self.answers = {name: list(given) for name, given in answers.items()}
        self.asked = []

    def ask(self, module, module_args):
        if module == "ansible.legacy.copy":
            self.asked.append(f"{module} {module_args['src']} {module_args['dest']}")
            return {"changed": True}
        state = module_args.get("restart", module_args.get("state", ""))
        self.asked.append(f"{module} {state}".strip())
        given = self.answers[self.asked[-1]]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        return looked(module_args, answer) if module == "component_health" else answer


def looked(question, shown):
    """The answer of component_health on a host that shows this, by source."""
    found = look(question, Readers(*(lambda _asked, source=source: shown[source] for source in Readers._fields)))
    return dict(found, failed=not found["healthy"])


def program(**more):
    return dict({"name": "autonomys-controller", "state": "RUNNING", "connected": ["10.0.0.1:4222"]}, **more)


SICK = {"programs": [program(listening=[], connected=[], gpus=[])]}
WELL = {"programs": [program(listening=[], gpus=[])]}
APPLIED = {"changed": True, "programs": []}


def run(answers, check=False, **more):
    args = {name: option.get("default") for name, option in ARGUMENTS.items()}
    args.update(
        component="controller",
        name="autonomys-controller",
        timeout=0,
        programs=[{"name": "autonomys-controller", "connected_any": ["10.0.0.1:4222"]}],
    )
    args.update(more)
    host = Host(answers, check)
    return host, RestartStep(host, args, "a", ["b", "c", "d"]).run()


def test_a_step_that_succeeds():
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [APPLIED],
        "component_health": [WELL],
    }
    action, result = run(answers)
    assert result["healthy"] and result["changed"] and "failed" not in result
    assert action.asked == ["supervisor_program never", "supervisor_program started", "component_health"]


def test_a_check_predicts_shows_the_difference_and_waits_for_nothing():
    predicted = {"changed": True, "programs": [], "diff": [{"before": "x", "after": "y"}]}
    host, result = run(
        {"supervisor_program never": [{"restart_required": True}], "supervisor_program started": [predicted]},
        check=True,
    )
    assert (result["changed"], result["diff"], result["healthy"]) == (True, predicted["diff"], False)
    assert "component_health" not in host.asked


def test_a_step_without_anything_pending_changes_nothing():
    answers = {
        "supervisor_program never": [{"restart_required": False}],
        "supervisor_program started": [{"changed": False, "programs": []}],
        "component_health": [WELL],
    }
    _host, result = run(answers)
    assert result["healthy"] and not result["changed"]


@pytest.fixture
def killed(monkeypatch):
    """The run was killed, and what runs is what is left of it."""
    monkeypatch.setattr(_lock.multiprocessing, "parent_process", lambda: type("Parent", (), {"pid": 4711}))


def test_what_is_left_of_a_run_that_was_killed_stops_nothing(killed):
    # Asking for the restart itself would be an answer that there is not.
    with pytest.raises(_lock.RunEnded):
        run({"supervisor_program never": [{"restart_required": True}]})


def test_a_host_that_is_not_healthy_goes_back():
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [APPLIED],
        "component_health": [SICK, WELL],
        "supervisor_program reverted": [APPLIED],
    }
    _action, result = run(answers)
    assert result["failed"]
    assert result["msg"] == (
        "controller on a was restarted and is not healthy: after 0 s "
        "autonomys-controller has no connection to NATS (10.0.0.1:4222); it is connected "
        "to "
        "nothing. Its former definition was put back, and it is at work again. Not "
        "restarted, and running as before: b, c, d. Fix what was seen, or set "
        "the inventory to what ran before, and run the same command again: it continues here."
    )


def test_a_program_that_does_not_stay_up_goes_back():
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [{"failed": True, "msg": "autonomys-controller did not stay up: exit status 1."}],
        "component_health": [SICK],
        "supervisor_program reverted": [APPLIED],
    }
    _action, result = run(answers)
    assert "is not healthy: autonomys-controller did not stay up: exit status 1. Its" in result["msg"]
    assert (
        "Its former definition was put back, but after 0 s autonomys-controller has no connection to NATS."
        in result["msg"]
    )


@pytest.mark.parametrize(
    ("pending", "more", "sentence"),
    [
        (False, {}, "It ran with the same definition before, so there is nothing to put back."),
        (
            True,
            {"revert": False},
            "Its former definition was not put back, because cluster_revert_on_failure is false.",
        ),
        (True, {}, "Putting its former definition back failed: nothing to go back to."),
    ],
)
def test_what_is_said_of_the_former_definition(pending, more, sentence):
    answers = {
        "supervisor_program never": [{"restart_required": pending}],
        "supervisor_program started": [APPLIED],
        "component_health": [SICK],
        "supervisor_program reverted": [{"failed": True, "msg": "nothing to go back to"}],
    }
    _action, result = run(answers, **more)
    assert sentence in result["msg"]


def test_the_configuration_goes_back_with_the_definition():
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [APPLIED],
        "component_health": [SICK, WELL],
        "supervisor_program reverted": [APPLIED],
    }
    action, _result = run(answers, configuration={"path": "/etc/x.conf", "previous": "/etc/x.conf.running"})
    copied = action.asked.index("ansible.legacy.copy /etc/x.conf.running /etc/x.conf")
    assert copied < action.asked.index("supervisor_program reverted")


def test_a_server_that_the_others_need_is_not_restarted():
    nats = {
        "reachable": True,
        "server_name": "a",
        "safe_to_stop": False,
        "reasons": ["there is no route between a and b"],
    }
    action, result = run(
        {"component_health": [{"nats": nats}]},
        component="nats",
        nats_stop={"url": "x", "peers": {}, "max_silence": 5, "max_lag": 9},
    )
    assert result["msg"] == (
        "nats on a was not restarted, because the others cannot do without it now: "
        "nats-server a may not stop now: there is no route between a and b. "
        "It runs as before. Fix what is named, and run the same command again."
    )
    assert action.asked == ["component_health"]


def test_what_can_no_longer_be_spared_when_it_is_to_stop_runs_on():
    answers = {
        "component_health": [{"nats": {"reachable": True, "server_name": "a", "safe_to_stop": True, "reasons": []}}],
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [{"failed": True, "msg": "nothing was changed", "refused": ["b is away"]}],
    }
    action, result = run(answers, component="nats", nats_stop={"url": "x", "peers": {}, "max_silence": 5, "max_lag": 9})
    assert result["failed"] and not result["changed"]
    assert "nats on a was not restarted, because the others cannot do without it now: b is away" in result["msg"]
    assert not any("reverted" in asked for asked in action.asked)


@pytest.mark.parametrize(("before", "failed"), [(False, True), (True, False)])
def test_a_node_that_was_synced_must_be_synced_again(before, failed):
    syncing = {"reachable": True, "chain": "mainnet", "peers": 9, "syncing": True, "best": 5, "target": 9}
    answers = {
        "supervisor_program never": [{"restart_required": False}],
        "supervisor_program started": [APPLIED],
        "node_info": [{"node": dict(syncing, syncing=before)}],
        "component_health": [{"node": syncing}],
    }
    _action, result = run(
        answers,
        component="node",
        programs=[],
        node={"url": "x", "chain": "mainnet", "min_peers": 1, "synced": False},
    )
    assert result.get("failed", False) is failed
    if failed:
        assert "the node is not synced: it is at block 5 of 9" in result["msg"]


def test_a_host_that_is_out_of_reach_for_a_moment_is_asked_again(monkeypatch):
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [APPLIED],
        "component_health": [AnsibleConnectionFailure("gone"), WELL],
    }
    monkeypatch.setattr(_looking.time, "sleep", lambda _: None)
    _action, result = run(answers, timeout=9, interval=1)
    assert result["healthy"]


def test_a_host_that_is_lost_while_it_restarts_ends_the_run():
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [AnsibleConnectionFailure("gone")],
    }
    with pytest.raises(AnsibleConnectionFailure):
        run(answers)


def test_a_stop_is_no_restart():
    action, result = run({"supervisor_program stopped": [APPLIED]}, state="stopped")
    assert result["changed"] and result["stopped"] and not result["healthy"]
    assert action.asked == ["supervisor_program stopped"]
