# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take, renew or give back one host's record of the run that holds the cluster; only here is known who the run is."""

from __future__ import annotations

from typing import Any

from ansible import context
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import UNKNOWN
from ansible_collections.autonomys.cluster.plugins.plugin_utils._lock import RunEnded, answer_of, has_ended, this_run

ARGUMENTS = {
    "state": {"type": "str", "required": True, "choices": ["taken", "renewed", "released"]},
    "cluster": {"type": "str", "default": ""},
    "expected": {"type": "dict"},
    "force": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Has a host note which run holds the cluster."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        self._task_vars = task_vars or {}
        try:
            run = this_run(self._task_vars, context.CLIARGS.get("args") or (), args["cluster"])
        except RunEnded as error:
            return dict(result, failed=True, msg=str(error))
        asked = {"state": args["state"], "cluster": args["cluster"], "force": args["force"], "run": run}
        if args["expected"] is not None:
            host = self._task.delegate_to or self._task_vars["inventory_hostname"]
            asked["expected"] = {host: args["expected"].get(host) or UNKNOWN}
        told = self._ask(asked)
        answer = answer_of(told)
        if answer["state"] == "refused" and answer["holder"] and has_ended(answer["holder"]):
            told = self._ask(dict(asked, over=str(told["lock"].get("generation"))))
            answer = answer_of(told)
        lock = told["lock"] if answer["state"] != "error" else {"state": "error", "error": answer["error"]}
        result.update(changed=False, refused=answer["state"] == "refused", lock=lock)
        return result

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._execute_module(
                module_name="autonomys.cluster.cluster_lock", module_args=asked, task_vars=self._task_vars
            )
        except AnsibleConnectionFailure as error:
            # One host of several is only one record less. Ansible would end the run: a task that runs once is fatal for
            # all when a host of its loop is unreachable, whatever ignore_unreachable says.
            return {"msg": f"it cannot be reached: {error}"}
        return answer
