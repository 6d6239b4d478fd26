# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about a job on its host, with a systemd that notes what it is asked."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.commands import CommandError
from ansible_collections.autonomys.cluster.plugins.module_utils._job import host
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._job.jobs import (
    FORGET,
    JOB,
    NEVER,
    START,
    STOP,
    Systemd,
    ended,
    shown,
)


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


def test_a_systemd_that_does_not_end_is_a_sentence():
    def run(command, timeout):
        raise CommandError(f"{command[0]} did not end within {timeout} s")

    with pytest.raises(host.JobError, match="systemctl did not end within 60 s"):
        host.look(run, "autonomys-x")


def test_what_lies_below_a_path_is_counted_within_limits(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    for name in ("a", "deep/b"):
        (tmp_path / name).write_bytes(b"x" * 100)
    assert host.bytes_below(str(tmp_path)) == 200
    assert (host.bytes_below(str(tmp_path / "a")), host.bytes_below(str(tmp_path / "none"))) == (100, 0)
    monkeypatch.setattr(host, "MAX_ENTRIES", 3)
    assert host.bytes_below(str(tmp_path)) is None
    monkeypatch.setattr(host, "MAX_ENTRIES", 100)
    monkeypatch.setattr(host, "COUNT_S", -1.0)
    assert host.place(str(tmp_path), None)["watched_bytes"] is None
