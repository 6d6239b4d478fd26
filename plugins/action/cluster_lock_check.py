# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge whether this run holds the cluster, by what the hosts of NATS answered; contacts none."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.plugin_utils._lock import answer_of, verdict

ARGUMENTS = {
    "state": {"type": "str", "required": True, "choices": ["taken", "renewed"]},
    "answers": {"type": "list", "elements": "dict", "required": True},
    "force": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Tells whether this run holds the cluster; contacts no host."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        answers = {str(answer.get("item")): answer_of(answer) for answer in args["answers"]}
        found = verdict(args["state"], answers, args["force"])
        result.update(changed=False, **found)
        return result
