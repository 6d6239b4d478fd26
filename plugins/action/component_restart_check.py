# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse to restart a host that the others cannot do without, by what they have just told; contacts none."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import cluster_model, serving_result
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.order import members
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.step import refusal, step_problems

ARGUMENTS = {
    "component": {"type": "str", "required": True, "choices": list(COMPONENTS)},
    "others": {"type": "list", "elements": "dict", "required": True},
}


class ActionModule(ActionBase):
    """Refuses to take a host away that the others cannot do without now."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        variables = task_vars or {}
        component, host, model = args["component"], variables["inventory_hostname"], cluster_model(variables)
        evidence = {answer["host"]: answer for answer in args["others"] if answer.get("at_work") is not None}
        own = serving_result(variables, component)
        if own:
            evidence[host] = own
        batch, roll = variables["ansible_play_batch"], model["roll"][component]
        problems = step_problems(component, host, batch, members(model, component), evidence, roll)
        result.update(changed=False, problems=problems)
        if problems:
            message = refusal(component, host, problems)
            # What a check has only predicted, such as the start of a stopped program, cannot be at work yet.
            result.update({"warnings": [message]} if self._task.check_mode else {"failed": True, "msg": message})
        return result
