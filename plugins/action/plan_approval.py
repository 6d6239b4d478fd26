# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail unless a run would do what was approved; contacts no host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.identity import Verdicts, refusal
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.told import planned

ARGUMENTS = {"id": {"type": "raw", "required": True}, "verdicts": {"type": "raw"}}


class ActionModule(ActionBase):
    """Compares what would happen with the plan that was approved."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        plan, _topologies = planned(task_vars or {})
        why = refusal(args["id"], approved(args["verdicts"]), plan["verdicts"])
        result.update(changed=False, id=plan["id"])
        if why:
            result.update(failed=True, msg=printable(why))
        return result


def approved(value: Any) -> Verdicts | None:
    """Return the verdicts of a plan as an artifact has them, None where they are something else."""
    if not isinstance(value, Mapping) or not all(isinstance(each, Mapping) for each in value.values()):
        return None
    return {str(host): {str(what): str(each) for what, each in of_host.items()} for host, of_host in value.items()}
