# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart supervised programs and wait until they are healthy, or put back what ran before."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._looking import OPTIONS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._lock import RunEnded
from ansible_collections.autonomys.cluster.plugins.plugin_utils._looking import Looker
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.restart import RestartStep

ARGUMENTS = {
    **OPTIONS,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["started", "restarted", "stopped"], "default": "started"},
    "only": {"type": "list", "elements": "str"},
    "configuration": {
        "type": "dict",
        "options": {"path": {"type": "path", "required": True}, "previous": {"type": "path", "required": True}},
    },
    "revert": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    """Restarts a component on a host, looks, and goes back if it is not healthy."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        variables = task_vars or {}
        everyone: list[str] = variables["ansible_play_hosts_all"]
        later = everyone[max(everyone.index(member) for member in variables["ansible_play_batch"]) + 1 :]
        step = RestartStep(Looker(self, variables), args, variables["inventory_hostname"], later)
        try:
            result.update(step.run())
        except RunEnded as error:
            result.update(failed=True, msg=str(error))
        return result
