# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided for every combination of wanted, running and known to supervisord."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import steps
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.steps import Goal, Reload

NOTHING = Reload(set(), set())
CHANGED = Reload({"p"}, set())


def info(name, state, group=None):
    return {"name": name, "group": group or name, "statename": state, "pid": 0, "start": 0, "now": 0}


def goal(state, restart="now", **more):
    return Goal(state, state == "started" and restart == "never", **more)


def steps_of(action):
    return [step for step in ("stop", "remove", "add", "start") if getattr(action, step)]


REPLACE = ["stop", "remove", "add", "start"]
HOLD = ["stop", "remove", "add"]


@pytest.mark.parametrize(
    ("state", "restart", "reload", "process", "expected", "pending"),
    [
        # new
        ("started", "now", NOTHING, None, ["add", "start"], False),
        ("started", "never", NOTHING, None, ["add", "start"], False),
        ("restarted", "now", NOTHING, None, ["add", "start"], False),
        ("stopped", "now", NOTHING, None, ["add"], False),
        # unchanged
        ("started", "now", NOTHING, "RUNNING", [], False),
        ("started", "now", NOTHING, "STARTING", [], False),
        ("started", "now", NOTHING, "STOPPED", ["start"], False),
        ("started", "now", NOTHING, "EXITED", ["start"], False),
        ("started", "now", NOTHING, "FATAL", ["start"], False),
        ("started", "now", NOTHING, "BACKOFF", REPLACE, False),
        ("started", "now", NOTHING, "STOPPING", REPLACE, False),
        ("started", "never", NOTHING, "RUNNING", [], False),
        ("started", "never", NOTHING, "BACKOFF", REPLACE, False),
        ("restarted", "now", NOTHING, "RUNNING", REPLACE, False),
        ("restarted", "now", NOTHING, "STOPPED", REPLACE, False),
        ("restarted", "never", NOTHING, "RUNNING", REPLACE, False),
        ("stopped", "now", NOTHING, "RUNNING", HOLD, False),
        ("stopped", "never", NOTHING, "RUNNING", HOLD, False),
        ("stopped", "now", NOTHING, "BACKOFF", HOLD, False),
        ("stopped", "now", NOTHING, "EXITED", HOLD, False),
        ("stopped", "now", NOTHING, "STOPPED", [], False),
        ("stopped", "now", NOTHING, "FATAL", [], False),
        # changed
        ("started", "now", CHANGED, "RUNNING", REPLACE, False),
        ("started", "now", CHANGED, "STOPPED", REPLACE, False),
        ("started", "now", CHANGED, "FATAL", REPLACE, False),
        ("started", "now", CHANGED, "BACKOFF", REPLACE, False),
        ("started", "never", CHANGED, "RUNNING", [], True),
        ("started", "never", CHANGED, "STARTING", [], True),
        ("started", "never", CHANGED, "STOPPED", REPLACE, False),
        ("started", "never", CHANGED, "BACKOFF", REPLACE, False),
        ("started", "never", CHANGED, "STOPPING", REPLACE, False),
        ("stopped", "now", CHANGED, "RUNNING", HOLD, False),
        ("stopped", "now", CHANGED, "STOPPED", HOLD, False),
    ],
)
def test_a_wanted_program(state, restart, reload, process, expected, pending):
    active = {"p": [info("p", process)]} if process else {}
    plan = steps.make_plan(goal(state, restart), {"p": ["p"]}, set(), reload, active, {"p": "command"})
    assert [(action.group, steps_of(action)) for action in plan.actions] == [("p", expected)]
    assert dict(plan.pending) == ({"p": "p runs an older definition than its file (command)"} if pending else {})


@pytest.mark.parametrize(
    ("state", "restart", "process", "expected", "pending"),
    [
        ("started", "now", "RUNNING", ["stop", "remove"], False),
        ("started", "now", "STOPPED", ["stop", "remove"], False),
        ("started", "never", "RUNNING", [], True),
        ("started", "never", "BACKOFF", ["stop", "remove"], False),
        ("started", "never", "FATAL", ["stop", "remove"], False),
        ("stopped", "never", "RUNNING", ["stop", "remove"], False),
        ("absent", "now", "RUNNING", ["stop", "remove"], False),
    ],
)
def test_a_program_that_is_no_longer_wanted(state, restart, process, expected, pending):
    plan = steps.make_plan(goal(state, restart), {}, {"p"}, Reload(set(), {"p"}), {"p": [info("p", process)]})
    assert [steps_of(action) for action in plan.actions] == [expected]
    assert list(plan.pending.values()) == (["p runs but is no longer wanted"] if pending else [])


def test_programs_of_an_old_group_start_only_when_the_group_is_gone():
    active = {"g": [info("a", "RUNNING", "g"), info("b", "STOPPED", "g")]}
    wanted = {"a": ["a"], "b": ["b"]}
    plan = steps.make_plan(goal("started"), wanted, {"g"}, Reload(set(), {"g"}), active)
    assert [(action.group, steps_of(action), action.after) for action in plan.actions] == [
        ("g", ["stop", "remove"], ()),
        ("a", ["add", "start"], ("g",)),
        ("b", ["add", "start"], ()),
    ]


def test_programs_that_run_inside_an_old_group_are_left_alone_and_not_doubled():
    active = {"g": [info("a", "RUNNING", "g"), info("b", "STOPPED", "g")]}
    plan = steps.make_plan(goal("started", "never"), {"a": ["a"], "b": ["b"]}, {"g"}, Reload(set(), {"g"}), active)
    assert [(action.group, steps_of(action)) for action in plan.actions] == [
        ("g", []),
        ("a", []),
        ("b", ["add", "start"]),
    ]
    assert dict(plan.pending) == {"g": "g runs but is no longer wanted", "a": "a still runs inside the group g"}


@pytest.mark.parametrize("restart, process, expected, pending", [
    ("now", "RUNNING", "stop remove add", {}),
    ("never", "RUNNING", "", {"p": "p runs but should not"}),
    ("never", "STOPPED", "", {}),
    ("never", None, "add", {}),
    ("never", "BACKOFF", "stop remove add", {}),
])  # fmt: skip
def test_a_program_that_is_kept_stopped(restart, process, expected, pending):
    active = {"p": [info("p", process)]} if process else {}
    reload = Reload({"p"}, set()) if process == "RUNNING" else NOTHING
    plan = steps.make_plan(goal("started", restart, kept_stopped={"p"}), {"p": ["p"]}, set(), reload, active)
    assert (" ".join(steps_of(plan.actions[0])), dict(plan.pending)) == (expected, pending)


def test_a_group_with_one_dead_member_is_completed_not_restarted():
    active = {"g": [info("a", "RUNNING", "g"), info("b", "FATAL", "g")]}
    plan = steps.make_plan(goal("started"), {"g": ["a", "b"]}, set(), NOTHING, active)
    assert [steps_of(action) for action in plan.actions] == [["start"]]


def test_what_has_to_go_is_what_this_file_knew_or_what_runs_its_programs():
    active = {
        "known": [],
        "runs_ours": [info("p", "RUNNING", "runs_ours")],
        "foreign": [info("x", "RUNNING", "foreign")],
    }
    found = steps.to_leave(
        {"known", "wanted", "moved"}, {"wanted"}, {"known", "runs_ours", "foreign", "wanted"}, active, {"p"}
    )
    assert found == {"known", "runs_ours"}


def test_the_prediction_of_reload():
    old = {"same": 1, "edited": 1, "dropped": 1, "moved": 1, "pending": 2, "back": 2, "unknown": 1}
    new = {"same": 1, "edited": 2, "pending": 2, "back": 1, "unknown": 1, "again": 1, "new": 1}
    before = Reload({"pending", "foreign", "back", "unknown"}, {"gone", "again"})
    runs = steps.running(old, {"pending": 1, "back": 1, "again": 1, "same": 7}, before)
    found = steps.predict_reload(runs, new, {*old, "gone", "again", "foreign"}, {"moved", "foreign"})
    assert found == Reload({"edited", "pending", "unknown"}, {"dropped", "gone"})


@pytest.mark.parametrize("old, kept, new, process, before, stopped, expected", [
    (1, None, 2, "RUNNING", NOTHING, False, "now"),
    (1, 0, 2, "RUNNING", NOTHING, False, "now"),
    (1, 0, 2, "RUNNING", CHANGED, False, "former"),
    (1, None, 2, "RUNNING", CHANGED, False, "unknown"),
    (1, None, 2, "STOPPED", CHANGED, False, "none"),
    (1, 0, 2, "STOPPED", NOTHING, False, "now"),
    (1, 0, 2, "STOPPED", NOTHING, True, "former"),
    (1, None, 2, "STOPPED", NOTHING, True, "none"),
    (1, 0, 2, "BACKOFF", NOTHING, False, "former"),
    (1, 0, 2, "FATAL", NOTHING, False, "former"),
    (1, 0, 1, "BACKOFF", NOTHING, False, "now"),
    (1, None, 2, "BACKOFF", NOTHING, False, "none"),
    (1, 0, 2, None, NOTHING, False, "former"),
    (1, None, 2, None, NOTHING, False, "none"),
    (None, 0, 2, "RUNNING", Reload(set(), {"p"}), False, "former"),
    (None, 0, 2, None, NOTHING, False, "none"),
])  # fmt: skip
def test_groups_that_ran(old, kept, new, process, before, stopped, expected):
    active = {"p": [info("p", process)]} if process else {}
    texts = [{"p": value} if value is not None else {} for value in (old, kept, new)]
    found = steps.groups_that_ran(*texts, before, active, {"p"} if stopped else set())
    assert found == {"now": ({"p"}, set()), "former": (set(), {"p"}), "none": (set(), set()), "unknown": None}[expected]


def test_the_description_lists_only_what_becomes_different():
    active = {
        "keeps": [info("keeps", "RUNNING")],
        "older": [info("older", "RUNNING")],
        "goes": [info("goes", "RUNNING")],
        "dead": [info("dead", "BACKOFF")],
    }
    wanted = {"keeps": ["keeps"], "older": ["older"], "dead": ["dead"], "new": ["new"]}
    reload = Reload({"older"}, {"goes"})
    plan = steps.make_plan(goal("started"), wanted, {"goes"}, reload, active)
    assert steps.describe(plan, NOTHING, active) == (
        "goes: running\nolder: running\ndead: backoff\nnew: absent\n",
        "goes: absent\nolder: running (restarted)\ndead: running\nnew: running\n",
    )
    never = steps.make_plan(goal("started", "never"), wanted, {"goes"}, reload, active)
    assert steps.describe(never, NOTHING, active)[1].startswith(
        "goes: running (change pending)\nolder: running (change pending)\n"
    )
    # a second look at what is pending already has nothing to tell of it
    assert steps.describe(never, reload, active)[0] == "dead: backoff\nnew: absent\n"
