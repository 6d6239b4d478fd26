# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How programs fare that were started."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import fates
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon import Daemon
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon_conf import DaemonSettings
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.fates import (
    Failure,
    describe,
    fate_of,
    how_it_ended,
    wait,
)

from .samples import Supervisord, info


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(fates, "POLL", 0.001)


def daemon(*answers, log=None):
    found = Daemon("/supervisord.conf", DaemonSettings("/s.sock", None, None, "/conf.d", ".conf", [], log))
    found.supervisor = Supervisord(*answers)
    return found


@pytest.mark.parametrize(
    ("process", "pid", "expected"),
    [
        (info("a", "RUNNING", pid=5), None, ""),
        (info("a", "RUNNING", pid=5), 5, ""),
        (info("a", "RUNNING", pid=6), 5, "unknown exit status"),
        (info("a", "STARTING", pid=5), 5, None),
        (info("a", "STOPPED"), None, None),
        (info("a", "STOPPED", start=1), None, "unknown exit status"),
        (info("a", "EXITED", exitstatus=3), 5, "exit status 3"),
        (info("a", "BACKOFF", spawnerr="Exited too quickly (process log may have details)"), 0, "Exited too quickly"),
        (info("a", "BACKOFF", spawnerr="can't find command '/x'"), 0, "can't find command '/x'"),
        (info("a", "ABSENT"), None, "removed from supervisord by somebody else"),
    ],
)
def test_a_process_is_judged(process, pid, expected):
    found = fate_of(daemon([]), process, pid)
    assert found == expected if not expected else expected in found


def test_a_program_that_could_not_be_started_says_why():
    found = daemon([])
    found.spawn_faults["a"] = "SPAWN_ERROR"
    assert fate_of(found, info("a", "FATAL"), None) == "SPAWN_ERROR"


def test_the_exit_status_of_an_early_end_is_in_the_log(tmp_path):
    log = tmp_path / "log"
    log.write_text("exited: ab (exit status 9; not expected)\nexited: a (exit status 3; not expected)\n")
    assert (
        how_it_ended(daemon([], log=str(log)), info("a", "BACKOFF", spawnerr="Exited too quickly")) == "exit status 3"
    )


def test_a_program_is_waited_for_until_it_runs():
    active, failures = wait(daemon([info("a", "STARTING", pid=5)], [info("a", "RUNNING", pid=5)]), {"a": 1})
    assert active["a"][0]["statename"] == "RUNNING"
    assert failures == {}


def test_a_program_that_only_must_begin_is_waited_for_until_it_has_a_process():
    answers = [info("a", "STOPPED")], [info("a", "STARTING", pid=5)]
    active, failures = wait(daemon(*answers), {"a": 100}, settle=False)
    assert (active["a"][0]["pid"], failures) == (5, {})
    assert wait(daemon([info("a", "BACKOFF")]), {"a": 100}, settle=False)[1]["a"].fate == "unknown exit status"


def test_another_process_than_the_one_that_was_started_is_a_failure():
    _active, failures = wait(daemon([info("a", "RUNNING", pid=6)]), {"a": 1}, pids={"a": 5})
    assert list(failures) == ["a"]


def test_failures_are_told_and_others_waited_for():
    answers = [info("a", "FATAL"), info("b", "STARTING", pid=5)], [info("a", "FATAL"), info("b", "RUNNING", pid=5)]
    active, failures = wait(daemon(*answers), {"a": 1, "b": 1, "gone": 1})
    assert active["b"][0]["statename"] == "RUNNING"
    assert {name: failure.fate for name, failure in failures.items()} == {
        "a": "unknown exit status",
        "gone": "removed from supervisord by somebody else",
    }


def test_a_program_that_never_runs_is_a_failure(monkeypatch):
    monkeypatch.setattr(fates, "SETTLE_WAIT", 0.0)
    assert wait(daemon([info("a", "STARTING", pid=5)]), {"a": 0})[1]["a"].fate == "still STARTING after 0 s"


def test_the_message_has_the_last_lines_of_the_log(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(30)))
    message, failed = describe({"a": Failure(info("a", "BACKOFF", stdout_logfile=str(log)), "exit status 3")})
    assert "did not stay up: exit status 3 (supervisord says BACKOFF). The last lines of" in message
    assert (failed[0]["log_tail"][0], len(failed[0]["log_tail"])) == ("line 10", 20)
    log.write_text("peer \x1b]0;owned\x07\x1b[1A\x1b[2K said hello\n")
    message, failed = describe({"a": Failure(info("a", "BACKOFF", stdout_logfile=str(log)), "exit status 3")})
    assert message.endswith("\n    peer \\x1b]0;owned\\x07\\x1b[1A\\x1b[2K said hello")
    assert failed[0]["log_tail"] == ["peer \x1b]0;owned\x07\x1b[1A\x1b[2K said hello"]
    assert describe({"b": Failure(info("b", "FATAL"), "x")})[1][0]["log"] is None
