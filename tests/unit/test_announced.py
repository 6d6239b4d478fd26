# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of what readings announce with what roles change sees both kinds of difference."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

PATH = Path(__file__).parents[1] / "callbacks/announced.py"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of site.yml; what it is told is compared by asking for its lines."""
    spec = importlib.util.spec_from_file_location("announced", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("ANNOUNCED_FILE", str(tmp_path / "announced"))
    callback = module.CallbackModule()
    callback.v2_playbook_on_start(SimpleNamespace(_file_name="/x/site.yml"))

    def lines():
        callback.v2_playbook_on_stats(None)
        return (tmp_path / "announced").read_text().splitlines()

    return SimpleNamespace(callback=callback, lines=lines, file=tmp_path / "announced")


def result(action, answer, role=None):
    named = SimpleNamespace(get_name=lambda: f"autonomys.cluster.{role}")
    task = SimpleNamespace(action=action, _role=named if role else None)
    return SimpleNamespace(_host=SimpleNamespace(get_name=lambda: "a"), _task=task, _result=answer)


def reading(changed):
    program = {"changed": changed, "restart_required": False}
    told = {"prepare": {"changes": []}, "release": {"changed": False}, "components": {"node": {"program": program}}}
    return result("autonomys.cluster.host_reading_info", {"reading": {**told, "monitoring": None, "lock": None}})


def role(changed):
    return result("autonomys.cluster.supervisor_program", {"changed": changed}, "node")


@pytest.mark.parametrize(
    ("announced", "came", "lines"),
    [
        (False, False, []),
        (True, True, []),
        (False, True, ["a: node was changed, and nothing had announced it"]),
        (True, False, ["a: node was to change, and did not"]),
    ],
)
def test_differences_are_seen(run, announced, came, lines):
    run.callback.v2_runner_on_ok(reading(announced))
    run.callback.v2_runner_on_ok(role(came))
    assert run.lines() == lines


@pytest.mark.parametrize("end", ["v2_runner_on_unreachable", "v2_runner_on_failed"])
def test_a_run_that_was_cut_off_need_not_have_come_to_everything(run, end):
    run.callback.v2_runner_on_ok(reading(True))
    getattr(run.callback, end)(role(False))
    assert run.lines() == []


def test_other_playbooks_are_not_compared(run):
    run.callback.v2_playbook_on_start(SimpleNamespace(_file_name="/x/restart.yml"))
    run.callback.v2_playbook_on_stats(None)
    assert not run.file.exists()
