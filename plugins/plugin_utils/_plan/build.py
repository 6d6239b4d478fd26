# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plan: what runs where, and what the next ``site.yml`` would change, in which steps and how long that takes. Pure functions.

What would change is not computed here: the roles say it, in check mode. This puts their answers beside the model and what was read of the hosts.
"""

from __future__ import annotations

import difflib
import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components.programs import (
    COMPONENTS,
    EVIDENT,
    farm_sectors,
    programs,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import existing_sectors, farm_files
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import (
    options_of,
    parse,
    parse_command,
    parse_environment,
    secrets_of,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import (
    quote_command,
    quote_environment,
)

from .._cluster.model import NODE_P2P_PORTS
from .gpus import gpu_host

# What happens to a program, in the order of how much a reader must know of it.
CHANGES = ("stop", "restart", "start", "reload", "unknown", "none")

# Why a host is not changed, beside being ready.
READY, LEFT_OUT, UNREACHABLE, NOT_READ, NO_COMPONENT = "ready", "left out", "unreachable", "not read", "no component"

# In the place of a component: programs whose component the host has left.
LEFT_OVER = "left over"

# Programs of these states are there; BACKOFF is between two attempts.
_RUNS = ("STARTING", "RUNNING")
_CONTROLLER_P2P_PORT = 30533  # upstream's default
_PLOT_SERVER = "autonomys-plot-server-"
_VERSION = re.compile(r"/(?:releases|nats)/([^/]+)/(autonomys-|nats-server)")
# An inventory can be wrong in any way; what is wrong with it is a finding, and the plan says what it cannot tell.
_WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def build_plan(model, facts, changes, judged, nats=None):
    """Put together what would run and what would change.

    Args:
        model: what ``build_model`` returns.
        facts: per host that was asked ``{"reachable", "error", "host", "gpus", "disks"}``, as preflight has them.
        changes: host to component to ``{"program": result of supervisor_program in check mode, "configuration": bool, "error": text}``, what
            is unknown left out; under ``"release"`` the result of the module ``release``.
        judged: what ``_rules.judge`` returns, not strict; and under ``orphans`` host to the files of programs whose component it has left.
        nats: host to the answer of nats_info.

    Returns:
        A dictionary of plain data, as docs/operations.md describes it.
    """
    hosts = {
        name: _host(model, name, facts.get(name), changes.get(name, {}), judged) for name in sorted(model["hosts"])
    }
    leader = next(
        (answer["meta_leader"] for _host_name, answer in sorted((nats or {}).items()) if answer.get("meta_leader")),
        None,
    )
    leader_host = next(
        (
            name
            for name in model["components"]["nats"]
            if str(model["hosts"][name]["settings"].get("nats_server_name")) == leader
        ),
        None,
    )
    steps = _steps(model, hosts, leader_host)
    return {
        "format": 1,
        "hosts": hosts,
        "steps": steps,
        "versions": _versions(model, hosts, steps),
        "meta_leader": leader_host,
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


# --- hosts -----------------------------------------------------------------------------------------------------------


def _host(model, name, facts, changes, judged):
    host = model["hosts"][name]
    settings = host["settings"]
    state, why = _state(name, host, facts, judged)
    result = {
        "address": host["address"],
        "components": host["components"],
        "state": state,
        "why": why,
        "prepare": _prepare(facts, settings),
        "install": list((changes.get("release") or {}).get("installed") or []),
        "programs": [],
        "gpus": None,
        "farms": _farms(settings, facts) if "plot_client" in host["components"] else [],
        "errors": [],
    }
    if {"plot_server", "proof_server"} & set(host["components"]):
        try:
            result["gpus"] = gpu_host(name, host["components"], settings, facts or {})
        except _WRONG as error:
            result["errors"].append(f"The cores of GPUs cannot be planned: {_sentence(error)}")
    for component in host["components"]:
        answer = changes.get(component, {})
        wanted, error = _wanted(component, settings, facts or {})
        for message in (error, answer.get("error")):
            if message and message not in result["errors"]:
                result["errors"].append(message)
        try:
            result["programs"] += _programs_of(component, settings, wanted, answer if state == READY else {})
        except _WRONG as wrong:
            result["errors"].append(f"The {component} cannot be planned: {_sentence(wrong)}")
    if settings.get("cluster_remove_orphans"):
        result["programs"] += _left_over((judged.get("orphans") or {}).get(name, []), facts)
    return result


def _left_over(files, facts):
    """The programs of components that a host has left, where they are to go."""
    for program in ((facts or {}).get("host") or {}).get("programs") or []:
        if str(program.get("file")).rpartition("/")[2].rpartition(".")[0] in files:
            entry = _program(LEFT_OVER, {}, {"name": program["name"], "command": []}, [])
            entry.update(
                change="stop",
                state=None,
                held=True,
                pending=False,
                reason="the host has left its group",
                version_before=None,
            )
            yield entry


def _state(name, host, facts, judged):
    if not host["components"]:
        return NO_COMPONENT, "It is in no component's group."
    if facts is None:
        return NOT_READ, "It was not asked (--limit)."
    if not facts["reachable"]:
        return UNREACHABLE, facts.get("error") or "It did not answer."
    if name in judged["left_out"]:
        return LEFT_OUT, f"Errors: {', '.join(sorted(set(judged['left_out'][name])))}."
    return READY, ""


def _prepare(facts, settings):
    """What is not on the host yet, a few words each."""
    known = (facts or {}).get("host") or {}
    missing = sorted(name for name, version in (known.get("packages") or {}).items() if version is None)
    steps = ["install " + " and ".join(missing)] if missing else []
    if "user" in known and known["user"] is None:
        steps.append(f"create the user {settings.get('cluster_user')}")
    if known.get("service") and not known["service"].get("active") and "supervisor" not in missing:
        steps.append("start supervisord")
    return steps


def _wanted(component, settings, facts):
    """The programs of a component on a host and why there are none."""
    known = {
        "topology": (facts.get("gpus") or {}).get("topology") or {},
        "gpu_error": (facts.get("gpus") or {}).get("gpu_error"),
        "programs": (facts.get("host") or {}).get("programs"),
        "disks": facts.get("disks") or {},
    }
    try:
        return programs(component, settings, known), None
    except _WRONG as error:
        if not facts.get("host"):
            return [], None  # nothing was read: the host's state says why
        return [], f"The programs of {component} cannot be told: {_sentence(error)}"


def _sentence(error):
    return f"{error} has no value" if isinstance(error, KeyError) else str(error)


def _programs_of(component, settings, wanted, answer):
    """The programs of a component with what would happen to each."""
    result = answer.get("program")
    now = {program["name"]: program for program in (result or {}).get("programs", [])}
    texts = [diff for diff in (result or {}).get("diff") or [] if str(diff.get("before_header", "")).endswith(".conf")]
    before = _parsed(texts[0]["before"] if texts else "")
    secrets = _secrets(wanted)
    for program in wanted:
        known = now.pop(program["name"], {"state": "ABSENT"})
        held = settings.get(component + "_state") == "stopped" or not program.get("autostart", True)
        change = _change(known, held) if result else "unknown"
        if change == "none" and component == "nats" and answer.get("configuration"):
            change = "reload"
        entry = _program(component, settings, program, secrets)
        entry.update(
            change=change,
            state=known["state"] if result else None,
            held=held,
            pending=bool(known.get("restart_required")),
        )
        entry["reason"], entry["version_before"] = _reason(program, change, held, result, before)
        yield entry
    for name, known in now.items():
        # What is no longer wanted and runs: it goes with the restart of the others.
        entry = _program(
            component,
            settings,
            {"name": name, "command": [], "stopwaitsecs": settings.get(component + "_stopwaitsecs")},
            [],
        )
        entry.update(
            change="stop",
            state=known["state"],
            held=True,
            pending=True,
            reason=_said(name, result) or "is no longer wanted",
            version_before=None,
        )
        yield entry


def _change(known, held):
    there = known["state"] in _RUNS
    if held:
        return "stop" if there or known["state"] in ("BACKOFF", "STOPPING") else "none"
    if known.get("restart_required"):
        return "restart"
    return "none" if there else "start"


def _program(component, settings, program, secrets):
    command = [_masked(argument, secrets) for argument in program["command"]]
    return {
        "component": component,
        "name": program["name"],
        "command": command,
        "environment": {
            name: value if name.startswith(EVIDENT) else "…" for name, value in program.get("environment", {}).items()
        },
        "cpus": program.get("cpus"),
        "ports": _ports(component, settings, program["name"]),
        "log": (program.get("log") or {}).get("path"),
        "startsecs": int(program.get("startsecs") or 0),
        "stopwaitsecs": int(program.get("stopwaitsecs") or 0),
    }


def _ports(component, s, name):
    if component == "nats":
        return [int(s["nats_client_port"]), int(s["nats_cluster_port"]), int(s["nats_monitor_port"])]
    if component == "node":
        return [int(s["node_rpc_port"])] + list(NODE_P2P_PORTS)
    if component == "controller":
        return [_CONTROLLER_P2P_PORT]
    slot = name[len(_PLOT_SERVER) :] if component == "plot_server" and name.startswith(_PLOT_SERVER) else ""
    return [int(s["plot_server_port"]) + int(slot)] if slot.isdigit() else []


def _secrets(wanted):
    """What must not be shown of programs: values that are named like a password or a token."""
    sections = {}
    for program in wanted:
        try:
            environment = quote_environment(program.get("environment", {}))
            sections[program["name"]] = {"command": quote_command(program["command"]), "environment": environment}
        except ConfError:  # the role refuses it too
            continue
    return sorted(secrets_of(sections), key=len, reverse=True)


def _masked(text, secrets):
    for secret in secrets:
        text = text.replace(secret, "********")
    return text


def _parsed(text):
    try:
        return parse(text or "")
    except ConfError:
        return {}


def _said(name, result):
    """What supervisor_program says of a program, without its name."""
    return next(
        (reason[len(name) + 1 :] for reason in (result or {}).get("reasons", []) if reason.startswith(name + " ")), None
    )


def _reason(program, change, held, result, before):
    """Why a program changes, and the version that its former file names."""
    old = options_of(before, program["name"]) if before else {}
    try:
        was = parse_command(old.get("command") or "")
    except ConfError:
        was = []
    version_before = _version(was)
    if change == "start":
        return ("is not defined yet" if not old else "does not run"), version_before
    if change == "stop":
        return _said(program["name"], result) or (
            "is to be kept stopped" if held else "is no longer wanted"
        ), version_before
    if change == "reload":
        return "reads its changed configuration, without a restart", version_before
    if change != "restart":
        return "", version_before
    said = _said(program["name"], result) or "runs an older definition than its file"
    differences = _differences(program, was, _environment(old)) if old else []
    options = re.search(r"\(([^()]*)\)$", said)
    others = (
        [name for name in options.group(1).split(", ") if name not in ("command", "environment")] if options else []
    )
    # What is different says more than that something is.
    return "; ".join(
        differences + (["settings " + ", ".join(others)] if others else [])
    ) if differences else said, version_before


def _environment(options):
    try:
        return parse_environment(options.get("environment") or "")
    except ConfError:
        return {}


def _version(command):
    found = _VERSION.search(" ".join(command))
    return found.group(1) if found else None


def _differences(program, was, environment):
    """What is different about a command, in words; values of the environment stay out, they may be secret."""
    found = []
    old_version, new_version = _version(was), _version(program["command"])
    if old_version != new_version:
        found.append(f"version {old_version} → {new_version}")
    old_cpus = None
    if was[:2] == ["numactl", "-C"]:
        old_cpus, was = was[2], was[4:]
    if old_cpus != program.get("cpus"):
        found.append(f"CPUs {old_cpus or 'any'} → {program.get('cpus') or 'any'}")
    old, new = was[1:], program["command"][1:]
    gone, come = [], []
    for kind, first, last, from_, to in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            gone += old[first:last]
            come += new[from_:to]
    secrets = _secrets([program])
    if gone or come:
        words = [("without " + " ".join(gone)) if gone else "", ("with " + " ".join(come)) if come else ""]
        found.append(_masked(", ".join(filter(None, words)), secrets))
    names = sorted(
        name
        for name in set(environment) | set(program["environment"])
        if environment.get(name) != program["environment"].get(name)
    )
    if "NATS_SETTINGS_DIGEST" in names:
        names.remove("NATS_SETTINGS_DIGEST")
        found.append("settings that nats-server reads only when it starts")
    return found + (["environment " + ", ".join(names)] if names else [])


# --- storage ---------------------------------------------------------------------------------------------------------


def _farms(settings, facts):
    """Per farm what its disk holds: bytes of plots there now, planned, free."""
    disks = (facts or {}).get("disks") or {}
    pieces = settings.get("plot_client_pieces_in_sector")
    result = []
    for farm in settings.get("plot_client_farms") or []:
        if not isinstance(farm, dict) or not farm.get("path"):
            continue
        disk = disks.get(farm["path"]) or {}
        entry = {
            "path": farm["path"],
            "state": farm.get("state", "present"),
            "wanted": str(farm.get("sectors", "auto")),
        }
        entry.update(
            {
                key: disk.get(key)
                for key in ("mountpoint", "device", "fstype", "size", "available", "existing_plot_bytes", "max_sectors")
            }
        )
        try:
            entry["sectors"] = farm_sectors(settings, farm, disk)
            entry["sectors_there"] = existing_sectors(disk["existing_plot_bytes"], int(pieces))
            entry["planned_bytes"] = sum(farm_files(entry["sectors"], int(pieces)).values())
        except _WRONG:
            entry.update({key: entry.get(key) for key in ("sectors", "sectors_there", "planned_bytes")})
        result.append(entry)
    return result


# --- steps -----------------------------------------------------------------------------------------------------------


def batches(hosts, roll, last=None):
    """Cut hosts into those that restart at once, as Ansible's ``serial`` does; *last* comes last."""
    ordered = sorted(host for host in hosts if host != last) + ([last] if last in hosts else [])
    text = str(roll).strip()
    size = int(len(ordered) * int(text[:-1]) / 100) if text.endswith("%") else int(text)
    size = max(1, size) if text.endswith("%") or size > 0 else len(ordered)
    return [ordered[first : first + size] for first in range(0, len(ordered), size)]


def seconds(text):
    """A duration such as ``1m30s`` in seconds, 0 for what is none."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h)", str(text)))


def _steps(model, hosts, leader):
    """What ``site.yml`` does to programs, one after another."""
    steps = []
    for component in COMPONENTS:
        mine = {
            name: [program for program in hosts[name]["programs"] if program["component"] == component]
            for name in model["components"][component]
        }

        def having(change, pending, mine=mine):
            return {
                name: [p for p in found if p["change"] == change and p["pending"] == pending]
                for name, found in mine.items()
            }

        for kind in ("stop", "start", "reload"):
            concerned = {name: found for name, found in having(kind, False).items() if found}
            if concerned:
                steps.append(_step(model, component, kind, [sorted(concerned)], concerned))
        rolled = {name: [p for p in found if p["pending"]] for name, found in mine.items()}
        rolled = {name: found for name, found in rolled.items() if found}
        if rolled:
            try:
                parts = batches(rolled, model["roll"][component], leader if component == "nats" else None)
            except ValueError:  # preflight reports it
                parts = batches(rolled, 1)
            steps.append(_step(model, component, "restart", parts, rolled))
    going = {
        name: [program for program in host["programs"] if program["component"] == LEFT_OVER]
        for name, host in hosts.items()
    }
    going = {name: found for name, found in going.items() if found}
    return steps + ([_step(model, LEFT_OVER, "stop", [sorted(going)], going)] if going else [])


def _step(model, component, kind, parts, concerned):
    least = most = 0
    made_of = []
    for part in parts:
        low, high, made_of = _batch_time(model, component, kind, {name: concerned[name] for name in part})
        least, most = least + low, most + high
    return {
        "component": component,
        "kind": kind,
        "batches": parts,
        "programs": sum(len(found) for found in concerned.values()),
        "at_least_s": int(round(least)),
        "at_most_s": int(round(most)),
        "made_of": made_of,
    }


def _batch_time(model, component, kind, concerned):
    """Seconds that hosts take at least and at most that do the same at once, and what they are made of."""

    def longest(key):
        return max(int(model["hosts"][name]["settings"].get(component + key) or 0) for name in concerned)

    found = [program for entries in concerned.values() for program in entries]
    starts = max([program["startsecs"] for program in found if program["change"] in ("start", "restart")] or [0])
    stops = max([program["stopwaitsecs"] for program in found if program["change"] in ("stop", "restart")] or [0])
    least, most, made_of = 0, 0, []
    if kind == "reload":
        return 0, 0, ["a signal"]
    if component == LEFT_OVER:
        return 0, 0, ["stop, within the stopwaitsecs of its file"]
    if kind == "restart" and component == "nats":
        most += longest("_health_timeout")
        made_of.append(f"until the others can do without it (≤ {duration(longest('_health_timeout'))})")
    if stops:
        lame = (
            max(seconds(model["hosts"][name]["settings"].get("nats_lame_duck_duration")) for name in concerned)
            if component == "nats"
            else 0
        )
        least, most = least + lame, most + max(stops, lame)
        made_of.append(
            "stop (%s)" % (f"{duration(lame)} to {duration(max(stops, lame))}" if lame else "≤ " + duration(stops))
        )
    if starts:
        least, most = least + starts, most + starts + longest("_health_timeout")
        made_of += [f"stay up for {duration(starts)}", f"until healthy (≤ {duration(longest('_health_timeout'))})"]
    return least, most, made_of


def duration(value):
    """Seconds as people say them."""
    value = int(round(value))
    if value < 120:
        return f"{value} s"
    if value < 7200:
        return f"{round(value / 60.0)} min"
    hours, rest = divmod(int(round(value / 60.0)), 60)
    return f"{hours} h {rest:02d} min" if rest else f"{hours} h"


def between(least, most):
    """Two durations as a span."""
    return duration(most) if duration(least) == duration(most) else f"{duration(least)} to {duration(most)}"


# --- the cluster -----------------------------------------------------------------------------------------------------


def _versions(model, hosts, steps):
    """Per software whose version changes on running programs: from what, to what, and how long both run."""
    result = []
    for what, components in (("Autonomys", [name for name in COMPONENTS if name != "nats"]), ("NATS", ["nats"])):
        moving, old, new = set(), set(), set()
        for host in hosts.values():
            for program in host["programs"]:
                version = _version(program["command"])
                if (
                    program["component"] in components
                    and program["change"] == "restart"
                    and program["version_before"] not in (None, version)
                ):
                    moving.add(program["component"])
                    old.add(program["version_before"])
                    new.add(version)
        if not moving:
            continue
        concerned = [
            number for number, step in enumerate(steps) if step["kind"] == "restart" and step["component"] in moving
        ]
        span = steps[concerned[0] : concerned[-1] + 1]
        held_back = [
            name
            for name, host in hosts.items()
            if host["state"] not in (READY, NO_COMPONENT) and set(host["components"]) & set(components)
        ]
        result.append(
            {
                "what": what,
                "from": sorted(old),
                "to": sorted(new),
                "components": [component for component in COMPONENTS if component in moving],
                "at_least_s": sum(step["at_least_s"] for step in span),
                "at_most_s": sum(step["at_most_s"] for step in span),
                "held_back": held_back,
            }
        )
    return result


def _settings_of(model, components, name):
    """The values of a variable on the hosts of components, sorted."""
    hosts = {host for component in components for host in model["components"][component]}
    return sorted({str(model["hosts"][host]["settings"].get(name)) for host in hosts})


def _notes(hosts):
    """What a reader must know of the consequences, a sentence each."""
    notes = []
    plotting = [
        (name, program)
        for name, host in hosts.items()
        for program in host["programs"]
        if program["component"] == "plot_server"
        and program["change"] in ("restart", "stop")
        and program["state"] in _RUNS
    ]
    if plotting:
        where = sorted({name for name, _program_entry in plotting})
        notes.append(
            "%s on %s %s: the sectors in work there are lost and plotted again from the start."
            % (
                counted(len(plotting), "plot server"),
                counted(len(where), "host"),
                "stops or restarts" if len(plotting) == 1 else "stop or restart",
            )
        )
    installing = sorted(name for name, host in hosts.items() if host["install"] and host["state"] == READY)
    if installing:
        notes.append(
            f"New binaries are brought to {counted(len(installing), 'host')} first; that takes as long as the download does."
        )
    preparing = sorted(name for name, host in hosts.items() if host["prepare"] and host["state"] == READY)
    if preparing:
        notes.append(
            "%s prepared first (packages, user, supervisord)."
            % (counted(len(preparing), "host") + (" is" if len(preparing) == 1 else " are"))
        )
    return notes


def counted(number, word):
    """``1 host``, ``2 hosts``."""
    return f"{number} {word}{('' if number == 1 else 's')}"


def _connections(model, hosts):
    """Who talks to whom on which port, by component. What may connect to several servers holds one of them at a time."""
    found = {}
    for link in model["connections"]:
        if link["component"] == "controller" and link["to_component"] == "node" and not _is_node_of(model, link):
            continue
        entry = found.setdefault(
            (link["component"], link["to_component"], str(link["port"])), {"hosts": set(), "to_hosts": set()}
        )
        entry["hosts"].add(link["host"])
        entry["to_hosts"].add(link["to_host"])
    order = list(COMPONENTS)
    return [
        {
            "component": key[0],
            "to_component": key[1],
            "port": key[2],
            "hosts": len(entry["hosts"]),
            "to_hosts": len(entry["to_hosts"]),
            "programs": sum(
                1 for name in entry["hosts"] for program in hosts[name]["programs"] if program["component"] == key[0]
            ),
        }
        for key, entry in sorted(
            found.items(), key=lambda item: (order.index(item[0][0]), order.index(item[0][1]), item[0][2])
        )
    ]


def _is_node_of(model, link):
    """Whether a controller is given that node: all may reach all nodes, each uses one."""
    url = str(model["hosts"][link["host"]]["settings"].get("controller_node_rpc_url"))
    return url.rstrip("/").endswith(f"//{model['hosts'][link['to_host']]['address']}:{link['port']}")


def _summary(hosts, steps, found):
    changes = [program["change"] for host in hosts.values() for program in host["programs"]]
    severities = {
        severity: [item for item in found if item["severity"] == severity] for severity in ("error", "warning", "info")
    }
    return {
        "hosts": len(hosts),
        "ready": len([name for name, host in hosts.items() if host["state"] == READY]),
        "programs": len(changes),
        "changes": {change: changes.count(change) for change in CHANGES},
        "findings": {severity: len(items) for severity, items in severities.items()},
        "accepted": len([item for item in found if item["accepted"]]),
        "at_least_s": sum(step["at_least_s"] for step in steps),
        "at_most_s": sum(step["at_most_s"] for step in steps),
    }


def alike(items, key):
    """Items that are equal by *key* together, in the order of the first of each: ``[[items]]``."""
    groups = {}
    for item in items:
        groups.setdefault(repr(key(item)), []).append(item)
    return list(groups.values())
