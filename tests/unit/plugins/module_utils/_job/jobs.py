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
