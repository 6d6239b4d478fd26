# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What changes about the programs of a host, and why, in words without secrets. Pure functions.

What would change is not computed here: the roles say it, in check mode. This puts their answers beside the programs
that are wanted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Program as Wanted
from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import file_of, version_of
from ansible_collections.autonomys.cluster.plugins.module_utils._components.nats import DIGEST
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, programs
from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import (
    hidden,
    masked_arguments,
    masked_environment,
    secret_values,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import (
    options_of,
    parse,
    parse_command,
    parse_environment,
)

from .shape import LEFT_OVER, RUNS, WRONG, Answer, Facts, Program, Settings

# The options of a program as its file has them.
Options = Mapping[str, str]


def wanted_programs(component: str, settings: Settings, facts: Facts) -> tuple[list[Wanted], str | None]:
    """Return the programs of a component on a host, and why there are none."""
    try:
        return programs(component, settings, facts), None
    except WRONG as error:
        if not facts["host"]:
            return [], None  # nothing was read: the host's state says why
        return [], f"The programs of {component} are not known: {sentence(error)}"


def sentence(error: Exception) -> str:
    """Return what went wrong, in words."""
    return f"{error} has no value" if isinstance(error, KeyError) else str(error)


def changed_programs(component: str, settings: Settings, wanted: Sequence[Wanted], answer: Answer) -> Iterator[Program]:
    """Return the programs of a component with what would happen to each.

    Args:
        wanted: what ``wanted_programs`` returns.
        answer: what the role said in check mode, empty where it did not.
    """
    result = answer.get("program")
    now = {program["name"]: program for program in (result or {}).get("programs", [])}
    before, after = _texts(result or {})
    for program in wanted:
        known = now.pop(program["name"], {"state": "ABSENT"})
        held = settings.get(component + "_state") == "stopped" or not program.get("autostart", True)
        change = _change(known, held) if result else "unknown"
        if change == "none" and component == "nats" and answer.get("configuration"):
            change = "reload"
        old = options_of(before, program["name"]) if before else {}
        was = _command(old)
        entry = _defined(component, settings, program)
        entry["change"] = change
        entry["state"] = known["state"] if result else None
        entry["held"] = held
        entry["pending"] = bool(known.get("restart_required"))
        differences = _differences(old, options_of(after, program["name"])) if old else []
        defined = bool(old) or known["state"] != "ABSENT"
        entry["reason"] = _reason(_said(program["name"], result or {}), change, held, defined, differences)
        entry["version_before"] = version_of(was)
        yield entry
    for name, known in now.items():
        # What is no longer wanted and runs: it goes with the restart of the others.
        entry = _stopping(component, settings, name, settings.get(component + "_stopwaitsecs"))
        entry["state"] = known["state"]
        entry["pending"] = True
        entry["reason"] = _said(name, result or {}) or "is no longer wanted"
        yield entry


def left_over_programs(files: Iterable[str], facts: Facts) -> Iterator[Program]:
    """Return the programs of components that a host has left, where they are to go."""
    for program in (facts["host"] or {}).get("programs") or []:
        if file_of(str(program.get("file"))) in files:
            entry = _stopping(LEFT_OVER, {}, program["name"], 0)
            entry["reason"] = "the host has left its group"
            yield entry


def _change(known: Mapping[str, Any], held: bool) -> str:
    there = known["state"] in RUNS
    if held:
        return "stop" if there or known["state"] in ("BACKOFF", "STOPPING") else "none"
    if known.get("restart_required"):
        return "restart"
    return "none" if there else "start"


def _stopping(component: str, settings: Settings, name: str, stopwaitsecs: object) -> Program:
    """Return a program as the plan has it, as one that is not wanted and stops."""
    return {
        "component": component,
        "name": name,
        "command": [],
        "environment": {},
        "cpus": None,
        "ports": COMPONENTS[component].ports_of(settings, name) if component in COMPONENTS else [],
        "log": None,
        "startsecs": 0,
        "stopwaitsecs": _whole(stopwaitsecs),
        "change": "stop",
        "state": None,
        "held": True,
        "pending": False,
        "reason": "",
        "version_before": None,
    }


def _defined(component: str, settings: Settings, program: Wanted) -> Program:
    """Return a program as the plan has it, with what its definition says; what happens to it, the caller says."""
    entry = _stopping(component, settings, program["name"], program["stopwaitsecs"])
    secrets = secret_values(program["environment"], program["command"])
    entry["command"] = [hidden(argument, secrets) for argument in masked_arguments(program["command"])]
    entry["environment"] = masked_environment(program["environment"])
    entry["cpus"] = program.get("cpus")
    entry["log"] = program["log"]["path"]
    entry["startsecs"] = _whole(program["startsecs"])
    return entry


def _whole(number: Any) -> int:
    """Return a setting as a number, which a wrong inventory may have as anything."""
    return int(number or 0)


def _texts(result: Answer) -> tuple[Mapping[str, Options], Mapping[str, Options]]:
    """Return the sections of the file of programs as it is and as it will be, both without secrets."""
    for diff in result.get("diff") or []:
        if str(diff.get("before_header", "")).endswith(".conf"):
            return _parsed(diff.get("before")), _parsed(diff.get("after"))
    return {}, {}


def _parsed(text: str | None) -> Mapping[str, Options]:
    try:
        return parse(text or "")
    except ConfError:
        return {}


def _said(name: str, result: Answer) -> str | None:
    """Return what supervisor_program says of a program, without its name."""
    reasons = result.get("reasons", [])
    return next((reason[len(name) + 1 :] for reason in reasons if reason.startswith(name + " ")), None)


def _reason(said: str | None, change: str, held: bool, defined: bool, differences: Sequence[str]) -> str:
    """Return why a program changes: *said* is what supervisor_program says of it."""
    if change == "start":
        return "does not run" if defined else "is not defined yet"
    if change == "stop":
        return said or ("is to be kept stopped" if held else "is no longer wanted")
    if change == "reload":
        return "reads its changed configuration, without a restart"
    if change != "restart":
        return ""
    said = said or "runs an older definition than its file"
    if not differences:
        return said
    # What is different says more than that something is.
    options = re.search(r"\(([^()]*)\)$", said)
    others = (
        [name for name in options.group(1).split(", ") if name not in ("command", "environment")] if options else []
    )
    return "; ".join([*differences, *(["settings " + ", ".join(others)] if others else [])])


def _command(options: Options) -> list[str]:
    """Return the command that a program's options name, as a list."""
    try:
        return parse_command(options.get("command") or "")
    except ConfError:
        return []


def _environment(options: Options) -> dict[str, str]:
    try:
        return parse_environment(options.get("environment") or "")
    except ConfError:
        return {}


def _differences(old: Options, new: Options) -> list[str]:
    """Return what is different about a program, in words; values of the environment stay out."""
    (cpus_before, was), (cpus, wanted) = _unbound(_command(old)), _unbound(_command(new))
    versions = version_of(was), version_of(wanted)
    found = []
    if versions[0] != versions[1]:
        found.append(f"version {versions[0]} → {versions[1]}")
    if cpus_before != cpus:
        found.append(f"CPUs {cpus_before or 'any'} → {cpus or 'any'}")
    arguments = _different_arguments(was[1:], wanted[1:])
    if arguments:
        found.append(arguments)
    return found + _different_environment(_environment(old), _environment(new))


def _unbound(command: list[str]) -> tuple[str | None, list[str]]:
    """Return the CPUs that a command is bound to by numactl, None for none, and the command behind that."""
    return (command[2], command[4:]) if command[:2] == ["numactl", "-C"] else (None, command)


def _different_arguments(old: Sequence[str], new: Sequence[str]) -> str:
    """Return in words what has gone from a list of arguments and what has come."""
    gone: list[str] = []
    come: list[str] = []
    for kind, first, last, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            gone += old[first:last]
            come += new[start:end]
    words = [("without " + " ".join(gone)) if gone else "", ("with " + " ".join(come)) if come else ""]
    return ", ".join(filter(None, words))


def _different_environment(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return in words which variables of the environment differ."""
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    found = []
    if DIGEST in names:
        names.remove(DIGEST)
        found.append("settings that nats-server reads only when it starts")
    return found + (["environment " + ", ".join(names)] if names else [])
