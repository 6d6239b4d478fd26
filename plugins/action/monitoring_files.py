# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of monitoring, by the cluster's model."""

from __future__ import annotations

import base64
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.part import part_of
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import cluster_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring.files import wanted


class ActionModule(ActionBase):
    """Tells the module which files the host gets."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        files = self._task.args.get("files")
        if files is None:
            model, host = cluster_model(variables), variables["inventory_hostname"]
            found = wanted(model, host, part_of(model, host))
            files = [
                {
                    "path": path,
                    "content": base64.b64encode(file.content).decode(),
                    "mode": file.mode,
                    "group": file.group,
                    "restarts": file.restarts,
                    "secret": file.secret,
                }
                for path, file in found["files"].items()
            ]
        result.update(
            self._execute_module(
                module_name="autonomys.cluster.monitoring_files", module_args={"files": files}, task_vars=variables
            )
        )
        return result
