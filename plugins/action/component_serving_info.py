# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.action import component_health
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model_fact import cluster_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling import step as _roll

ARGUMENTS = {
    "component": {"type": "str", "required": True, "choices": list(_roll.COMPONENTS)},
    "host": {"type": "str"},
    "timeout": {"type": "int", "default": 0},
    "interval": {"type": "int", "default": 2},
}


class ActionModule(component_health.ActionModule):
    """Asks as ``health`` does, but with a question that the model gives, so that any host can be asked about any other."""

    def run(self, tmp=None, task_vars=None):
        result = super(component_health.ActionModule, self).run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        host = args["host"] or task_vars["inventory_hostname"]
        model = cluster_model(task_vars)
        asked = _roll.question(model, args["component"], host)
        defaults = {name: option.get("default") for name, option in component_health.ARGUMENTS.items()}
        answer = self._wait(dict(defaults, **asked, timeout=args["timeout"], interval=args["interval"]), task_vars)
        leads = (answer["evidence"].get("nats") or {}).get("meta_leader")
        result.update(
            changed=False,
            component=args["component"],
            host=host,
            at_work=answer["healthy"],
            problems=answer["problems"],
            restarts_last=bool(leads) and leads == str(model["hosts"][host]["settings"]["nats_server_name"]),
        )
        return result
