# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the cluster's model from the inventory, on the control node."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inventory import Inventory
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import build_model


class ActionModule(ActionBase):
    """Builds the cluster's model from the inventory; contacts no host."""

    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS: frozenset[str] = frozenset()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.update(changed=False, error=None, model={})
        try:
            inventory = Inventory(task_vars or {}, self._templar)
            result["model"] = build_model(
                inventory.groups, inventory.variables, inventory.defaults(), inventory.unresolved
            )
        except Exception as error:  # the task has no_log, and nobody would see why it failed
            result["error"] = f"{type(error).__name__}: {error}"
        return result
