# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the whole cluster by its model and the facts of its hosts, on the control node."""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._artifacts import handed_over, write_json
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import PREFIXES, Model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import (
    Changes,
    changes,
    reading,
    records,
)
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.registered import cluster_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.todo import groups, todo
from ansible_collections.autonomys.cluster.plugins.plugin_utils._lock import holder_sentence, own_run
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules import findings as _rules
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules.releases import sources
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules.table import counts, table
from ansible_collections.autonomys.cluster.plugins.plugin_utils._secrets import clear_secrets
from ansible_collections.autonomys.cluster.plugins.plugin_utils._sources import cached_checksum, find_source

ARGUMENTS = {
    "strict": {"type": "bool", "default": True},
    "stop": {"type": "bool", "default": True},
    "file": {"type": "path"},
    "query": {"type": "str"},
}


class ActionModule(ActionBase):
    """Judges the model and what was read of the hosts, and reports the findings."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        variables = task_vars or {}
        query = compiled(args["query"]) if args["query"] else None
        model = cluster_model(variables)
        facts: dict[str, Any] = {_rules.CONTROL: self._control(model, variables)}
        hostvars = variables["hostvars"]
        for host in sorted(variables["ansible_play_hosts_all"]):
            known = reading(hostvars[host])
            if known:
                facts[host] = known

        judged = _rules.judge(model, _rules.findings(model, facts), args["strict"])
        found = judged["findings"]
        selected = query.search(found) if query else found
        if args["file"]:
            write_json(args["file"], selected)
        display = Display()
        text = (table(found, display.columns) + "\n\n" if found else "") + self._summary(model, facts, judged)
        told = {host: changes(hostvars[host]) for host in facts if host in model["hosts"]}
        holder = holder_sentence(records(told.items()), [own_run(variables)])
        text += f"\n{holder}" if holder else ""
        display.display(printable("\n" + text, lines=True))
        if query and not args["file"]:
            # In ASCII nothing steers the terminal, and it is JSON all the same.
            display.display(printable(json.dumps(selected, indent=2), lines=True))
        display.display("")

        problem = stopped_by(judged["stopping"])
        if problem and args["stop"]:
            # The table above says it all; a failed task would print the findings a second time.
            result.update(changed=False, failed=True, msg=problem)
            return result
        result.update(
            changed=False,
            problem=problem,
            findings=found,
            left_out=judged["left_out"],
            stopping=judged["stopping"],
            **self._consequences(model, facts, judged, told),
            _ansible_verbose_override=True,
            **handed_over(findings=found),
        )
        if query:
            result["selected"] = selected
        return result

    @staticmethod
    def _consequences(
        model: Model, facts: Mapping[str, Any], judged: Mapping[str, Any], told: Mapping[str, Changes | None]
    ) -> dict[str, Any]:
        """Return which hosts may go on, what is to be done where, and by which groups later plays find them."""
        ready = [
            host
            for host in sorted(facts)
            if host in model["hosts"]
            and (model["hosts"][host]["components"] or host in model["monitoring"])
            and host not in judged["left_out"]
        ]
        orphans = _rules.orphans(model, facts)
        to_do = todo(model, {host: answer for host, answer in told.items() if answer}, ready)
        pairs = [("cluster_ready", host) for host in ready] + [("cluster_orphans", host) for host in orphans]
        members: dict[str, list[str]] = {}
        leaving = [host for host in orphans if model["hosts"][host]["settings"]["cluster_remove_orphans"]]
        for group, host in [*pairs, *groups(to_do, leaving)]:
            members.setdefault(host, []).append(group)
        return {
            "ready": ready,
            "orphans": orphans,
            "todo": to_do,
            "groups": members,
            "generations": {
                host: each["generation"] for host, each in records(told.items()).items() if "generation" in each
            },
        }

    def _control(self, model: Model, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the rules need to know of the control node."""
        hostvars = task_vars["hostvars"]
        others: dict[str, list[str]] = {}
        secrets: dict[str, list[str]] = {}
        for host in model["hosts"]:
            variables = hostvars.raw_get(host)
            for name in variables:
                if not name.startswith(PREFIXES + ("ansible_", "__")):
                    others.setdefault(name, []).append(host)
            for name in clear_secrets(variables):
                secrets.setdefault(name, []).append(host)
        return {
            "specs": {role: role_files.options(role) for role in role_files.ROLES},
            "nats_checksums": role_files.nats_checksums(),
            "groups": {
                name: list(hosts) for name, hosts in task_vars["groups"].items() if name not in ("all", "ungrouped")
            },
            "other_variables": others,
            "clear_secrets": secrets,
            "files": {src: self._file(src, task_vars) for src in sources(model)},
        }

    def _file(self, src: str, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        path, tried = find_source(self, src, task_vars)
        return {"path": path, "tried": tried, "checksum": cached_checksum(path) if path else None}

    @staticmethod
    def _summary(model: Model, facts: Mapping[str, Any], judged: Mapping[str, Any]) -> str:
        concerned = {host for host in model["hosts"] if model["hosts"][host]["components"]}
        read, hosts = len(set(facts) & concerned), len(concerned)
        limited = (
            f"; --limit: rules about hosts saw {read} of {hosts} hosts, rules about the inventory all"
            if read < hosts
            else f"; {hosts} hosts"
        )
        left_out = (
            f" Left out of this run: {', '.join(sorted(judged['left_out']))}."
            if judged["left_out"] and not judged["stopping"]
            else ""
        )
        return f"Preflight: {counts(judged['findings'])}{limited}.{left_out}"


def stopped_by(findings: Sequence[Mapping[str, Any]]) -> str | None:
    """Return in a sentence that errors stop the run, None without any."""
    rules = sorted({item["rule"] for item in findings})
    return f"{counted(findings)} in the table above ({', '.join(rules)}). Nothing was changed." if findings else None


def counted(findings: Sequence[object]) -> str:
    """Return a number of errors in words."""
    return "1 error" if len(findings) == 1 else f"{len(findings)} errors"


def compiled(query: str) -> Any:
    """Return a JMESPath expression, ready to search with."""
    try:
        import jmespath
    except ImportError as error:
        raise AnsibleActionFail(
            "cluster_findings_query needs the Python library jmespath on the control node: pip install jmespath"
        ) from error
    try:
        return jmespath.compile(query)
    except jmespath.exceptions.JMESPathError as error:
        raise AnsibleActionFail(f"cluster_findings_query is not a JMESPath expression: {error}") from error
