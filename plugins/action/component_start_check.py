# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the module of the same name what this run has started on the host."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import started_programs


class ActionModule(ActionBase):
    """Checks that what this run has started has stayed up; contacts no host where that is nothing."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        args = dict(self._task.args)
        if args.get("programs") is None:
            args["programs"] = [
                program for component in COMPONENTS for program in started_programs(variables, component)
            ]
        if not args["programs"]:
            return dict(result, changed=False, programs=[])
        result.update(
            self._execute_module(
                module_name="autonomys.cluster.component_start_check", module_args=args, task_vars=variables
            )
        )
        return result
