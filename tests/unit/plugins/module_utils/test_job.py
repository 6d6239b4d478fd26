# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: what systemd is asked, what its answers mean, and how the action plugin waits."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible_collections.autonomys.cluster.plugins.action import systemd_job as action
from ansible_collections.autonomys.cluster.plugins.module_utils import _job

JOB = {
    "name": "autonomys-x",
    "command": ["/bin/x", "--price", "$5"],
    "environment": {"B": "2", "A": "a b"},
    "user": "u",
    "directory": "/d",
    "log": "/l",
}


def shown(**more):
    """What `systemctl show` says of a job that was started at 100 s."""
    base = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "Result": "success",
        "ExecMainCode": "0",
        "ExecMainStatus": "0",
        "ExecMainStartTimestamp": "@1700000000",
        "ExecMainStartTimestampMonotonic": "100000000",
        "ExecMainExitTimestampMonotonic": "0",
        "Description": f"autonomys-x (job {_job.digest(JOB)})",
    }
    return dict(base, **more)


def ended(**more):
    return shown(
        **dict({"SubState": "exited", "ExecMainCode": "1", "ExecMainExitTimestampMonotonic": "105500000"}, **more)
    )


def test_systemd_is_asked_for_a_service_that_keeps_its_result():
    command = _job.start_command(JOB)
    assert command[:5] == ["systemd-run", "--quiet", "--unit", "autonomys-x.service", "--description"]
    assert "--property=RemainAfterExit=yes" in command
    assert "--property=User=u" in command
    assert "--property=WorkingDirectory=/d" in command
    assert "--property=StandardOutput=truncate:/l" in command
    assert [word for word in command if word.startswith("--setenv")] == ["--setenv=A=a b", "--setenv=B=2"]
    # systemd would expand a single dollar sign
    assert command[command.index("--") + 1 :] == ["/bin/x", "--price", "$$5"]


@pytest.mark.parametrize("change", [{"command": ["/bin/x"]}, {"environment": {}}, {"user": None}, {"directory": "/e"}])
def test_a_job_is_known_by_all_that_it_does(change):
    assert _job.digest(dict(JOB, **change)) != _job.digest(JOB)
    assert _job.digest(dict(JOB, log="/other")) == _job.digest(JOB)


def test_a_running_job_tells_since_when():
    state = _job.state_of(shown(), 130.0)
    assert (state["state"], state["wall_s"], state["started_at"], state["digest"]) == (
        "running",
        30.0,
        "2023-11-14T22:13:20Z",
        _job.digest(JOB),
    )
    assert _job.outcome(state) == "has been running for 0:00:30"
    assert _job.state_of(shown(ActiveState="deactivating", SubState="stop-sigterm"), 130.0)["state"] == "running"


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "succeeded", "ended with exit status 0 after 0:00:05"),
        (
            {"ActiveState": "failed", "ExecMainStatus": "3", "Result": "exit-code"},
            "failed",
            "ended with exit status 3 after 0:00:05",
        ),
        (
            {"ActiveState": "failed", "ExecMainCode": "2", "ExecMainStatus": "9", "Result": "signal"},
            "failed",
            "was killed by SIGKILL after 0:00:05",
        ),
        (
            {"ActiveState": "failed", "ExecMainCode": "2", "ExecMainStatus": "9", "Result": "oom-kill"},
            "failed",
            "was killed by SIGKILL after 0:00:05 (out of memory)",
        ),
        (
            {"ActiveState": "inactive", "SubState": "dead"},
            "absent",
            "is gone without a result: it was stopped by hand, or its host was restarted",
        ),
        (
            {"LoadState": "not-found", "ActiveState": "inactive"},
            "absent",
            "is gone without a result: it was stopped by hand, or its host was restarted",
        ),
    ],
)
def test_the_end_of_a_job_is_said_in_words(changes, state, words):
    job = _job.state_of(ended(**changes), 200.0)
    assert (job["state"], _job.outcome(job)) == (state, words)


def test_properties_are_read_as_systemctl_prints_them():
    assert _job.properties("A=1\nDescription=x = y\n\n") == {"A": "1", "Description": "x = y"}


@pytest.mark.parametrize(
    ("measured", "expected", "before", "words"),
    [
        (None, 0, None, "0:01:40"),
        (0, 0, None, "0:01:40, 0 B"),
        (3 * 1024**2, 0, (98, 1024**2), "0:01:40, 3.0 MiB, 1.0 MiB/s"),
        (3 * 1024**2, 63 * 1024**2, (98, 1024**2), "0:01:40, 3.0 MiB of about 63.0 MiB, 1.0 MiB/s, about 0:01:00 left"),
        (3 * 1024**2, 2 * 1024**2, (98, 1024**2), "0:01:40, 3.0 MiB of about 2.0 MiB, 1.0 MiB/s"),
        (1024, 10 * 1024**4, (98, 1024), "0:01:40, 1.0 KiB of about 10.0 TiB, 0 B/s"),
    ],
)
def test_progress_is_time_size_rate_and_end(measured, expected, before, words):
    assert _job.progress(100, before, measured, expected) == words


def test_long_durations_have_days():
    assert _job.duration(3 * 86400 + 7384) == "3 d 2:03:04"


def test_last_lines_leave_out_nothing_but_emptiness():
    assert _job.last_lines("a\n\n  b \r\n10 %\r20 %\n\n", 2) == ["  b", "20 %"]
    assert _job.last_lines("", 3) == []


def run_of(**more):
    base = dict(ended(), **{})
    job = _job.state_of(base, 0)
    kept = {key: job[key] for key in ("started_at", "wall_s", "state", "exit_status", "signal", "result")}
    return dict(kept, host="node-1", command=["/v1/farmer", "util"], last_lines=["12 sectors/s"], **more)


def test_the_first_run_has_nothing_to_be_compared_with():
    assert _job.comparison(run_of(), None) == [
        "This run: ended with exit status 0 after 0:00:05.",
        "There is no earlier run to compare with.",
    ]


def test_a_run_is_compared_with_the_last_one():
    now, last = (
        run_of(),
        dict(run_of(), wall_s=5.0, command=["/v0/farmer", "util", "--sectors", "2"], last_lines=["10 sectors/s"]),
    )
    assert _job.comparison(now, last) == [
        "This run: ended with exit status 0 after 0:00:05.",
        "Last run, 2023-11-14T22:13:20Z on node-1 with other arguments: ended with exit status 0 after 0:00:05.",
        "Its arguments: util --sectors 2",
        "Its program: /v0/farmer",
        "Wall time: 5.5 s now, 5.0 s then (+0.5 s, +10 %).",
        "Now:  12 sectors/s",
        "Then: 10 sectors/s",
    ]


# --- waiting --------------------------------------------------------------------------------------------------------------------------


class Task:
    """What the action plugin needs of a task."""

    def __init__(self, args, check_mode=False):
        self.args, self.check_mode, self.async_val, self.diff = args, check_mode, 0, False


@pytest.fixture
def play(monkeypatch):
    """Run the action with these answers of the module, one after the other; gives result, what was shown and what was asked."""
    monkeypatch.setattr(action.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(action.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})

    def start(answers, check_mode=False, **args):
        plugin = action.ActionModule.__new__(action.ActionModule)
        plugin._task = Task(dict({"name": "autonomys-x", "command": JOB["command"], "log": "/l"}, **args), check_mode)
        asked, said, left = [], [], list(answers)

        def module(**module_args):
            asked.append(module_args)
            if module_args.get("state") == "absent":
                return {"changed": True}
            answer = left.pop(0)
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
    assert [look["output_from"] for look in asked if look.get("state") == "queried"] == [0, 8, 12]
    assert asked[-1] == {"name": "autonomys-x", "state": "absent"}


def test_a_job_that_runs_already_is_attached_to(play):
    result, said, _asked = play([answer(), answer("succeeded", exit_status=0)])
    assert said[0] == "runs already, since 2026-01-31T12:00:00Z; attached to it"
    assert (result["changed"], result["job"]["state"]) == (False, "succeeded")


def test_a_result_that_nobody_saw_is_taken(play):
    _result, said, _asked = play([answer("succeeded", exit_status=0)])
    assert said[0] == "has run already while nobody watched, since 2026-01-31T12:00:00Z; this is its result"


def test_a_result_that_is_dropped_is_said(play):
    first = answer("succeeded", exit_status=0, started=True, dropped="ended with exit status 1 after 0:00:09")
    _result, said, _asked = play([first])
    assert said[0] == "an earlier run, which nobody watched to its end, ended with exit status 1 after 0:00:09"


def test_a_failure_has_status_output_log_and_remedy(play):
    result, _said, _asked = play(
        [answer("failed", exit_status=1, output="Error: full\n", end=12, started=True), answer("failed")],
        remedy="Mend it.",
    )
    assert result["failed"] is True
    assert (
        result["msg"]
        == "autonomys-x ended with exit status 1 after 0:00:01. Its last output:\n    Error: full\nAll of it is in /l on node-1. Mend it."
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


def test_every_run_is_kept_and_compared(play, tmp_path):
    first = [answer("succeeded", started=True, exit_status=0, output="fast\n", end=5), answer("succeeded")]
    result, _said, _asked = play(first, results=str(tmp_path / "results"))
    assert result["comparison"][1] == "There is no earlier run to compare with."
    later = [
        answer("failed", started=True, exit_status=1, output="slow\n", end=5, started_at="2026-01-31T13:00:00Z"),
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
    result, _said, asked = play([answer("succeeded", started=True, exit_status=0)], results=str(tmp_path / "results"))
    assert "cannot be kept in" in result["msg"]
    assert asked[-1].get("state") != "absent"
