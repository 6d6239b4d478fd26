# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The status table: what each program of the cluster shows, as rows and as text. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

from ._words import aligned, counted

HEADER = ("HOST", "COMPONENT", "PROGRAM", "STATE", "HEALTH", "EVIDENCE")

# What status.yml ends with an error for.
SICK = ("NOT HEALTHY", "NOT REACHED")


class Row(TypedDict):
    """What one program shows."""

    host: str
    component: str
    program: str
    state: str
    health: str
    evidence: str


# What modules and actions answered.
Answer = Mapping[str, Any]


def rows(
    hosts: Mapping[str, Answer], results: Mapping[str, Mapping[str, Answer]], lost: Collection[str] = ()
) -> list[Row]:
    """Return the rows of the table, sorted by host and order of start.

    Args:
        hosts: the model's hosts, name to ``{components, ...}``.
        results: host to component to ``{"program": result of supervisor_program, "health": result of
            component_health, "start": result of component_start_check}``, each may be missing.
        lost: hosts that could not be read to the end.
    """
    return [
        row
        for host in sorted(results)
        for component in hosts[host]["components"]
        for row in _component_rows(
            host, component, results[host].get(component, {}), _unasked(hosts[host], component, host in lost)
        )
    ]


def _unasked(host: Answer, component: str, lost: bool) -> str:
    """Return what is said of a component whose health was not asked."""
    if host.get("settings", {}).get(component + "_state") == "stopped":
        return "kept stopped"
    return "NOT REACHED" if lost else "not checked"


def _component_rows(host: str, component: str, result: Answer, unasked: str) -> Iterator[Row]:
    health = result.get("health", {})
    evidence = health.get("evidence", {})
    seen = {program["name"]: program for program in evidence.get("programs", [])}
    wanted = {program["name"]: program for program in health.get("expected", [])}
    later = {program["name"]: program["state"] for program in result.get("start", {}).get("programs", [])}
    unknown = [{"name": "-", "state": "unknown"}]
    for program in result.get("program", {}).get("programs") or evidence.get("programs") or unknown:
        name = program["name"]
        shown, expected = seen.get(name, program), wanted.get(name, {})
        yield {
            "host": host,
            "component": component,
            "program": name,
            "state": later.get(name, shown["state"]),
            "health": _health(health, shown, expected, unasked),
            "evidence": expected.get("stopped") or _problems(health, name) or _evidence(evidence, shown, expected),
        }


def _problems(health: Answer, name: str) -> str:
    """Return what is wrong with a program, or with all of its host's component."""
    problems = health.get("problems", [])
    return "; ".join([problem for problem in problems if problem.startswith(name + " ")] or problems)


def _health(health: Answer, shown: Answer, expected: Answer, unasked: str) -> str:
    if health.get("skipped") or not health:
        return unasked
    if expected.get("stopped") and shown["state"] != "RUNNING":
        return "kept stopped"
    return "healthy" if health.get("healthy") else "NOT HEALTHY"


def _planned(expected: Answer, name: str, actual: Any) -> str:
    """Return what a program shows, and the plan where it is another: a wrong mask must not look like any other mask."""
    wanted = expected.get(name)
    return str(actual) if wanted in (None, actual) else f"{actual} (PLANNED {wanted})"


def _evidence(evidence: Answer, program: Answer, expected: Answer) -> str:
    """Return what a program shows, in a few words each."""
    if evidence.get("nats"):
        nats = evidence["nats"]
        leader = f", meta leader {nats['meta_leader']} of {nats['meta_size']}" if nats["meta_leader"] else ""
        return f"{nats['version']}, JetStream, routes to {counted(len(nats['routes']), 'peer')}{leader}"
    if evidence.get("node"):
        node = evidence["node"]
        syncing = ", syncing" if node["syncing"] else ""
        return f"{node['chain']}, {counted(node['peers'], 'peer')}, best block {node['best']}{syncing}"
    parts = []
    connected = program.get("connected")
    if connected:
        servers = set(expected.get("connected_any", []))
        parts.append("NATS" if servers.intersection(connected) else "connected")
    if program.get("listening"):
        parts.append("port " + ", ".join(str(port) for port in program["listening"]))
    if program.get("gpus"):
        parts.append(", ".join(program["gpus"])[:12])
    if program.get("cpus_allowed"):
        parts.append("CPUs " + _planned(expected, "cpus", program["cpus_allowed"]))
    if program.get("memory_policy") and expected.get("memory_policy"):
        parts.append("memory " + _planned(expected, "memory_policy", program["memory_policy"]))
    for variable, value in sorted(expected.get("environment", {}).items()):
        actual = program.get("environment", {}).get(variable)
        # The GPU that is held is shown already.
        if actual != value or variable == "GPU_CONCURRENCY":
            parts.append(f"{variable}={_planned({variable: value}, variable, actual)}")
    return ", ".join(parts)


def table(found: Sequence[Row]) -> str:
    """Return the rows as aligned text, a line each, below a line of column names."""
    lines = [HEADER, *(tuple(printable(cell) for cell in _cells(row)) for row in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join(aligned(line, widths) for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    return row["host"], row["component"], row["program"], row["state"], row["health"], row["evidence"]
