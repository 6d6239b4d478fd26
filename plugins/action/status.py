# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _status
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import registered


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec({"strict": {"type": "bool", "default": False}})
        groups, hostvars = task_vars["groups"], task_vars["hostvars"]
        hosts = registered.cluster_model(task_vars)["hosts"]
        # The hosts of the play, so that --limit limits the table too.
        wanted = [host for host in sorted(task_vars["ansible_play_hosts_all"]) if hosts[host]["components"]]
        # status.yml asks all hosts, without preflight.
        left_out = [] if args["strict"] else [host for host in wanted if host not in groups.get("cluster_ready", [])]
        results = {
            host: {c: results_of(hostvars[host], c) for c in hosts[host]["components"]}
            for host in wanted
            if host not in left_out
        }
        lost = sorted(set(task_vars["ansible_play_hosts_all"]) - set(task_vars["ansible_play_hosts"]))
        rows = _status.rows(hosts, results, lost)
        Display().display("\n" + _status.table(rows) + "\n")
        result.update(changed=False, rows=rows, left_out=left_out)
        sick = [row for row in rows if row["health"] in _status.SICK]
        if args["strict"] and sick:
            # The table says it all; a failed task would print the rows a second time.
            result = dict(
                failed=True,
                changed=False,
                msg=f"{len(sick)} of {len(rows)} programs in the table above are not healthy.",
            )
        if left_out:
            result.update(
                failed=True,
                msg=f"Left out of this run because of errors that preflight reported above: {', '.join(left_out)}. Fix them and run the same command again.",
            )
        return result


def results_of(variables, component):
    """Return what the role of a component registered on a host."""
    found = {
        "program": registered.program_result(variables, component),
        "health": registered.health_result(variables, component),
    }
    return {key: answer for key, answer in found.items() if answer}
