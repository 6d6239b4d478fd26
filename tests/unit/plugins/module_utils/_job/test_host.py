# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about a job on its host, with a systemd that notes what it is asked."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._job import host
from ansible_collections.autonomys.cluster.plugins.modules import systemd_job, systemd_job_info
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._job.jobs import JOB, ended, shown


class Systemd:
    """Answers `systemctl show` with the states given, one after the other, and everything else with success."""

    def __init__(self, *states, start=(0, "", "")):
        self.states, self.start, self.asked = list(states), start, []

    def __call__(self, command):
        if command[:2] == ["systemctl", "show"]:
            state = self.states.pop(0)
            return state if isinstance(state, tuple) else (0, "".join(f"{k}={v}\n" for k, v in state.items()), "")
        self.asked.append(command[:2])
        return self.start if command[0] == "systemd-run" else (0, "", "")


NEVER = {"LoadState": "not-found", "ActiveState": "inactive"}
START, STOP, FORGET = ["systemd-run", "--quiet"], ["systemctl", "stop"], ["systemctl", "reset-failed"]


@pytest.fixture(autouse=True)
def anything_goes(monkeypatch):
    """The host has what the job needs."""
    monkeypatch.setattr(host, "check", lambda job: None)


def test_a_job_that_never_ran_is_started():
    systemd = Systemd(NEVER, shown())
    started = host.ensure_started(systemd, JOB, False)
    assert (started.state["state"], started.changed, started.dropped) == ("running", True, None)
    assert systemd.asked == [START]


def test_check_mode_starts_nothing():
    systemd = Systemd(NEVER)
    started = host.ensure_started(systemd, JOB, True)
    assert (started.state["state"], started.changed, systemd.asked) == ("absent", True, [])


@pytest.mark.parametrize("state", [shown(), ended()], ids=["running", "succeeded"])
def test_the_same_job_is_attached_to(state):
    systemd = Systemd(state)
    assert host.ensure_started(systemd, JOB, False).changed is False
    assert systemd.asked == []


def test_another_job_of_the_name_is_refused_while_it_runs():
    with pytest.raises(
        host.JobError, match="autonomys-x runs already with other arguments .since 2023-11-14T22:13:20Z"
    ):
        host.ensure_started(Systemd(shown()), dict(JOB, command=["/bin/y"]), False)


@pytest.mark.parametrize(
    ("state", "job", "asked", "dropped"),
    [
        (ended(), dict(JOB, command=["/bin/y"]), [STOP, FORGET, START], "ended with exit status 0 after 0:00:05"),
        (
            ended(ActiveState="failed", ExecMainStatus="3"),
            JOB,
            [FORGET, FORGET, START],
            "ended with exit status 3 after 0:00:05",
        ),
    ],
    ids=["other arguments", "failed"],
)
def test_what_ran_before_is_forgotten_and_named(state, job, asked, dropped):
    systemd = Systemd(state, shown())
    assert host.ensure_started(systemd, job, False).dropped == dropped
    assert systemd.asked == asked


def test_a_command_that_cannot_be_started_leaves_nothing():
    systemd = Systemd(NEVER, ended(ActiveState="failed"), start=(1, "", "Failed to find executable\n"))
    with pytest.raises(host.JobError, match="autonomys-x could not be started: Failed to find executable$"):
        host.ensure_started(systemd, JOB, False)
    assert systemd.asked == [START, FORGET, FORGET]


def test_a_systemd_that_does_not_answer_is_a_sentence():
    with pytest.raises(host.JobError, match="systemd does not answer what became of autonomys-x: no bus"):
        host.look(Systemd((1, "", "no bus\n")), "autonomys-x")


def test_a_systemd_that_answers_nonsense_knows_no_job():
    assert host.look(Systemd((0, "LoadState=loaded\n\0\ufffd", "")), "autonomys-x")["state"] == "absent"


# The modules


def parameters(**more):
    base = {name: spec.get("default") for name, spec in systemd_job.ARGUMENTS.items()}
    return dict(base, **dict(JOB, environment={}), **more)


def test_a_job_is_returned_with_what_was_asked_for(tmp_path):
    (tmp_path / "bytes").write_bytes(b"x" * 5000)
    params = parameters(watch=str(tmp_path), state="started")
    result = systemd_job.execute(Systemd(NEVER, shown()), params, False)
    assert (result["changed"], result["job"]["started"], result["job"]["command"]) == (True, True, JOB["command"])
    assert result["job"]["watched_bytes"] == 5000
    assert result["job"]["available_bytes"] > 0


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_job_is_ended(check_mode):
    systemd = Systemd(shown())
    assert systemd_job.execute(systemd, parameters(state="absent"), check_mode)["changed"]
    assert systemd.asked == ([] if check_mode else [STOP, FORGET])


@pytest.mark.parametrize("name", ["command", "log"])
def test_what_is_needed_to_start(name):
    with pytest.raises(host.JobError, match=f"^{name} is required for state finished$"):
        systemd_job.execute(Systemd(), dict(parameters(state="finished"), **{name: None}), False)


def test_output_is_read_from_where_the_last_look_ended(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\n")
    params = {"name": "autonomys-x", "watch": None, "log": str(log), "output_from": 4}
    result = systemd_job_info.execute(Systemd(shown()), params)
    assert (result["output"], result["output_next"], result["changed"]) == ("two\n", 8, False)
    assert "digest" not in result["job"]
    log.write_bytes(b"new\n")
    assert systemd_job_info.execute(Systemd(shown()), dict(params, output_from=8))["output"] == "new\n"
    assert systemd_job_info.execute(Systemd(shown()), dict(params, log=None))["output"] == ""
