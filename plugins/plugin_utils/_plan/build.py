# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plan: what runs where, what the next ``site.yml`` would change, in which steps and how long that takes.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .._rules.findings import JudgedFinding
from .._words import counted
from .changes import changed_programs, left_over_programs, sentence, wanted_programs
from .farms import farms_of
from .gpus import gpu_host
from .identity import plan_id, verdicts_of
from .shape import (
    CHANGES,
    LEFT_OUT,
    NO_COMPONENT,
    NOT_ASKED,
    NOT_READ,
    READY,
    RUNS,
    UNREACHABLE,
    WRONG,
    Answer,
    Connection,
    Facts,
    GpuHost,
    Host,
    Model,
    Plan,
    Program,
    Settings,
    Step,
    Summary,
)
from .steps import steps_of, versions_of


def build_plan(
    model: Model,
    facts: Mapping[str, Facts],
    changes: Mapping[str, Mapping[str, Answer]],
    judged: Mapping[str, Any],
    nats: Mapping[str, Answer] | None = None,
) -> Plan:
    """Put together what would run and what would change.

    Args:
        model: what ``build_model`` returns.
        facts: per host that was asked what was read of it.
        changes: host to component to ``{"program": result of supervisor_program in check mode, "configuration": bool,
            "texts": what that file says now and will say, "error": text}``, what is unknown left out; under
            ``"release"`` the result of the module ``release``, or ``{"error": text}``; under ``"prepare"``
            ``{"changes": phrases}``.
        judged: what ``_rules.judge`` returns, not strict; and under ``orphans`` host to the files of programs whose
            component it has left.
        nats: host to the answer of nats_info.

    Returns:
        A dictionary of plain data, as docs/operations.md describes it.
    """
    hosts = {
        name: _host(model, name, facts.get(name), changes.get(name, {}), judged) for name in sorted(model["hosts"])
    }
    leader = _leader(model, nats or {})
    steps = steps_of(model, hosts, leader)
    verdicts = verdicts_of(hosts, changes)
    return {
        "format": 1,
        "id": plan_id(verdicts),
        "verdicts": verdicts,
        "hosts": hosts,
        "steps": steps,
        "versions": versions_of(hosts, steps),
        "meta_leader": leader,
        "wanted": {
            "Autonomys": _settings_of(model, [name for name in COMPONENTS if name != "nats"], "cluster_version"),
            "NATS": _settings_of(model, ["nats"], "nats_version"),
        },
        "connections": _connections(model, hosts),
        "findings": judged["findings"],
        "stopping": sorted({item["rule"] for item in judged["stopping"]}),
        "notes": _notes(hosts),
        "summary": _summary(hosts, steps, judged["findings"]),
    }


def _leader(model: Model, nats: Mapping[str, Answer]) -> str | None:
    """Return the host of the NATS meta leader, None where no server tells."""
    servers = (answer["meta_leader"] for _host, answer in sorted(nats.items()) if answer.get("meta_leader"))
    leader = next(servers, None)
    names = {name: model["hosts"][name]["settings"].get("nats_server_name") for name in model["components"]["nats"]}
    return next((name for name, server in names.items() if str(server) == leader), None)


def _settings_of(model: Model, components: Sequence[str], name: str) -> list[str]:
    """Return the values of a variable on the hosts of components, sorted."""
    hosts = {host for component in components for host in model["components"][component]}
    return sorted({str(model["hosts"][host]["settings"].get(name)) for host in hosts})


# --- hosts -----------------------------------------------------------------------------------------------------------


def _host(
    model: Model, name: str, facts: Facts | None, changes: Mapping[str, Answer], judged: Mapping[str, Any]
) -> Host:
    host = model["hosts"][name]
    settings, components, known = host["settings"], host["components"], facts or NOT_ASKED
    state, why = _state(name, host, facts, judged)
    gpus, errors = _gpus(name, components, settings, known)
    release = changes.get("release", {})
    if release.get("error"):
        errors.append(release["error"])
    programs: list[Program] = []
    for component in components:
        answer = changes.get(component, {})
        wanted, error = wanted_programs(component, settings, known)
        errors += [message for message in (error, answer.get("error")) if message]
        try:
            programs += changed_programs(component, settings, wanted, answer if state == READY else {})
        except WRONG as wrong:
            errors.append(f"The {component} cannot be planned: {sentence(wrong)}")
    if settings.get("cluster_remove_orphans"):
        programs += left_over_programs((judged.get("orphans") or {}).get(name, []), known)
    return {
        "address": host["address"],
        "components": components,
        "state": state,
        "why": why,
        "prepare": list(changes.get("prepare", {}).get("changes", [])),
        "install": list(release.get("installed") or []),
        "programs": programs,
        "gpus": gpus,
        "farms": farms_of(settings, known) if "plot_client" in components else [],
        "errors": list(dict.fromkeys(errors)),
    }


def _gpus(name: str, components: Sequence[str], settings: Settings, facts: Facts) -> tuple[GpuHost | None, list[str]]:
    """Return the GPUs of a host, and why they cannot be told."""
    if not any(COMPONENTS[component].gpus for component in components):
        return None, []
    try:
        return gpu_host(name, components, settings, facts), []
    except WRONG as error:
        return None, [f"The cores of GPUs cannot be planned: {sentence(error)}"]


def _state(name: str, host: Mapping[str, Any], facts: Facts | None, judged: Mapping[str, Any]) -> tuple[str, str]:
    if not host["components"]:
        return NO_COMPONENT, "It is in no component's group."
    if facts is None:
        return NOT_READ, "It was not asked (--limit)."
    if not facts["reachable"]:
        return UNREACHABLE, facts["error"] or "It did not answer."
    if name in judged["left_out"]:
        return LEFT_OUT, f"Errors: {', '.join(sorted(set(judged['left_out'][name])))}."
    return READY, ""


# --- the cluster -----------------------------------------------------------------------------------------------------


def _notes(hosts: Mapping[str, Host]) -> list[str]:
    """Return what a reader must know of the consequences, a sentence each."""
    notes = []
    plotting = [
        name
        for name, host in hosts.items()
        for program in host["programs"]
        if program["component"] == "plot_server"
        and program["change"] in ("restart", "stop")
        and program["state"] in RUNS
    ]
    if plotting:
        where = f"{counted(len(plotting), 'plot server')} on {counted(len(set(plotting)), 'host')}"
        verb = "stops or restarts" if len(plotting) == 1 else "stop or restart"
        notes.append(f"{where} {verb}: the sectors that they are plotting are lost and start again.")
    ready = [host for host in hosts.values() if host["state"] == READY]
    installing = sum(1 for host in ready if host["install"])
    if installing:
        where = counted(installing, "host")
        notes.append(f"New binaries are copied to {where} first, which takes as long as the download.")
    preparing = sum(1 for host in ready if host["prepare"])
    if preparing:
        verb = "is" if preparing == 1 else "are"
        notes.append(f"{counted(preparing, 'host')} {verb} prepared first (packages, user, supervisord).")
    return notes


def _connections(model: Model, hosts: Mapping[str, Host]) -> list[Connection]:
    """Return who talks to whom on which port, by component.

    What may connect to several servers holds one of them at a time.
    """
    found: dict[tuple[str, str, str], tuple[set[str], set[str]]] = {}
    for link in model["connections"]:
        if link["component"] == "controller" and link["to_component"] == "node" and not _is_node_of(model, link):
            continue
        key = (link["component"], link["to_component"], str(link["port"]))
        clients, servers = found.setdefault(key, (set(), set()))
        clients.add(link["host"])
        servers.add(link["to_host"])
    order = list(COMPONENTS)
    return [
        {
            "component": component,
            "to_component": to_component,
            "port": port,
            "hosts": len(clients),
            "to_hosts": len(servers),
            "programs": sum(
                1 for name in clients for program in hosts[name]["programs"] if program["component"] == component
            ),
        }
        for (component, to_component, port), (clients, servers) in sorted(
            found.items(), key=lambda item: (order.index(item[0][0]), order.index(item[0][1]), item[0][2])
        )
    ]


def _is_node_of(model: Model, link: Mapping[str, Any]) -> bool:
    """Return whether a controller is given that node: all may reach all nodes, each uses one."""
    url = str(model["hosts"][link["host"]]["settings"].get("controller_node_rpc_url"))
    return url.rstrip("/").endswith(f"//{model['hosts'][link['to_host']]['address']}:{link['port']}")


def _summary(hosts: Mapping[str, Host], steps: Sequence[Step], found: Sequence[JudgedFinding]) -> Summary:
    changes = [program["change"] for host in hosts.values() for program in host["programs"]]
    severities = [item["severity"] for item in found]
    return {
        "hosts": len(hosts),
        "ready": sum(1 for host in hosts.values() if host["state"] == READY),
        "programs": len(changes),
        "changes": {change: changes.count(change) for change in CHANGES},
        "findings": {severity: severities.count(severity) for severity in ("error", "warning", "info")},
        "accepted": sum(1 for item in found if item["accepted"]),
        "at_least_s": sum(step["at_least_s"] for step in steps),
        "at_most_s": sum(step["at_most_s"] for step in steps),
    }
