# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the table of programs, from what the health checks of the run registered."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _status
from ansible_collections.autonomys.cluster.plugins.plugin_utils._artifacts import handed_over, write, write_json
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import registered
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import changes, records
from ansible_collections.autonomys.cluster.plugins.plugin_utils._lock import holder_sentence, own_run
from ansible_collections.autonomys.cluster.plugins.plugin_utils._status_page import page

ARGUMENTS = {
    "strict": {"type": "bool", "default": False},
    "fail": {"type": "bool", "default": True},
    "file": {"type": "path"},
    "page": {"type": "path"},
}


class ActionModule(ActionBase):
    """Prints the table of programs."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        hosts = registered.cluster_model(task_vars)["hosts"]
        # The hosts of the play, so that --limit limits the table too.
        wanted = [host for host in sorted(task_vars["ansible_play_hosts_all"]) if hosts[host]["components"]]
        # status.yml asks all hosts, without preflight.
        ready = wanted if args["strict"] else registered.ready_hosts(task_vars)
        left_out = [host for host in wanted if host not in ready]
        hostvars = task_vars["hostvars"]
        results = {
            host: {component: results_of(hostvars[host], component) for component in hosts[host]["components"]}
            for host in wanted
            if host not in left_out
        }
        lost = set(task_vars["ansible_play_hosts_all"]) - set(task_vars["ansible_play_hosts"])
        rows = _status.rows(hosts, results, lost)
        told = [(host, changes(hostvars[host])) for host in wanted]
        holder = holder_sentence(records(told), [own_run(task_vars)])
        text = f"{_status.table(rows)}\n" + (f"\n{holder}\n" if holder else "")
        Display().display(printable(f"\n{text}", lines=True))
        if args["file"]:
            write_json(args["file"], rows)
        problem = failure(rows, left_out, args["strict"])
        if args["page"]:
            write(args["page"], page(rows, problem, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())))
        result.update(changed=False, left_out=left_out, problem=problem)
        if problem and args["fail"]:
            # Of a failed task Ansible prints everything: the rows a second time, and longer.
            result.update(failed=True, msg=problem)
        else:
            result.update(rows=rows, _ansible_verbose_override=True, **handed_over(table=rows))
        return result


def failure(rows: Sequence[_status.Row], left_out: Sequence[str], strict: bool) -> str | None:
    """Return what the task fails with, None where all is well."""
    if left_out:
        return (
            f"Left out of this run because of errors that preflight reported above: {', '.join(left_out)}. "
            "Fix them and run the same command again."
        )
    sick = sum(1 for row in rows if row["health"] in _status.SICK)
    if strict and sick:
        verb = "is" if sick == 1 else "are"
        return f"{sick} of {len(rows)} programs in the table above {verb} not healthy."
    return None


def results_of(variables: Mapping[str, Any], component: str) -> dict[str, dict[str, Any]]:
    """Return what was told last of a component: by its role where that had something to do, else at the look."""
    told = changes(variables)
    looked: Mapping[str, Any] = told["components"].get(component, {}) if told else {}
    found = {
        "program": registered.program_result(variables, component) or looked.get("program"),
        "health": registered.health_result(variables, component) or looked.get("health"),
        "start": registered.start_check_result(variables),
    }
    return {key: dict(answer) for key, answer in found.items() if answer}
