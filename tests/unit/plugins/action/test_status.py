# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the task ``status`` shows, returns and fails with."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.action import status

HEALTHY = {"healthy": True, "evidence": {"programs": [{"name": "autonomys-node", "state": "RUNNING"}]}}
SICK = {"healthy": False, "problems": ["autonomys-node is FATAL, not RUNNING"]}


class Task:
    """What the action plugin needs of a task."""

    def __init__(self, args):
        self.args, self.check_mode, self.async_val, self.diff = args, False, 0, False


@pytest.fixture
def run(monkeypatch):
    """Run the action for hosts with these results of health checks; gives its result and what was shown."""
    shown = []
    monkeypatch.setattr(status.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    monkeypatch.setattr(status.Display, "display", lambda self, text, *_args, **_options: shown.append(text))

    def start(health, ready=("node-1", "node-2"), reached=("node-1", "node-2"), **args):
        plugin = status.ActionModule.__new__(status.ActionModule)
        plugin._task = Task(args)
        hosts = {host: {"components": ["node"], "settings": {}} for host in health}
        hostvars = {host: {"__node_health": answer} if answer else {} for host, answer in health.items()}
        hostvars["node-1"]["__cluster_model"] = {"hosts": hosts}
        result = plugin.run(
            task_vars={
                "groups": {"all": list(health), "cluster_ready": list(ready)},
                "hostvars": hostvars,
                "ansible_play_hosts_all": list(health),
                "ansible_play_hosts": list(reached),
            }
        )
        return result, "".join(shown)

    return start


def test_healthy_programs_are_rows(run):
    result, shown = run({"node-2": HEALTHY, "node-1": HEALTHY}, strict=True)
    assert [(row["host"], row["health"]) for row in result["rows"]] == [("node-1", "healthy"), ("node-2", "healthy")]
    assert result["left_out"] == [] and not result.get("failed") and result["changed"] is False
    assert shown.splitlines()[1].split() == ["HOST", "COMPONENT", "PROGRAM", "STATE", "HEALTH", "EVIDENCE"]


@pytest.mark.parametrize(
    ("health", "reached", "message"),
    [
        (
            {"node-1": HEALTHY, "node-2": SICK},
            ("node-1", "node-2"),
            "1 of 2 programs in the table above is not healthy.",
        ),
        ({"node-1": SICK, "node-2": SICK}, ("node-1", "node-2"), "2 of 2 programs in the table above are not healthy."),
        ({"node-1": HEALTHY, "node-2": None}, ("node-1",), "1 of 2 programs in the table above is not healthy."),
    ],
)
def test_strict_fails_for_what_is_not_healthy_and_prints_its_rows_once(run, health, reached, message):
    result, shown = run(health, strict=True, reached=reached)
    assert (result["failed"], result["msg"], result["left_out"]) == (True, message, [])
    assert "rows" not in result and "node-2" in shown


def test_without_strict_sick_programs_are_rows(run):
    result, _shown = run({"node-1": HEALTHY, "node-2": SICK})
    assert not result.get("failed") and result["rows"][1]["health"] == "NOT HEALTHY"


def test_hosts_that_were_left_out_are_named(run):
    result, shown = run({"node-1": HEALTHY, "node-2": HEALTHY}, ready=("node-1",))
    assert result["failed"] and result["left_out"] == ["node-2"] and "rows" not in result
    assert result["msg"] == (
        "Left out of this run because of errors that preflight reported above: node-2. "
        "Fix them and run the same command again."
    )
    assert "node-1" in shown and "node-2" not in shown
