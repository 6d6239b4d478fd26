# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of jobs: what they do with their arguments, and what they keep to themselves."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._job import host
from ansible_collections.autonomys.cluster.plugins.modules import systemd_job, systemd_job_info
from ansible_collections.autonomys.cluster.tests.unit.modules import result_of, run_module
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._job.jobs import (
    FORGET,
    JOB,
    NEVER,
    STOP,
    Systemd,
    shown,
)


@pytest.fixture(autouse=True)
def anything_goes(monkeypatch):
    """The host has what the job needs."""
    monkeypatch.setattr(host, "check", lambda job: None)


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


MARKS = ("M4RK-environment", "M4RK-argument")


@pytest.mark.parametrize(
    "change",
    [{}, {"state": "queried"}, {"interval": "often"}, {"unknown": 1}, {"environment": "M4RK-environment"}, {"log": ""}],
    ids=["started", "no such state", "wrong kind", "unknown argument", "no dictionary", "no log"],
)
def test_nothing_secret_is_logged_or_returned_as_an_argument(capsys, monkeypatch, change):
    monkeypatch.setattr(systemd_job, "run_command", Systemd(NEVER, shown()))
    arguments = {
        "name": "autonomys-x",
        "command": ["/bin/x", "--token", "M4RK-argument"],
        "environment": {"PUSH_TOKEN": "M4RK-environment"},
        "log": "/l",
        "state": "started",
    }
    answer, logged = run_module(systemd_job.main, {**arguments, **change}, capsys)
    result = result_of(answer)
    assert "autonomys-x" in answer and result["invocation"]["module_args"]["command"][0] == "/bin/x"
    # The command itself is what the task returns, where it is returned.
    result.get("job", {}).pop("command", None)
    shown_values = [repr(result), *logged]
    assert [mark for mark in MARKS if any(mark in text for text in shown_values)] == []
