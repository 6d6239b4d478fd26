# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before, during and after a step of a rolling restart."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.autonomys.cluster.plugins.action import component_health, component_restart
from ansible_collections.autonomys.cluster.plugins.module_utils import _health
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling import step as _roll

WORKS = {"at_work": True, "problems": []}
BROKEN = {"at_work": False, "problems": ["it is BACKOFF"]}
HOSTS = ("a", "b", "c", "d")


def step(component, evidence, batch=("a",), members=HOSTS, roll="1"):
    return _roll.step_problems(component, "a", list(batch), members, evidence, roll)


# Before a step


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


@pytest.mark.parametrize("component", _roll.NEEDS)
def test_an_only_host_cannot_be_stood_in_for(component):
    assert step(component, {"a": WORKS}, members=["a"]) == []


@pytest.mark.parametrize("component", _roll.NEEDS)
def test_a_host_that_does_no_work_may_restart(component):
    assert step(component, {"a": BROKEN, "b": BROKEN, "c": BROKEN, "d": BROKEN}) == []


def test_nats_servers_are_asked_themselves():
    assert step("nats", {}) == []


@pytest.mark.parametrize(
    ("roll", "count", "number"), [("1", 9, 1), ("25%", 3, 1), ("25%", 8, 2), ("100%", 8, 8), (3, 2, 3)]
)
def test_how_many_restart_at_once(roll, count, number):
    assert _roll.at_once(roll, count) == number


# Who is at work


def program(**more):
    return dict({"name": "autonomys-controller", "state": "RUNNING", "connected": ["10.0.0.1:4222"]}, **more)


@pytest.mark.parametrize(
    ("programs", "problems"),
    [
        ([program()], []),
        ([program(), program(name="slot", state="STOPPED", connected=[])], []),
        ([program(connected=["10.0.0.9:4222"])], ["autonomys-controller has no connection to NATS"]),
        ([program(), program(name="slot", state="BACKOFF", connected=[])], ["slot is BACKOFF"]),
        ([program(state="STOPPED", connected=[])], ["none of its programs runs"]),
        ([], ["none of its programs runs"]),
    ],
)
def test_at_work_is_what_runs_and_is_connected(programs, problems):
    assert _health.at_work_problems(["10.0.0.1:4222", "10.0.0.2:4222"], programs) == problems


def test_every_component_has_a_question(tutorial_model):
    for component in COMPONENTS:
        host = tutorial_model["components"][component][0]
        asked = _roll.question(tutorial_model, component, host)
        assert (asked["component"], asked["at_work"]) == (component, True)
        assert asked.get("nats") or asked.get("node") or asked["nats_servers"]


# The step


class Step(component_restart.ActionModule):
    """The action with answers instead of a host."""

    def __init__(self, answers, check=False):
        self.answers = {name: list(given) for name, given in answers.items()}
        self.asked = []
        self._task = type("Task", (), {"check_mode": check})()
        self._connection = type("Connection", (), {"reset": lambda self: None})()

    def _ask(self, module, module_args, task_vars):
        state = module_args.get("restart", module_args.get("state", ""))
        self.asked.append(f"{module} {state}".strip())
        given = self.answers[self.asked[-1]]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _execute_module(self, module_name, module_args, task_vars):
        self.asked.append(f"{module_name} {module_args['src']} {module_args['dest']}")
        return {"changed": True}


SICK = {"programs": [program(listening=[], connected=[], gpus=[])]}
WELL = {"programs": [program(listening=[], gpus=[])]}
APPLIED = {"changed": True, "programs": []}
VARIABLES = {"inventory_hostname": "a", "ansible_play_hosts_all": list(HOSTS), "ansible_play_batch": ["a"]}


def run(monkeypatch, answers, check=False, **more):
    args = {name: option.get("default") for name, option in component_restart.ARGUMENTS.items()}
    args.update(
        component="controller",
        name="autonomys-controller",
        timeout=0,
        programs=[{"name": "autonomys-controller", "connected_any": ["10.0.0.1:4222"]}],
    )
    args.update(more)
    action = Step(answers, check)
    monkeypatch.setattr(component_health.ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(action, "validate_argument_spec", lambda _: (None, args))
    return action, action.run(task_vars=VARIABLES)


def test_a_step_that_succeeds(monkeypatch):
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [APPLIED],
        "supervisor_program_info": [WELL],
    }
    action, result = run(monkeypatch, answers)
    assert result["healthy"] and result["changed"] and "failed" not in result
    assert action.asked == ["supervisor_program never", "supervisor_program started", "supervisor_program_info"]


def test_a_host_that_is_not_healthy_goes_back(monkeypatch):
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [APPLIED],
        "supervisor_program_info": [SICK, WELL],
        "supervisor_program reverted": [APPLIED],
    }
    _action, result = run(monkeypatch, answers)
    assert result["failed"]
    assert result["msg"] == (
        "controller on a was restarted and is not healthy: after 0 s autonomys-controller has no connection to NATS (10.0.0.1:4222); it is connected to "
        "nothing. Its former definition was put back, and it is at work again. Not restarted, and running as before: b, c, d. Mend what was seen, or set "
        "the inventory to what ran before, and run the same command again: it continues here."
    )


def test_a_program_that_does_not_stay_up_goes_back(monkeypatch):
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [{"failed": True, "msg": "autonomys-controller did not stay up: exit status 1."}],
        "supervisor_program_info": [SICK],
        "supervisor_program reverted": [APPLIED],
    }
    _action, result = run(monkeypatch, answers)
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
def test_what_is_said_of_the_former_definition(monkeypatch, pending, more, sentence):
    answers = {
        "supervisor_program never": [{"restart_required": pending}],
        "supervisor_program started": [APPLIED],
        "supervisor_program_info": [SICK],
        "supervisor_program reverted": [{"failed": True, "msg": "nothing to go back to"}],
    }
    _action, result = run(monkeypatch, answers, **more)
    assert sentence in result["msg"]


def test_the_configuration_goes_back_with_the_definition(monkeypatch):
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [APPLIED],
        "supervisor_program_info": [SICK, WELL],
        "supervisor_program reverted": [APPLIED],
    }
    action, _result = run(
        monkeypatch, answers, configuration={"path": "/etc/x.conf", "previous": "/etc/x.conf.running"}
    )
    copied = action.asked.index("ansible.legacy.copy /etc/x.conf.running /etc/x.conf")
    assert copied < action.asked.index("supervisor_program reverted")


def test_a_server_that_the_others_need_is_not_restarted(monkeypatch):
    nats = {
        "reachable": True,
        "server_name": "a",
        "safe_to_stop": False,
        "reasons": ["there is no route between a and b"],
    }
    action, result = run(
        monkeypatch,
        {"nats_info": [{"nats": nats}]},
        component="nats",
        nats_stop={"url": "x", "peers": {}, "max_silence": 5, "max_lag": 9},
    )
    assert result["msg"] == (
        "nats on a was not restarted, because the others cannot do without it now: nats-server a may not stop now: there is no route between a and b. "
        "It runs as before. Mend what is named, and run the same command again."
    )
    assert action.asked == ["nats_info"]


@pytest.mark.parametrize(("before", "failed"), [(False, True), (True, False)])
def test_a_node_that_was_synced_must_be_synced_again(monkeypatch, before, failed):
    syncing = {"reachable": True, "chain": "mainnet", "peers": 9, "syncing": True, "best": 5, "target": 9}
    answers = {
        "supervisor_program never": [{"restart_required": False}],
        "supervisor_program started": [APPLIED],
        "node_info": [{"node": dict(syncing, syncing=before)}, {"node": syncing}],
    }
    _action, result = run(
        monkeypatch,
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
        "supervisor_program_info": [AnsibleConnectionFailure("gone"), WELL],
    }
    monkeypatch.setattr(component_health.time, "sleep", lambda _: None)
    _action, result = run(monkeypatch, answers, timeout=9, interval=1)
    assert result["healthy"]


def test_a_host_that_is_lost_while_it_restarts_ends_the_run(monkeypatch):
    answers = {
        "supervisor_program never": [{"restart_required": True}],
        "supervisor_program started": [AnsibleConnectionFailure("gone")],
    }
    with pytest.raises(AnsibleConnectionFailure):
        run(monkeypatch, answers)


def test_a_stop_is_no_restart(monkeypatch):
    action, result = run(monkeypatch, {"supervisor_program stopped": [APPLIED]}, state="stopped")
    assert result["changed"] and result["stopped"] and not result["healthy"]
    assert action.asked == ["supervisor_program stopped"]


# What restart.yml and stop.yml act on


def choose(components=(), programs=(), gpu_slots=(), everything=False):
    return _roll.selection("restart", list(components), list(programs), list(gpu_slots), everything)


def test_programs_and_slots_belong_to_components():
    assert choose(["nats"], ["autonomys-full-piece", "autonomys-plot-server-1"], [3]) == {
        "nats": [],
        "caches": ["autonomys-full-piece"],
        "plot_server": ["autonomys-plot-server-1", "autonomys-plot-server-3"],
    }
    assert choose(["plot_server"], ["autonomys-plot-server-1"]) == {"plot_server": []}
    assert choose(everything=True) == dict.fromkeys(COMPONENTS, [])
    assert choose(["node"], everything=True) == {"node": []}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({}, "Say what to restart: -e restart_components=controller,node"),
        ({"components": ["controler"]}, "restart_components has controler; components are nats, node,"),
        ({"programs": ["nginx"]}, "restart_programs has nginx, which no component has"),
    ],
)
def test_what_names_nothing_is_refused(what, message):
    with pytest.raises(ValueError, match="^" + message.replace("[", r"\[")):
        choose(**what)


def test_a_stop_of_what_would_be_missed_is_refused(tutorial_model):
    nodes, storage = tutorial_model["components"]["node"], tutorial_model["components"]["plot_client"]
    assert _roll.last_ones(tutorial_model, {"controller": []}, nodes[:-1]) == []
    assert _roll.last_ones(tutorial_model, {"controller": []}, nodes) == ["That would stop controller on every host"]
    assert _roll.last_ones(tutorial_model, {"nats": []}, nodes[:1]) == []
    assert _roll.last_ones(tutorial_model, {"nats": []}, nodes[:2]) == [
        "That would stop 2 of the 3 NATS servers, and JetStream with them"
    ]
    assert _roll.last_ones(tutorial_model, {"controller": []}, storage) == []
    assert (
        _roll.last_ones(
            tutorial_model, {"plot_server": ["autonomys-plot-server-0"]}, tutorial_model["components"]["plot_server"]
        )
        == []
    )
