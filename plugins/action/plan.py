# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the plan together from what the plays registered, on the control node, and show it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import registered
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import reading
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.build import build_plan
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.page import report
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.shape import Plan
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.text import plan_text

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


def planned(task_vars: Mapping[str, Any]) -> tuple[Plan, dict[str, Any]]:
    """Return the plan of the play's hosts, and the topologies of those with GPUs."""
    hostvars = task_vars["hostvars"]
    model = registered.cluster_model(task_vars)
    known = {host: hostvars[host] for host in sorted(task_vars["ansible_play_hosts_all"])}
    facts = {host: read for host in known for read in [reading(known[host])] if read}
    judged = next(filter(None, map(registered.preflight_result, known.values())), None)
    if judged is None:
        raise AnsibleActionFail("the plan needs what playbooks/preflight.yml registered: run playbooks/plan.yml")
    changes = {host: answers(variables, model["hosts"][host]["components"]) for host, variables in known.items()}
    nats = {host: heard for host in known for heard in [registered.leader_seen(known[host])] if heard}
    topologies = {host: read["gpus"]["topology"] for host, read in facts.items() if read["gpus"]}
    return build_plan(model, facts, changes, judged, nats), topologies


def answers(variables: Mapping[str, Any], components: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what the roles said of one host in check mode."""
    errors = registered.plan_errors(variables)
    release = registered.release_result(variables)
    found: dict[str, dict[str, Any]] = {"release": release} if "installed" in release else {}
    if "release" in errors:
        found["release"] = {"error": f"What would be installed is not known: {errors['release']}"}
    for component in components:
        answer: dict[str, Any] = {}
        program = registered.program_result(variables, component)
        # What a role does after that, such as letting NATS read its configuration again, check mode cannot always
        # foretell, and need not.
        if "reasons" in program and not program.get("failed"):
            answer["program"] = program
        elif component in errors:
            answer["error"] = f"What would change about the {component} is not known: {errors[component]}"
        elif program.get("unreachable"):
            answer["error"] = f"What would change about the {component} is not known: the host did not answer"
        answer["configuration"] = bool(registered.configuration_result(variables, component).get("changed"))
        found[component] = answer
    return found


def write(path: str, text: str) -> None:
    """Write a text to a file on the control node."""
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {error}") from error
