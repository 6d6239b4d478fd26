# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether a component does its work on a host now; the model gives the question, so any host can be asked."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import cluster_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._looking import Looker, serving_question

ARGUMENTS = {
    "component": {"type": "str", "required": True, "choices": list(COMPONENTS)},
    "host": {"type": "str"},
    "timeout": {"type": "int", "default": 0},
    "interval": {"type": "int", "default": 2},
}


class ActionModule(ActionBase):
    """Tells whether a component does its work on a host."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        result.update(changed=False, component=args["component"])
        variables = task_vars or {}
        host = args["host"] or variables["inventory_hostname"]
        model = cluster_model(variables)
        question = serving_question(model, args["component"], host)
        try:
            looked = Looker(self, variables).wait(question, args["timeout"], args["interval"])
        except AnsibleConnectionFailure as error:
            if not args["host"]:
                raise
            # It is asked for the sake of another host, whose task this is.
            problem = f"it cannot be reached: {error}"
            return dict(result, host=host, at_work=None, problems=[problem], restarts_last=False)
        leader = (looked["evidence"].get("nats") or {}).get("meta_leader")
        result.update(
            host=host,
            at_work=looked["healthy"],
            problems=looked["problems"],
            restarts_last=bool(leader) and leader == str(model["hosts"][host]["settings"]["nats_server_name"]),
        )
        return result
