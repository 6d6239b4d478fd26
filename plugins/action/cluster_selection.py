# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose what restart.yml and stop.yml act on, by the model and what hosts told in this run; contacts none."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import cluster_model, slots_seen
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.selection import (
    last_ones,
    programs_there,
    selection,
)

ARGUMENTS = {
    "verb": {"type": "str", "required": True, "choices": ["restart", "stop"]},
    "components": {"type": "list", "elements": "str", "default": []},
    "programs": {"type": "list", "elements": "str", "default": []},
    "gpu_slots": {"type": "list", "elements": "int", "default": []},
    "everything": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Decides what restart and stop act on; contacts no host."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        # What nobody has answered, AWX hands over as nothing or as an empty text.
        self._task.args = {name: value for name, value in self._task.args.items() if value not in (None, "")}
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        variables = task_vars or {}
        model, hosts = cluster_model(variables), variables["ansible_play_hosts_all"]
        verb, everything = args["verb"], args["everything"]
        there = programs_there(model, hosts, {host: slots_seen(variables["hostvars"][host]) for host in hosts})
        try:
            chosen = selection(verb, args["components"], args["programs"], args["gpu_slots"], everything, there)
        except ValueError as error:
            return dict(result, failed=True, msg=str(error))
        problems = [] if everything or verb == "restart" else last_ones(model, chosen, hosts)
        if problems:
            meant = f"If that is meant, say -e {verb}_everything=true."
            return dict(result, failed=True, msg=f"{'; '.join(problems)}. Nothing was changed. {meant}")
        return dict(result, changed=False, selection=chosen)
