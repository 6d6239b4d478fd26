# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._job.systemd import (
    digest,
    properties,
    start_command,
    state_of,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._job.words import outcome
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._job.jobs import JOB, ended, shown


def test_systemd_is_asked_for_a_service_that_keeps_its_result():
    command = start_command(JOB)
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
    assert digest(dict(JOB, **change)) != digest(JOB)
    assert digest(dict(JOB, log="/other")) == digest(JOB)


def test_a_running_job_tells_since_when():
    state = state_of(shown(), 130.0)
    assert (state["state"], state["wall_s"], state["started_at"], state["digest"]) == (
        "running",
        30.0,
        "2023-11-14T22:13:20Z",
        digest(JOB),
    )
    assert outcome(state) == "has been running for 0:00:30"
    assert state_of(shown(ActiveState="deactivating", SubState="stop-sigterm"), 130.0)["state"] == "running"


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
    job = state_of(ended(**changes), 200.0)
    assert (job["state"], outcome(job)) == (state, words)


def test_properties_are_read_as_systemctl_prints_them():
    assert properties("A=1\nDescription=x = y\n\n") == {"A": "1", "Description": "x = y"}
