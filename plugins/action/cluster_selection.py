# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import cluster_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.selection import last_ones, selection

ARGUMENTS = {
    "verb": {"type": "str", "required": True, "choices": ["restart", "stop"]},
    "components": {"type": "list", "elements": "str", "default": []},
    "programs": {"type": "list", "elements": "str", "default": []},
    "gpu_slots": {"type": "list", "elements": "int", "default": []},
    "everything": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Decides by the model alone; contacts no host."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        model = cluster_model(task_vars)
        verb, hosts = args["verb"], task_vars["ansible_play_hosts_all"]
        try:
            chosen = selection(verb, args["components"], args["programs"], args["gpu_slots"], args["everything"])
        except ValueError as error:
            return dict(result, failed=True, msg=str(error))
        problems = [] if args["everything"] or verb == "restart" else last_ones(model, chosen, hosts)
        if problems:
            return dict(
                result,
                failed=True,
                msg=f"{'; '.join(problems)}. Nothing was changed. If that is meant, say -e {verb}_everything=true.",
            )
        return dict(result, changed=False, selection=chosen)
