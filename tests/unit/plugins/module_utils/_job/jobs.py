# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of jobs share: a job, and what systemd says of it."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._job.systemd import digest

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
        "Description": f"autonomys-x (job {digest(JOB)})",
    }
    return dict(base, **more)


def ended(**more):
    return shown(
        **dict({"SubState": "exited", "ExecMainCode": "1", "ExecMainExitTimestampMonotonic": "105500000"}, **more)
    )


class Systemd:
    """Answers `systemctl show` with the states given, one after the other, and everything else with success."""

    def __init__(self, *states, start=(0, "", "")):
        self.states, self.start, self.asked = list(states), start, []

    def __call__(self, command, timeout):
        if command[:2] == ["systemctl", "show"]:
            state = self.states.pop(0)
            return state if isinstance(state, tuple) else (0, "".join(f"{k}={v}\n" for k, v in state.items()), "")
        self.asked.append(command[:2])
        return self.start if command[0] == "systemd-run" else (0, "", "")


NEVER = {"LoadState": "not-found", "ActiveState": "inactive"}
START, STOP, FORGET = ["systemd-run", "--quiet"], ["systemctl", "stop"], ["systemctl", "reset-failed"]
