# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a component is healthy, or say why it is not."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._looking import EXPECTED, Looker

ARGUMENTS = {
    **EXPECTED,
    "at_work": {"type": "bool", "default": False},
    "nats_servers": {"type": "list", "elements": "str", "default": []},
    "report_only": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Waits until a component is healthy, or says why it is not."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        looked = Looker(self, task_vars or {}).wait(args, args["timeout"], args["interval"])
        result.update(looked, changed=False)
        if looked["problems"] and not args["report_only"]:
            problems = "; ".join(looked["problems"])
            message = f"{args['component']} is not healthy after {looked['waited_s']} s: {problems}"
            result.update(failed=True, msg=printable(message, lines=True))
        return result
