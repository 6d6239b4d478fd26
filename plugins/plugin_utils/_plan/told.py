# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plan of a run, from what its hosts told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.wanted import error_of

from .._cluster import registered
from .._cluster.readings import Changes, changes, reading
from .build import build_plan
from .shape import Plan


def planned(task_vars: Mapping[str, Any]) -> tuple[Plan, dict[str, Any]]:
    """Return the plan of the play's hosts, and the topologies of those with GPUs."""
    hostvars = task_vars["hostvars"]
    model = registered.cluster_model(task_vars)
    known = {host: hostvars[host] for host in sorted(task_vars["ansible_play_hosts_all"])}
    facts = {host: read for host in known for read in [reading(known[host])] if read}
    judged = next(filter(None, map(registered.preflight_result, known.values())), None)
    if judged is None:
        raise AnsibleActionFail("the plan needs what playbooks/preflight.yml registered: run playbooks/plan.yml")
    told = {host: changes(variables) for host, variables in known.items() if host in judged["ready"]}
    answered = {host: answers(told.get(host), model["hosts"][host]["components"]) for host in known}
    nats = {host: seen for host, answer in told.items() for seen in [leader_seen(answer)] if seen}
    topologies = {host: read["gpus"]["topology"] for host, read in facts.items() if read["gpus"]}
    return build_plan(model, facts, answered, judged, nats), topologies


def answers(told: Changes | None, components: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what would change on one host: by component, and the binaries as ``release``."""
    if told is None:
        return {component: {"configuration": False} for component in components}
    release = told["release"]
    why = error_of(release)
    found: dict[str, dict[str, Any]] = {
        "prepare": {"changes": [*(told["prepare"] if components else []), *told["monitoring"]]},
        "release": {"error": f"What would be installed is not known: {why}"} if why else release,
    }
    for component in components:
        heard = told["components"][component]
        configuration = heard.get("configuration", {})
        found[component] = {"configuration": bool(configuration.get("changed"))}
        if configuration.get("diff"):
            found[component]["texts"] = [[diff.get("before"), diff.get("after")] for diff in configuration["diff"]]
        if "error" in heard:
            found[component]["error"] = f"What would change about the {component} is not known: {heard['error']}"
        else:
            found[component]["program"] = heard["program"]
    return found


def leader_seen(told: Changes | None) -> dict[str, Any] | None:
    """Return what the host's NATS server told, None where it has none."""
    health = told["components"].get("nats", {}).get("health", {}) if told else {}
    nats: dict[str, Any] | None = health.get("evidence", {}).get("nats")
    return nats
