# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail when the cluster is not what its inventory describes, or not healthy; contacts no host."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._artifacts import handed_over, write_json
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import changes
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.drift import differences, summary, table
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.told import planned

ARGUMENTS = {"file": {"type": "path"}, "fail": {"type": "bool", "default": True}}


class ActionModule(ActionBase):
    """Prints what differs, and fails when something does."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        plan, _topologies = planned(variables)
        told = {host: changes(variables["hostvars"][host]) for host in sorted(variables["ansible_play_hosts_all"])}
        healths = {
            host: {name: each["health"] for name, each in answer["components"].items() if "health" in each}
            for host, answer in told.items()
            if answer
        }
        found = differences(plan, healths)
        Display().display(printable(f"\n{table(found)}\n", lines=True))
        if args["file"]:
            write_json(args["file"], found)
        message = f"{summary(found)} The table above has them; site.yml repairs what it can." if found else ""
        result.update(changed=False, problem=printable(message) or None)
        if found and args["fail"]:
            # Of a failed task Ansible prints everything: the differences a second time, and longer.
            result.update(failed=True, msg=printable(message))
        else:
            result.update(differences=found, _ansible_verbose_override=True, **handed_over(drift=found))
        return result
