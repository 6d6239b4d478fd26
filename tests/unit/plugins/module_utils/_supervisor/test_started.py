# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that were started without waiting for their startsecs."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import fates, started
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon import Daemon
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon_conf import DaemonSettings
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.started import (
    ended,
    stayed_up,
    still_starting,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render

from .samples import Supervisord, info, program

A = {"name": "a", "pid": 5, "startsecs": 1}
B = {"name": "b", "pid": 6, "startsecs": 1}


@pytest.fixture
def shows(monkeypatch, tmp_path):
    """Let supervisord show one list of processes after another; gives the folder of the files of programs."""
    monkeypatch.setattr(fates, "POLL", 0.001)
    settings = DaemonSettings("/s.sock", None, None, str(tmp_path), ".conf", [f"{tmp_path}/*.conf"], None)

    def daemon(*answers):
        found = Daemon("/supervisord.conf", settings)
        found.supervisor = Supervisord(*answers)
        monkeypatch.setattr(started, "_daemon", lambda config: found)
        return tmp_path

    return daemon


def test_what_has_a_process_and_does_not_count_as_started_yet():
    active = {"a": [info("a", "STARTING", pid=5)], "b": [info("b", "RUNNING", pid=6)], "c": [info("c", "BACKOFF")]}
    assert still_starting(active, {"a": 1, "b": 1, "c": 1, "gone": 1}) == [A]
    assert still_starting({"other": [info("other", "STARTING", pid=9)]}, {"a": 1}) == []


@pytest.mark.parametrize("state", ["STARTING", "RUNNING"])
def test_nothing_is_said_of_programs_that_run_on(shows, state):
    shows([info("a", state, pid=5)])
    assert ended("x", [A]) == ""


@pytest.mark.parametrize(
    ("process", "words"),
    [
        (info("a", "STARTING", pid=7), "a on "),
        (info("a", "BACKOFF"), "unknown exit status (supervisord says BACKOFF)"),
        (info("other", "RUNNING", pid=5), "removed from supervisord by somebody else"),
    ],
)
def test_what_has_ended_is_told(shows, process, words):
    shows([process, info("b", "RUNNING", pid=6)])
    message = ended("x", [A, B])
    assert words in message and "b on" not in message


def test_each_is_waited_for_until_it_has_stayed_up(shows):
    shows(
        [info("a", "STARTING", pid=5), info("b", "STARTING", pid=6)],
        [info("a", "RUNNING", pid=5), info("b", "STARTING", pid=6)],
        [info("a", "RUNNING", pid=5), info("b", "RUNNING", pid=6)],
    )
    found = stayed_up("x", [A, B])
    assert found.programs == [
        {"name": "a", "state": "RUNNING", "pid": 5},
        {"name": "b", "state": "RUNNING", "pid": 6},
    ]
    assert (found.message, found.failed) == ("", [])


def test_one_that_was_started_again_has_not_stayed_up(shows):
    shows([info("a", "RUNNING", pid=9)])
    found = stayed_up("x", [A])
    assert "a on" in found.message and "did not stay up" in found.message
    assert [failed["name"] for failed in found.failed] == ["a"]


def test_a_log_that_repeats_a_secret_of_a_program_does_not_show_it(shows, tmp_path):
    log = tmp_path / "log"
    log.write_text("connecting with Heron-7-Lantern\n")
    folder = shows([info("a", "BACKOFF", stdout_logfile=str(log))])
    (folder / "app.conf").write_text(render([program("a", environment={"API_TOKEN": "Heron-7-Lantern"})]))
    (folder / "broken.conf").write_text("no section")
    found = stayed_up("x", [A])
    assert "connecting with" in found.message and "Heron" not in repr(found)
    assert "Heron" not in ended("x", [A])


def test_without_supervisord_there_is_an_error(tmp_path):
    with pytest.raises(ConfError, match="cannot be read: No such file"):
        ended(str(tmp_path / "none.conf"), [A])
