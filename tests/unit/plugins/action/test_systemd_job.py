# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the action waits for a job."""

from __future__ import annotations

import itertools
import json

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible_collections.autonomys.cluster.plugins.action import systemd_job as action
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._job.jobs import JOB


class Task:
    """What the action plugin needs of a task."""

    def __init__(self, args, check_mode=False):
        self.args, self.check_mode, self.async_val, self.diff = args, check_mode, 0, False


@pytest.fixture
def play(monkeypatch):
    """Run the action with these answers of the modules; gives the result, what was shown and what was asked."""
    monkeypatch.setattr(action.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(action.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})

    def start(answers, check_mode=False, **args):
        plugin = action.ActionModule.__new__(action.ActionModule)
        plugin._task = Task(dict({"name": "autonomys-x", "command": JOB["command"], "log": "/l"}, **args), check_mode)
        asked, said, left = [], [], iter(answers)

        def module(called, **module_args):
            asked.append(dict(module_args, module=called))
            if module_args.get("state") == "absent":
                return {"changed": True}
            answer = next(left)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(plugin, "_module", module, raising=False)
        monkeypatch.setattr(plugin, "_say", said.append, raising=False)
        try:
            result = plugin.run(task_vars={"inventory_hostname": "node-1"})
        except AnsibleActionFail as error:
            result = {"failed": True, "msg": str(error)}
        return result, said, asked

    return start


def answer(state="running", wall_s=1.0, output="", end=0, started=False, watched=None, **more):
    fields = {
        "state": state,
        "wall_s": wall_s,
        "started": started,
        "exit_status": None,
        "signal": None,
        "result": "success",
    }
    fields.update(started_at="2026-01-31T12:00:00Z", watched_bytes=watched, log="/l", command=JOB["command"])
    fields.update(more)
    return {"changed": started, "job": fields, "output": output, "output_next": end}


def test_output_is_shown_while_it_comes_and_the_result_is_taken_once(play):
    last = answer("succeeded", wall_s=3.0, output="end\n", end=12, exit_status=0)
    result, said, asked = play(
        [answer(started=True), answer(output="one\ntwo\n", end=8, wall_s=2.0), last, answer("succeeded")]
    )
    assert result["changed"] is True
    assert result["job"]["started"] is True
    assert result["job"]["last_lines"] == ["one", "two", "end"]
    assert said == [
        "started: /bin/x --price $5",
        "0:00:02\n    one\n    two",
        "0:00:03\n    end",
        "ended with exit status 0 after 0:00:03",
    ]
    assert [look["output_from"] for look in asked if look["module"] == action.INFO] == [0, 8, 12]
    assert asked[-1] == {"module": action.MODULE, "name": "autonomys-x", "state": "absent"}


def test_a_job_that_runs_already_is_attached_to(play):
    result, said, _asked = play([answer(), answer("succeeded", exit_status=0)])
    assert said[0] == "runs already, since 2026-01-31T12:00:00Z; attached to it"
    assert (result["changed"], result["job"]["state"]) == (False, "succeeded")


def test_a_result_that_nobody_saw_is_taken(play):
    _result, said, _asked = play([answer("succeeded", exit_status=0)] * 2)
    assert said[0] == "has run already while nobody watched, since 2026-01-31T12:00:00Z; this is its result"


def test_a_result_that_is_dropped_is_said(play):
    first = answer("succeeded", exit_status=0, started=True, dropped="ended with exit status 1 after 0:00:09")
    _result, said, _asked = play([first, answer("succeeded", exit_status=0)])
    assert said[0] == "an earlier run, which nobody watched to its end, ended with exit status 1 after 0:00:09"


def test_a_failure_has_status_output_log_and_remedy(play):
    result, _said, _asked = play(
        [answer(started=True), answer("failed", exit_status=1, output="Error: full\n", end=12), answer("failed")],
        remedy="Fix it.",
    )
    assert result["failed"] is True
    assert result["msg"] == (
        "autonomys-x ended with exit status 1 after 0:00:01. Its last output:\n    Error: full\n"
        "All of it is in /l on node-1. Fix it."
    )


def test_a_job_that_vanished_is_a_failure(play):
    result, _said, _asked = play([answer(started=True), answer("absent", wall_s=None)])
    assert result["msg"].startswith(
        "autonomys-x is gone without a result: it was stopped by hand, or its host was restarted. It wrote nothing"
    )


def test_a_lost_connection_does_not_end_the_wait(play):
    result, said, _asked = play(
        [answer(started=True), AnsibleConnectionFailure("timed out"), answer("succeeded", exit_status=0)]
    )
    assert result["job"]["state"] == "succeeded"
    assert any("cannot be reached, its job goes on: timed out" in words for words in said)


def test_a_worker_of_a_run_that_was_killed_leaves_the_result_to_the_next(play, tmp_path, monkeypatch):
    """Ansible's workers outlive a killed run: one that went on would take the result that the next run waits for."""
    parents = iter([100, 100, 1])
    monkeypatch.setattr(action.os, "getppid", lambda: next(parents, 1))
    result, _said, asked = play([answer(started=True), answer()], results=str(tmp_path / "results"))
    assert result["msg"] == "the run that waited for autonomys-x has ended; its job goes on"
    assert all(look.get("state") != "absent" for look in asked)
    assert list((tmp_path / "results/autonomys-x").iterdir()) == []


def test_a_host_that_stays_away_ends_the_wait(play, monkeypatch):
    monkeypatch.setattr(action, "PATIENCE", -1)
    with pytest.raises(AnsibleConnectionFailure):
        play([answer(started=True), AnsibleConnectionFailure("timed out")])


def test_the_rate_is_over_a_minute_and_not_since_the_start(play):
    mib = 1024**2
    looks = [answer(wall_s=float(second), watched=size * mib) for second, size in ((10, 100), (20, 110), (90, 180))]
    looks = [answer(started=True, wall_s=0.0, watched=0), *looks, answer("succeeded", wall_s=100.0, watched=190 * mib)]
    _result, said, _asked = play(looks, expected_bytes=200 * mib)
    assert said[3] == "0:01:30, 180.0 MiB of about 200.0 MiB, 1.0 MiB/s, about 0:00:20 left"


def test_check_mode_says_what_would_run_and_waits_for_nothing(play):
    result, said, asked = play([dict(answer("absent", wall_s=None), changed=True)], check_mode=True)
    assert (result["changed"], said, len(asked)) == (True, ["would run: /bin/x --price $5"], 1)


def at(monkeypatch, hour):
    """The control node's clock, by which runs are named."""
    monkeypatch.setattr(action.time, "gmtime", lambda: (2026, 1, 31, hour, 0, 0, 5, 31, 0))


def test_every_run_is_kept_and_compared(play, tmp_path, monkeypatch):
    at(monkeypatch, 12)
    first = [answer(started=True), answer("succeeded", exit_status=0, output="fast\n", end=5), answer("succeeded")]
    result, _said, _asked = play(first, results=str(tmp_path / "results"))
    assert result["comparison"][1] == "There is no earlier run to compare with."
    at(monkeypatch, 13)
    later = [
        answer(started=True),
        answer("failed", exit_status=1, output="slow\n", end=5, started_at="2026-01-31T13:00:00Z"),
        answer("failed"),
    ]
    result, said, asked = play(later, results=str(tmp_path / "results"))
    folder = tmp_path / "results/autonomys-x/2026-01-31T130000Z-node-1"
    assert result["kept"] == str(folder)
    assert (folder / "output.log").read_text() == "slow\n"
    kept = json.loads((folder / "run.json").read_text())
    assert (kept["exit_status"], kept["wall_s"], kept["command"]) == (1, 1.0, JOB["command"])
    assert (
        "Last run, 2026-01-31T12:00:00Z on node-1 with the same arguments: ended with exit status 0 after 0:00:01."
        in said[-1]
    )
    assert asked[-1]["state"] == "absent"


def test_a_result_that_cannot_be_kept_is_not_forgotten(play, tmp_path):
    (tmp_path / "results").write_text("a file in the way")
    result, _said, asked = play([answer("succeeded", exit_status=0)] * 2, results=str(tmp_path / "results"))
    assert "cannot be kept in" in result["msg"]
    assert asked[-1].get("state") != "absent"


# A host that lies


@pytest.mark.parametrize("started_at", ["../../elsewhere/x", "/etc/x", "", None])
def test_where_a_run_is_kept_is_not_the_host_s_to_say(play, tmp_path, monkeypatch, started_at):
    at(monkeypatch, 12)
    ended = answer("succeeded", exit_status=0, output="one\n", started_at=started_at)
    looks = [answer(started=True), ended, answer("succeeded")]
    result, _said, _asked = play(looks, results=str(tmp_path / "results"))
    assert result["kept"] == str(tmp_path / "results/autonomys-x/2026-01-31T120000Z-node-1")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize("size", [1, 1000])
def test_output_without_end_ends(play, tmp_path, monkeypatch, size):
    monkeypatch.setattr(action, "MAX_OUTPUT", 50_000)
    ever = answer("succeeded", exit_status=0, output="x" * size, end=7)
    looks = itertools.chain([answer(started=True)], itertools.repeat(ever))
    result, said, asked = play(looks, results=str(tmp_path / "results"))
    assert len(asked) < 310
    [kept] = (tmp_path / "results/autonomys-x").iterdir()
    assert (kept / "output.log").stat().st_size <= 50_000
    assert result["job"]["state"] == "succeeded"
    assert any("the rest is in /l on node-1 only" in words for words in said) == (size == 1000)


@pytest.mark.parametrize(
    "change",
    [
        {"output": None},
        {"output": ["x"]},
        {"output_next": "7"},
        {"output_next": -1},
        {"output_next": True},
        {"job": None},
        {"job": {"state": "fine"}},
        {"job": {"state": "running", "wall_s": "1"}},
        {"job": {"state": "running", "watched_bytes": [1]}},
        {"job": {"state": "running", "started_at": "x\nnode-2: all is well"}},
        {"job": {"state": "failed", "result": "x" * 5000}},
    ],
)
def test_an_answer_that_tells_nothing_is_a_sentence(play, change):
    result, _said, _asked = play([answer(started=True), dict(answer("running"), **change)])
    assert result["msg"] == "node-1 answered something that tells nothing of autonomys-x"


def test_odd_characters_are_kept_as_they_can_be_written(play, tmp_path):
    looks = [answer(started=True), answer("succeeded", exit_status=0, output="\ud800\x1b[2J\n"), answer("succeeded")]
    result, _said, _asked = play(looks, results=str(tmp_path / "results"))
    with open(f"{result['kept']}/output.log", encoding="utf-8") as file:
        assert file.read() == "\\ud800\x1b[2J\n"


def test_output_of_a_job_does_not_steer_the_terminal(play, monkeypatch):
    evil = "\x1b]0;owned\x07\x1b[1A\x1b[2K said hello\n"
    ended = answer("failed", exit_status=1, output=evil, end=len(evil))
    result, _said, _asked = play([answer(started=True), ended, answer("failed", exit_status=1)])
    assert result["failed"] and "\\x1b[2K said hello" in result["msg"] and "\x1b" not in result["msg"]
    shown = []
    monkeypatch.setattr(action.Display, "display", lambda _self, text: shown.append(text))
    plugin = action.ActionModule.__new__(action.ActionModule)
    plugin._host, plugin._name = "node-1", "autonomys-x"
    plugin._say("0:00:01\n    " + evil)
    assert shown == ["node-1: autonomys-x: 0:00:01\n    \\x1b]0;owned\\x07\\x1b[1A\\x1b[2K said hello\n"]
