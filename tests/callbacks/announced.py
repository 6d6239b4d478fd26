# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what readings announced with what roles then changed, in every run of site.yml that a test makes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import todo
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import changes

DOCUMENTATION = r"""
name: announced
type: aggregate
short_description: Compare what was announced with what came
description:
  - Writes a line for each host and component on which a role changed what its reading had not announced, or did not
    change what it had, into the file that the environment variable C(ANNOUNCED_FILE) names.
author: autonomys.cluster contributors (@autonomys-cluster)
"""

# What prepares hosts and what monitors them, beside the roles of the components.
PREPARE, MONITOR = "common", "monitoring"
ROLES = {PREPARE, MONITOR, *COMPONENTS}


class CallbackModule(CallbackBase):
    """Listens to the tasks of a run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "announced"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.concerned = False
        self.first: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        self.changed: set[tuple[str, str]] = set()
        # Whether the run has ended before its end. A lost host ends it, though plays ignore that for the others.
        self.cut_off = False

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Only site.yml acts by what is announced."""
        self.concerned = Path(playbook._file_name).name == "site.yml"

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note what a host announces, and what a role changes."""
        host, task = result._host.get_name(), result._task
        if task.action.rpartition(".")[2] == "host_reading_info":
            told = changes({"__host_reading": result._result})
            self.first.setdefault(host, told)
            self.last[host] = told
        elif task._role and result._result.get("changed"):
            self.changed.add((host, task._role.get_name().rpartition(".")[2]))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Note that a host is lost."""
        self.cut_off = True

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Note that a task has failed."""
        self.cut_off = self.cut_off or not ignore_errors

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Compare, at the end of a run."""
        path = os.environ.get("ANNOUNCED_FILE")
        if path and self.concerned:
            Path(path).write_text("\n".join(self._differences()), encoding="utf-8")

    def _differences(self) -> list[str]:
        found = []
        for host in self.first:
            before, after = announced(self.first[host]), announced(self.last[host])
            came = {role for member, role in self.changed if member == host and role in ROLES}
            found += [f"{host}: {role} was changed, and nothing had announced it" for role in sorted(came - before)]
            missing = set() if self.cut_off else (before & after) - came
            found += [f"{host}: {role} was to change, and did not" for role in sorted(missing)]
        return found


def announced(told: Any) -> set[str]:
    """Return the roles that have something to do on a host."""
    found = {component for component, each in told["components"].items() if todo.changes(each)} if told else set()
    found |= {PREPARE} if told and todo.prepares(told) else set()
    return found | ({MONITOR} if told and told["monitoring"] else set())
