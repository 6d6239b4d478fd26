# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Preflight's rules: pure functions from the model of the cluster and the facts of its hosts to findings.

Each file holds the rules of one prefix, which its docstring names: ``RULES`` (id to severity and title) and
``check(view)``. A new rule needs its entry there, a test that triggers it, one that does not, and its row in
docs/findings.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict

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
from .view import CONTROL, ERROR, SEVERITIES, Finding, View, finding

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


class JudgedFinding(Finding):
    """A finding, and whether the inventory accepts it."""

    accepted: bool


class Judgement(TypedDict):
    """What follows from the findings."""

    findings: list[JudgedFinding]
    # Those that stop the run.
    stopping: list[JudgedFinding]
    # Hosts that the run leaves out, with the rules for which it does.
    left_out: dict[str, list[str]]


def findings(model: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return everything that is wrong with a cluster, sorted by severity and host.

    Args:
        model: what ``build_model`` returns.
        facts: per host that was asked ``{"reachable", "error", "host", "gpus", "disks"}``, the last three None where
            they were not read; under ``CONTROL`` what the control node knows: ``{"specs": {role: options}, "groups",
            "other_variables": {name: [hosts]}, "files": {src: {"path", "tried", "checksum"}}, "nats_checksums"}``.
            What is left out leaves its rules silent.

    Returns:
        The findings, each with its severity. The same fault of several hosts is one finding.
    """
    try:
        return _findings(model, facts)
    except Exception:
        # One host that tells what cannot be must not leave all others unjudged.
        return _findings(model, _believed(model, facts))


def _believed(model: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the facts without what the rules break at: of a host alone, or beside those that were looked at before."""
    control: dict[str, Mapping[str, Any]] = {CONTROL: facts.get(CONTROL) or {}}
    # Without any host it would be a fault of the rules themselves.
    _findings(model, control)
    hosts = [host for host in sorted(facts) if host != CONTROL]
    alone = {host: _breaks_at(model, {**control, host: facts[host]}) for host in hosts}
    believed = dict(control)
    for host in hosts:
        why = alone[host] or _breaks_at(model, {**believed, host: facts[host]})
        believed[host] = _unbelieved(why) if why else facts[host]
    return believed


def _breaks_at(model: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> str | None:
    try:
        _findings(model, facts)
    except Exception as error:
        return f"it tells something that cannot be ({type(error).__name__}: {error})"
    return None


def _unbelieved(why: str) -> dict[str, Any]:
    return {"reachable": True, "error": why, "host": None, "gpus": None, "disks": None}


def _findings(model: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    found, values = variables.check(model, facts.get(CONTROL) or {})
    view = View(model, facts, values)
    found.extend(variables.check_accepted(view, RULES))
    for concern in _CONCERNS:
        found.extend(concern.check(view))
    return sorted(_merged(found), key=_order)


def orphans(model: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return per host the files of programs that can be removed: it has left their component's group (``PROG003``)."""
    view = View(model, facts, {})
    found = {host: programs.orphans(view, host) for host in view.hosts}
    return {host: files for host, files in found.items() if files}


def judge(model: Mapping[str, Any], found: Iterable[Finding], strict: bool = False) -> Judgement:
    """Return what follows from the findings.

    Args:
        model: what ``build_model`` returns.
        found: what ``findings`` returns.
        strict: whether any error stops, not only those of the inventory and of hosts that all others need.
    """
    marked: list[JudgedFinding] = [{**item, "accepted": _accepted(model, item)} for item in found]
    stopping: list[JudgedFinding] = []
    left_out: dict[str, list[str]] = {}
    for item in marked:
        if item["severity"] != ERROR or item["accepted"]:
            continue
        if strict or _inventory_scope(item["rule"]) or any(_needed(model, host) for host in item["hosts"]):
            stopping.append(item)
        else:
            for host in item["hosts"]:
                left_out.setdefault(host, []).append(item["rule"])
    return {"findings": marked, "stopping": stopping, "left_out": left_out}


def _inventory_scope(rule: str) -> bool:
    """Return whether a rule is about the inventory: then its errors must be fixed before anything runs."""
    scope: str = RULES[rule].scope
    return scope == "inventory"


def _needed(model: Mapping[str, Any], host: str) -> bool:
    return any(component in STOPPING for component in model["hosts"][host]["components"])


def _accepted(model: Mapping[str, Any], item: Finding) -> bool:
    """Return whether all hosts of a finding accept it. An inventory that cannot work is never accepted."""
    if item["severity"] == ERROR and _inventory_scope(item["rule"]):
        return False
    hosts = item["hosts"] or sorted(model["hosts"])
    return bool(hosts) and all(item["rule"] in _accept(model, host) for host in hosts)


def _accept(model: Mapping[str, Any], host: str) -> list[Any]:
    accept = model["hosts"][host]["settings"].get("cluster_accept")
    return accept if isinstance(accept, list) else []


def _merged(found: Iterable[Finding]) -> Iterator[Finding]:
    merged: dict[tuple[str, str, str, str, str], set[str]] = {}
    for item in found:
        severity = item["severity"] or RULES[item["rule"]].severity
        key = (item["rule"], severity, item["component"], item["message"], item["remedy"])
        merged.setdefault(key, set()).update(item["hosts"])
    for (rule, severity, component, message, remedy), where in merged.items():
        yield finding(rule, where, component, message, remedy, severity)


def _order(item: Finding) -> tuple[int, list[str], str, str]:
    return SEVERITIES.index(item["severity"]), item["hosts"], item["rule"], item["message"]
