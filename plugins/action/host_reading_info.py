# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a host in one execution, by its part of the model."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.answers import fault_of
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.part import part_of
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import cluster_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring.files import summary, wanted


class ActionModule(ActionBase):
    """Tells the module what is wanted of the host, and keeps its long answer off the terminal."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        part = self._task.args.get("part") or self._part(variables)
        result.update(
            self._execute_module(
                module_name="autonomys.cluster.host_reading_info", module_args={"part": part}, task_vars=variables
            ),
            # With -v Ansible would print all of it.
            _ansible_verbose_override=True,
        )
        fault = fault_of(result["reading"], part["components"]) if "reading" in result else None
        if fault:
            del result["reading"]
            result.update(failed=True, msg=f"{printable(fault)}: what it tells is not used")
        return result

    @staticmethod
    def _part(variables: dict[str, Any]) -> dict[str, Any]:
        """Return the host's part of the model, with what monitoring wants of it."""
        model, host = cluster_model(variables), variables["inventory_hostname"]
        part = part_of(model, host)
        found = wanted(model, host, part)
        return {**part, "monitoring": summary(found)} if found["files"] else {**part}
