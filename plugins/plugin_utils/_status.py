# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The status table: what each program of the cluster shows, as rows and as text."""

from __future__ import annotations

COLUMNS = ("host", "component", "program", "state", "health", "evidence")


# What status.yml ends with an error for.
SICK = ("NOT HEALTHY", "NOT REACHED")


def rows(hosts, results, lost=()):
    """Rows of the table.

    Args:
        hosts: the model's hosts, name to ``{components, ...}``.
        results: host name to component to ``{"program": result of supervisor_program, "health": result of health}``, either may be missing.
        lost: hosts that could not be read to the end.

    Returns:
        A list of dictionaries with the keys of ``COLUMNS``, sorted by host and order of start.
    """
    return [
        dict(row, host=host, component=component)
        for host in sorted(results)
        for component in hosts[host]["components"]
        for row in _component_rows(results[host].get(component, {}), _standing(hosts[host], component, host in lost))
    ]


def _standing(host, component, lost):
    """What is said of a component whose health was not asked."""
    if host.get("settings", {}).get(component + "_state") == "stopped":
        return "kept stopped"
    return "NOT REACHED" if lost else "not checked"


def _component_rows(result, standing):
    health = result.get("health", {})
    unknown = [{"name": "-", "state": "unknown"}]
    programs = result.get("program", {}).get("programs") or health.get("evidence", {}).get("programs") or unknown
    seen = {program["name"]: program for program in health.get("evidence", {}).get("programs", [])}
    wanted = {program["name"]: program for program in health.get("expected", [])}
    for program in programs:
        evidence, expected = seen.get(program["name"], program), wanted.get(program["name"], {})
        yield {
            "program": program["name"],
            "state": evidence["state"],
            "health": _health(health, evidence, expected, standing),
            "evidence": expected.get("stopped")
            or _problems(health, program["name"])
            or _evidence(health.get("evidence", {}), evidence, expected),
        }


def _problems(health, name):
    """What is wrong with a program, or with all of its host's component."""
    problems = health.get("problems", [])
    return "; ".join([problem for problem in problems if problem.startswith(name + " ")] or problems)


def _health(health, evidence, expected, standing):
    if health.get("skipped") or not health:
        return standing
    if expected.get("stopped") and evidence["state"] != "RUNNING":
        return "kept stopped"
    return "healthy" if health.get("healthy") else "NOT HEALTHY"


def _planned(expected, name, actual):
    """What a program shows, and the plan where it is another: a wrong mask must not look like any other mask."""
    wanted = expected.get(name)
    return actual if wanted in (None, actual) else f"{actual} (PLANNED {wanted})"


def _evidence(evidence, program, expected):
    if evidence.get("nats"):
        nats = evidence["nats"]
        leader = f", meta leader {nats['meta_leader']} of {nats['meta_size']}" if nats["meta_leader"] else ""
        return f"{nats['version']}, JetStream, routes to {len(nats['routes'])} peers{leader}"
    if evidence.get("node"):
        node = evidence["node"]
        return f"{node['chain']}, {node['peers']} peers, best block {node['best']}{(', syncing' if node['syncing'] else '')}"
    parts = []
    if program.get("connected"):
        parts.append("NATS" if any(endpoint.endswith(":4222") for endpoint in program["connected"]) else "connected")
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
        # The GPU that is held stands above.
        if actual != value or variable == "GPU_CONCURRENCY":
            parts.append(f"{variable}={_planned({variable: value}, variable, actual)}")
    return ", ".join(parts)


def table(table_rows):
    """The rows as aligned text, with a line of column names."""
    lines = [{column: column.upper() for column in COLUMNS}] + table_rows
    widths = {column: max(len(str(row[column])) for row in lines) for column in COLUMNS}
    return "\n".join("  ".join(str(row[column]).ljust(widths[column]) for column in COLUMNS).rstrip() for row in lines)
