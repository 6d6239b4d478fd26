# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and times for tests of the record."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import Clock, Holder

BOOT = "b00t"
START = 1_770_000_000.0


def run(name: str, process: int = 4711, started: int = 1) -> Holder:
    """A run, whose name is its id too."""
    return {
        "run": name,
        "operator": name,
        "control_node": "control-1",
        "playbook": "site.yml",
        "cluster": "autonomys",
        "process": process,
        "started": started,
        "boot": "other",
        "namespace": "pid:[1]",
    }


def at(seconds: float, boot: str = BOOT) -> Clock:
    """So many seconds after the host was started."""
    return Clock(START + seconds, seconds, boot)
