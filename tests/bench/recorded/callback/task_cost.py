# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what each task cost the control node."""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: task_cost
type: aggregate
short_description: Write what each task cost the control node
description:
  - Part of C(make bench-site). Writes names, seconds and CPU seconds of all tasks in their order, as JSON, into the
    file that the environment variable C(BENCH_TASK_COSTS) names.
author: autonomys.cluster contributors (@autonomys-cluster)
"""


def now() -> tuple:
    """Return the time, and the CPU time of this process and of the workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.monotonic(), sum(usage.ru_utime + usage.ru_stime for usage in used)


class CallbackModule(CallbackBase):
    """Listens to the tasks of a run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_cost"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        # What comes before the first task, from the beginning of the process.
        self._began, self._name, self._costs = (time.monotonic(), 0.0), "start", []

    def _end(self, name):
        found = now()
        self._costs.append((self._name, found[0] - self._began[0], found[1] - self._began[1]))
        self._began, self._name = found, name

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Begin another task, which ends the one before."""
        self._end(task.get_name())

    def v2_playbook_on_stats(self, stats):
        """Write all costs."""
        self._end("end")
        Path(os.environ["BENCH_TASK_COSTS"]).write_text(json.dumps(self._costs))
