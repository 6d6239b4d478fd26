# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model_fact import cluster_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling import step as _roll

ARGUMENTS = {
    "component": {"type": "str", "required": True, "choices": list(_roll.COMPONENTS)},
    "others": {"type": "list", "elements": "dict", "default": []},
}


class ActionModule(ActionBase):
    """Judges what the hosts told in this run; contacts none."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        component, host, hostvars = args["component"], task_vars["inventory_hostname"], task_vars["hostvars"]
        model = cluster_model(task_vars)
        members = sorted(set(model["components"][component]) - set(_roll.held(model, component)))
        evidence = {answer["host"]: answer for answer in args["others"] if "at_work" in answer}
        for member in members:
            told = self._told(hostvars[member], component)
            if told:
                evidence[member] = told
        problems = _roll.step_problems(
            component, host, task_vars["ansible_play_batch"], members, evidence, model["roll"][component]
        )
        result.update(changed=False, problems=problems)
        if problems:
            message = _roll.refusal(component, host, problems)
            # What a check has only predicted, as the start of a stopped program, cannot be at work yet.
            result.update({"warnings": [message]} if self._task.check_mode else {"failed": True, "msg": message})
        return result

    @staticmethod
    def _told(variables, component):
        """What a host told in this run last; one that was restarted in it was healthy then, or the run had ended."""
        step = variables.get(f"__{component}_restart") or {}
        if step.get("healthy"):
            return {"at_work": True, "problems": []}
        if step.get("stopped"):
            return {"at_work": False, "problems": ["it was stopped"]}
        told = variables.get("__roll_at_work") or {}
        return told if told.get("component") == component else None
