# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run without Ansible: in check mode on a host without supervisor, and what it refuses."""

from __future__ import annotations

import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.decide import Definition, Request, Texts
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.run import Tools, execute, longest, report
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.steps import Action, Plan
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render

from .samples import info, program


class Host:
    """An empty host, and what a run asks of it."""

    def __init__(self, folder):
        self.folder = folder
        self.config = str(folder / "supervisord.conf")
        self.hidden = set()
        self.warnings = []
        self.tools = Tools(os.replace, self.warnings.append, self.hidden.update)

    def run(self, programs=None, state="started", check=True, name="app"):
        return execute(Request(name, programs, state, None, "now", self.config, check), self.tools)


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_a_look_at_an_empty_host_foretells_everything_and_changes_nothing(host):
    result = host.run([program("a", environment={"API_TOKEN": "sesame-open"})])
    assert result["changed"] and result["file"] == f"{host.folder}/conf.d/app.conf"
    assert [diff["after_header"] for diff in result["diff"]] == [result["file"], "programs"]
    assert [(each["name"], each["state"]) for each in result["programs"]] == [("a", "ABSENT")]
    assert host.hidden == {"sesame-open"}
    assert list(host.folder.iterdir()) == []


def test_nothing_is_removed_where_nothing_is(host):
    assert not host.run(state="absent", check=False)["changed"]


@pytest.mark.parametrize(
    ("name", "message"), [("app", "does not exist: install supervisor first"), ("a b", "name 'a b': only letters")]
)
def test_a_failure_has_what_a_result_has(host, name, message):
    with pytest.raises(ProgramError, match=message) as error:
        host.run([program("a")], check=False, name=name)
    assert error.value.details["programs"] == [] and error.value.details["changed"] is False


def test_a_fault_of_the_programs_is_told_with_the_file(host):
    with pytest.raises(ProgramError, match="is given twice") as error:
        host.run([program("a"), program("a")])
    assert error.value.details["file"] == f"{host.folder}/conf.d/app.conf"


def texts(old, new):
    return Texts(Definition.of(old, "x"), Definition.of(None, "x"), Definition.of(new, "x"), set())


def test_the_longest_of_old_and_new_counts():
    both = texts(render([program("a", stopwaitsecs=90)]), render([program("a", stopwaitsecs=5), program("b")]))
    assert [longest(both, group, "stopwaitsecs", 60) for group in ("a", "b", "c")] == [90, 60, 60]


def test_the_report_has_what_is_wanted_first_and_then_what_should_go():
    actions = [Action(name, False, False, False, False, ()) for name in ("gone", "old", "a", "new")]
    plan = Plan(actions, {"old": "old runs but is no longer wanted"})
    active = {"a": [info("a", "RUNNING", pid=5, start=10, now=30)], "old": [info("old", "RUNNING", pid=6)]}
    found = report(texts(None, render([program("a"), program("new")])), plan, active)
    assert [(each["name"], each["pid"], each["uptime_s"], each["restart_required"]) for each in found["programs"]] == [
        ("a", 5, 20, False),
        ("new", None, None, False),
        ("old", 6, 0, True),
    ]
    assert (found["restart_required"], found["reasons"]) == (True, ["old runs but is no longer wanted"])
