# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the hosts of a rolling restart in order, by what they told in this run; contacts none."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import (
    cluster_model,
    rolled_hosts,
    serving_result,
)
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.order import roll

ARGUMENTS = {"component": {"type": "str", "required": True, "choices": list(COMPONENTS)}}


class ActionModule(ActionBase):
    """Puts the hosts of a rolling restart in order; contacts no host."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        variables = task_vars or {}
        component, hostvars = args["component"], variables["hostvars"]
        concerned = rolled_hosts(variables, component)
        told = {host: serving_result(hostvars[host], component) or {} for host in concerned}
        last = [host for host in concerned if told[host].get("restarts_last")]
        result.update(changed=False, roll=roll(cluster_model(variables), component, concerned, last))
        return result
