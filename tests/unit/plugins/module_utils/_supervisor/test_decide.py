# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run decides from what it is asked for, what the files say and what supervisord runs."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.decide import (
    Decision,
    Definition,
    Request,
    Seen,
    Texts,
    decide,
    final_text,
    interim_text,
    old_definition,
    plan_again,
    text_that_ran,
    wanted_text,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError, ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.marks import leaving, with_leaving
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.steps import Plan, Reload
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render

from .samples import info, program

PATH = "/conf.d/app.conf"
NOTHING = Reload(set(), set())


def request(state="started", programs=None, only=None, restart="now", check=False):
    return Request("app", programs, state, only, restart, "/supervisord.conf", check)


def texts(old, kept, new, foreign=()):
    return Texts(*(Definition.of(text, PATH) for text in (old, kept, new)), set(foreign))


def text(*names, **more):
    return render([program(name, **more) for name in names])


def runs(*names):
    return Seen(False, NOTHING, False, {name: [info(name, "RUNNING")] for name in names})


DOWN = Seen(True, NOTHING, False, {})


def test_a_request_says_what_it_means():
    assert (request("reverted").goal, request("reverted").reverts) == ("started", True)
    assert request(restart="never").leaves_running
    assert not request("restarted", restart="never").leaves_running
    assert not request("reverted", restart="never").leaves_running


@pytest.mark.parametrize(
    ("asked", "old", "kept", "expected"),
    [
        (request("absent"), text("a"), None, None),
        (request(programs=[program("b")]), text("a"), None, text("b")),
        (request("stopped", programs=[program("b")]), None, None, render([program("b")], autostart=False)),
        (request(), with_leaving(text("a"), ["b"]), None, text("a")),
        (request("stopped"), text("a"), None, render([program("a")], autostart=False)),
        (request("stopped", only=["a"]), text("a"), None, render([program("a")], autostart=False)),
        (request("stopped", only=["b"]), text("a"), None, text("a")),
        (request("stopped"), None, None, None),
        (request(check=True), None, None, None),
        (request("reverted"), text("b"), render([program("a")], autostart=False), text("a")),
    ],
)
def test_the_wanted_text(asked, old, kept, expected):
    assert wanted_text(asked, old, kept, PATH) == expected


@pytest.mark.parametrize(
    ("asked", "kept", "message"),
    [
        (request(), None, "/conf.d/app.conf does not exist: give its programs"),
        (request(programs=[program()], only=["p"]), None, "only needs programs to be left out"),
        (request("absent", only=["p"]), None, "only needs programs to be left out"),
        (request("reverted"), None, "nothing to go back to"),
        (request("reverted", programs=[]), text("a"), "state=reverted takes no programs"),
    ],
)
def test_what_cannot_be_wanted_is_refused(asked, kept, message):
    with pytest.raises(ProgramError, match=message):
        wanted_text(asked, None, kept, PATH)


def test_a_file_that_cannot_be_read_is_nothing_where_it_is_written_anew():
    assert old_definition(request(programs=[]), "no section\n", PATH).groups == {}
    with pytest.raises(ConfError, match="cannot be read"):
        old_definition(request(), "no section\n", PATH)


def test_a_changed_program_restarts_and_what_ran_is_kept():
    old, new = text("a", "b"), render([program("a"), program("b", environment={"X": "1"})])
    found = decide(request(), texts(old, None, new), runs("a", "b"))
    assert [(action.group, action.stop) for action in found.plan.actions] == [("a", False), ("b", True)]
    assert (found.ran, found.keep, found.changes["b"]) == (old, old, "environment")
    never = decide(request(restart="never"), texts(old, None, new), runs("a", "b"))
    assert never.plan.pending == {"b": "b runs an older definition than its file (environment)"}


def test_a_supervisord_that_is_down_needs_nothing_to_be_stopped_and_starts_the_rest():
    assert decide(request("stopped"), texts(text("a"), None, text("a")), DOWN).plan == Plan([], {})
    found = decide(request(), texts(text("a"), None, text("b")), DOWN)
    assert [(action.group, action.start) for action in found.plan.actions] == [("b", True)]
    assert found.ran == text("a")


def test_groups_of_other_files_are_not_taken_away():
    old, new = text("a", "moved"), text("a")
    assert [action.group for action in decide(request(), texts(old, None, new), runs("a", "moved")).plan.actions] == [
        "moved",
        "a",
    ]
    found = decide(request(), texts(old, None, new, foreign=["moved"]), runs("a", "moved"))
    assert [action.group for action in found.plan.actions] == ["a"]


def test_a_way_back_that_was_cut_off_restarts_what_still_runs_with_the_failed_definition():
    good, bad = text("a"), render([program("a", environment={"X": "1"})])
    seen = Seen(False, Reload({"a"}, set()), False, {"a": [info("a", "RUNNING")]})
    found = decide(request("reverted"), texts(good, good, good), seen)
    assert [action.stop for action in found.plan.actions] == [True]
    assert found.keep is None
    assert decide(request(), texts(bad, good, good), seen).plan.actions[0].stop is False


def test_what_ran_is_unknown_where_supervisord_refuses_the_file():
    refused = Seen(False, NOTHING, True, {"a": [info("a", "RUNNING")]})
    assert text_that_ran(request(), texts(text("a"), None, text("b")), refused) is None
    assert text_that_ran(request(), texts(text("a"), None, text("b")), runs("a")) == text("a")
    assert text_that_ran(request(), texts(text("a"), text("c"), text("a")), runs("a")) == text("c")


def test_a_plan_is_made_again_by_what_supervisord_says():
    both = texts(text("a"), None, text("a"))
    empty = Decision(Plan([], {}), None, None, {})
    found = plan_again(request(), both, empty, Reload({"a"}, set()), runs("a").active)
    assert [action.stop for action in found.plan.actions] == [True]


def test_the_file_remembers_what_is_to_go_until_it_is_gone():
    both = texts(text("a", "b"), None, text("a"))
    now = decide(request(), both, runs("a", "b")).plan
    assert leaving(interim_text(both, now)) == ["b"]
    assert final_text(both, now) == text("a")
    never = decide(request(restart="never"), both, runs("a", "b")).plan
    assert leaving(final_text(both, never)) == ["b"]
