# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of programs."""

from __future__ import annotations

import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import evidence
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.evidence import count_restarts, gather

from .samples import info

LOG = """\
2026-01-01 00:00:00,000 INFO exited: a (exit status 1; not expected)
2026-01-01 00:00:01,000 INFO supervisord started with pid 1
2026-01-01 00:00:02,000 INFO exited: a (exit status 1; not expected)
2026-01-01 00:00:03,000 WARN exited: a (terminated by SIGKILL; not expected)
2026-01-01 00:00:03,000 INFO exited: ab (exit status 1; not expected)
2026-01-01 00:00:04,000 INFO stopped: b (exit status 0)
"""


def test_restarts_are_counted_since_the_last_deliberate_start():
    assert [count_restarts(LOG, name) for name in ("a", "ab", "b", "c")] == [2, 1, 0, 0]
    assert count_restarts(LOG + "x INFO stopped: a (exit status 0)\n", "a") == 0


@pytest.fixture
def config(tmp_path, monkeypatch):
    path = tmp_path / "supervisord.conf"
    path.write_text("[unix_http_server]\nfile=/s.sock\n[include]\nfiles=*.conf\n")
    own = info("a", "RUNNING", pid=os.getpid(), start=10, now=30)
    monkeypatch.setattr(evidence.Daemon, "__init__", lambda self, _config, _settings: None)
    monkeypatch.setattr(evidence.Daemon, "supervisor", type("S", (), {"processes": lambda: [own]}), raising=False)
    return path


def test_programs_of_a_file_are_told_of(config):
    (config.parent / "app.conf").write_text("[program:a]\ncommand=/x\n[program:b]\ncommand=/x\n")
    found = gather(str(config), "app", None, {os.getpid(): ["GPU-1"]})
    assert [(each["name"], each["state"], each["gpus"]) for each in found] == [
        ("a", "RUNNING", ["GPU-1"]),
        ("b", "ABSENT", []),
    ]
    assert (found[0]["pid"], found[0]["uptime_s"], found[1]["uptime_s"]) == (os.getpid(), 20, None)
    assert found[0]["cpus_allowed"] and found[1]["cpus_allowed"] is None
    # Without a log, it is not known how often a program ended.
    assert found[0]["restarts"] is None


def test_gpus_are_unknown_where_nothing_tells(config):
    assert gather(str(config), None, ["a"], None)[0]["gpus"] is None


def test_files_that_are_not_there_are_named(config, tmp_path):
    with pytest.raises(ConfError, match="app.conf cannot be read: No such file"):
        gather(str(config), "app", None, {})
    with pytest.raises(ConfError, match="none.conf cannot be read: No such file"):
        gather(str(tmp_path / "none.conf"), "app", None, {})
