# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the plan together from what the plays registered, on the control node, and show it."""

from __future__ import annotations

import datetime
import json
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.page import report
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.text import plan_text
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.told import planned, write

ARGUMENTS = {"file": {"type": "path"}, "report": {"type": "path"}}


class ActionModule(ActionBase):
    """Prints the plan and writes it to files."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        plan, topologies = planned(task_vars)
        display = Display()
        text = plan_text(plan, display.columns, commands=display.verbosity > 0)
        display.display(printable(f"\n{text}\n", lines=True))
        if args["file"]:
            write(args["file"], json.dumps(plan, indent=2, ensure_ascii=False) + "\n")
        if args["report"]:
            when = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
            write(args["report"], report(plan, topologies, when))
        # The text above has what -v would print again as a thousand lines.
        result.update(changed=False, plan=plan, _ansible_verbose_override=True)
        return result
