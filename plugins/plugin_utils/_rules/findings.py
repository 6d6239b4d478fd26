# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Preflight's rules: pure functions from the model of the cluster and the facts of its hosts to findings.

Each file holds the rules of one prefix, which its docstring names: ``RULES`` (id to severity and title) and ``check(view)``. A
new rule needs its entry there, a test that triggers it, one that does not, and its row in docs/findings.md.
"""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from . import (
    caches,
    disks,
    farms,
    gpus,
    hosts,
    inventory,
    nats,
    node,
    numa,
    plot_servers,
    ports,
    programs,
    releases,
    rolling,
    variables,
    versions,
)
from .view import CONTROL, ERROR, SEVERITIES, View

__all__ = ["CONTROL", "RULES", "STOPPING", "findings", "judge", "orphans"]

_CONCERNS = (
    inventory,
    ports,
    releases,
    nats,
    node,
    farms,
    disks,
    gpus,
    numa,
    hosts,
    programs,
    caches,
    plot_servers,
    versions,
    rolling,
)

RULES = {rule: entry for concern in (variables, *_CONCERNS) for rule, entry in concern.RULES.items()}

# Components that all others need: an error on one of their hosts stops the run.
STOPPING = [name for name, component in COMPONENTS.items() if component.stopping]


def findings(model, facts):
    """Everything that is wrong with a cluster, sorted by severity and host.

    Args:
        model: what ``build_model`` returns.
        facts: per host that was asked ``{"reachable", "error", "host", "gpus", "disks"}``, the last three None where they were not read; under
            ``CONTROL`` what the control node knows: ``{"specs": {role: options}, "groups", "other_variables": {name: [hosts]},
            "files": {src: {"path", "tried", "checksum"}}, "nats_checksums"}``. What is left out leaves its rules silent.

    Returns:
        ``[{"rule", "severity", "hosts", "component", "message", "remedy"}]``. The same fault of several hosts is one finding.
    """
    found, values = variables.check(model, facts.get(CONTROL) or {})
    view = View(model, facts, values)
    found.extend(variables.check_accepted(view, RULES))
    for concern in _CONCERNS:
        found.extend(concern.check(view))
    return sorted(_merged(found), key=_order)


def orphans(model, facts):
    """Per host the files of programs that can be removed because the host has left their component's group; see ``PROG003``."""
    view = View(model, facts, {})
    found = {host: programs.orphans(view, host) for host in view.hosts}
    return {host: files for host, files in found.items() if files}


def judge(model, found, strict=False):
    """What follows from the findings.

    Args:
        strict: whether any error stops, not only those of the inventory and of hosts that all others need.

    Returns:
        ``{"findings": the findings, each with "accepted", "stopping": [findings], "left_out": {host: [rules]}}``.
    """
    marked = [dict(item, accepted=_accepted(model, item)) for item in found]
    stopping, left_out = [], {}
    for item in marked:
        if item["severity"] != ERROR or item["accepted"]:
            continue
        if strict or _inventory_scope(item["rule"]) or any(_needed(model, host) for host in item["hosts"]):
            stopping.append(item)
        else:
            for host in item["hosts"]:
                left_out.setdefault(host, []).append(item["rule"])
    return {"findings": marked, "stopping": stopping, "left_out": left_out}


def _inventory_scope(rule):
    """Whether a rule is about the inventory: then its errors are mended before anything runs."""
    return RULES[rule].scope == "inventory"


def _needed(model, host):
    return any(component in STOPPING for component in model["hosts"][host]["components"])


def _accepted(model, item):
    """A finding is accepted where all its hosts say so. An inventory that cannot work is never accepted."""
    if item["severity"] == ERROR and _inventory_scope(item["rule"]):
        return False
    hosts = item["hosts"] or sorted(model["hosts"])
    return bool(hosts) and all(item["rule"] in _accept(model, host) for host in hosts)


def _accept(model, host):
    accept = model["hosts"][host]["settings"].get("cluster_accept")
    return accept if isinstance(accept, list) else []


def _merged(found):
    merged = {}
    for item in found:
        severity = item["severity"] or RULES[item["rule"]].severity
        key = (item["rule"], severity, item["component"], item["message"], item["remedy"])
        merged.setdefault(key, set()).update(item["hosts"])
    for (rule, severity, component, message, remedy), names in merged.items():
        yield {
            "rule": rule,
            "severity": severity,
            "hosts": sorted(names),
            "component": component,
            "message": message,
            "remedy": remedy,
        }


def _order(item):
    return SEVERITIES.index(item["severity"]), item["hosts"], item["rule"], item["message"]
