# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the plan together from what the plays registered, on the control node, and show it."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._artifacts import handed_over, write, write_json
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.page import report
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.text import plan_text
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.told import planned

ARGUMENTS = {"file": {"type": "path"}, "report": {"type": "path"}}
# What a later job and its reader need of the plan; all of it is in the file.
SHORT: tuple[Literal["id", "summary", "stopping", "notes", "steps", "verdicts"], ...] = (
    "id",
    "summary",
    "stopping",
    "notes",
    "steps",
    "verdicts",
)


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
            write_json(args["file"], plan)
        if args["report"]:
            when = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
            write(args["report"], report(plan, topologies, when))
        # The text above has what -v would print again as a thousand lines.
        short = {name: plan[name] for name in SHORT}
        result.update(changed=False, plan=plan, _ansible_verbose_override=True, **handed_over(plan=short))
        return result
