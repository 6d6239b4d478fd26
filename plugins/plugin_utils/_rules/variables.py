# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""VAR: rules about variables: all argument specs of all hosts at once, and names that no role knows."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import is_secret_name

from .._cluster.inputs import NotConvertible, convert, rewritten_item, was_rewritten
from .._cluster.model import PREFIXES
from .._words import one_line, shown
from . import spelling, unresolved
from .view import ERROR, INVENTORY, WARNING, Finding, Rule, View, finding

RULES = {
    "VAR001": Rule(ERROR, "inventory", "A required variable is missing"),
    "VAR002": Rule(ERROR, "inventory", "A variable has a wrong type or value"),
    "VAR003": Rule(ERROR, "inventory", "No role knows a variable"),
    "VAR004": Rule(ERROR, "inventory", "A variable's template has no value"),
    "VAR005": Rule(ERROR, "inventory", "A text has become a number, a date or a truth value"),
    "VAR006": Rule(WARNING, "inventory", "cluster_accept names no rule"),
    "VAR007": Rule(WARNING, "inventory", "A secret is in clear text"),
}

# Variables with our prefixes that playbooks read and roles do not.
PLAYBOOK_VARIABLES = (
    "cluster_findings_file",
    "cluster_findings_query",
    "cluster_drift_file",
    "cluster_plan_file",
    "cluster_plan_id",
    "cluster_report_file",
    "cluster_results_dir",
    "cluster_status_file",
)

# The model derives them where it can; where not, a rule says what is missing in the inventory.
DERIVED = ("controller_node_rpc_url",)

# Hosts with NATS servers only need none of the Autonomys binaries.
NOT_FOR_NATS = ("cluster_version", "cluster_binaries")

KINDS = {
    "str": "text",
    "path": "an absolute path",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a map",
    "float": "a number",
}


# What is wrong with a variable: rule, message and remedy.
Fault = tuple[str, str, str]
Options = Mapping[str, Any]


def check(model: Mapping[str, Any], control: Mapping[str, Any]) -> tuple[list[Finding], dict[str, dict[str, Any]]]:
    """Return ``(findings, {host: valid variables, converted})``; without specs all variables count as valid."""
    specs = control.get("specs") or {}
    checked: dict[tuple[str, bool, str], tuple[Fault | None, Any]] = {}
    found: list[Finding] = []
    values: dict[str, dict[str, Any]] = {}
    for name in sorted(model["hosts"]):
        host = model["hosts"][name]
        values[name] = dict(host["settings"])
        found += _valid(name, host, specs, checked, values[name])
        for variable, message in sorted(host.get("unresolved", {}).items()):
            values[name].pop(variable, None)
            found.append(_unresolved(name, variable, message))
    found += _names(model, control, {name: option for options in specs.values() for name, option in options.items()})
    for name, hosts in sorted((control.get("clear_secrets") or {}).items()):
        remedy = (
            "Encrypt it with ansible-vault encrypt_string, or keep its file encrypted. Change it too if others have "
            "the file already."
        )
        found.append(finding("VAR007", hosts, _owner(name), f"{name} holds a secret in clear text", remedy))
    return found, values


def _valid(
    name: str,
    host: Mapping[str, Any],
    specs: Mapping[str, Mapping[str, Options]],
    checked: dict[tuple[str, bool, str], tuple[Fault | None, Any]],
    values: dict[str, Any],
) -> Iterator[Finding]:
    """Check a host's variables by the specs of its roles, and put them into ``values``, converted.

    ``checked`` remembers what was found of values that other hosts have too.
    """
    settings, components = host["settings"], host["components"]
    for role in ["common", *components] if components else []:
        for variable, option in specs.get(role, {}).items():
            if components == ["nats"] and variable in NOT_FOR_NATS:
                continue
            # Most hosts share their values, and validating them costs far more than comparing them.
            key = (variable, variable in settings, repr(settings.get(variable)))
            if key not in checked:
                checked[key] = _check(variable, option, settings)
            fault, values[variable] = checked[key]
            if fault and variable not in host.get("unresolved", {}):
                rule, message, remedy = fault
                yield finding(rule, [name], _component(role), message, remedy)


def _names(model: Mapping[str, Any], control: Mapping[str, Any], specs: Mapping[str, Options]) -> Iterator[Finding]:
    """Find variables that no role knows."""
    if not specs:
        return
    known = sorted({*specs, *PLAYBOOK_VARIABLES})
    unknown: dict[str, list[str]] = {}
    for host in sorted(model["hosts"]):
        for name in set(model["hosts"][host]["settings"]).difference(known):
            unknown.setdefault(name, []).append(host)
    for name, hosts in sorted(unknown.items()):
        if not spelling.is_foreign(name):
            values = [model["hosts"][host]["settings"][name] for host in hosts]
            yield _unknown(name, hosts, values, specs)
    yield from _misprefixed(control.get("other_variables") or {}, known)


def _component(role: str) -> str:
    return INVENTORY if role == "common" else role


def _check(name: str, option: Options, settings: Mapping[str, Any]) -> tuple[Fault | None, Any]:
    """Return ``(fault, value)`` of one variable: what is wrong, or the value converted to its type."""
    value = settings.get(name)
    if value is None:
        if option.get("required") and name not in DERIVED:
            return ("VAR001", f"{name} is not set", f"Set {name}: {_described(option)}"), None
        if name in settings and option.get("default") is not None:
            remedy = f"Give it a value, or remove the line: the default is {shown(option['default'])}."
            return ("VAR002", f"{name} is empty", remedy), None
        return None, None
    for rule, message in (("VAR004", _leftover(name, value)), ("VAR002", _fault(name, option, value))):
        if message:
            return (rule, message, f"Correct {name}: {_described(option)}"), None
    if was_rewritten(name, option, value):
        return _rewritten(name, value), None
    return None, convert(option, value)


def _rewritten(name: str, value: Any) -> Fault:
    """Return that a value may be another one than was written, and how to write it."""
    if not isinstance(value, Mapping):
        return "VAR005", f"{name} {_became(value)}", f'Write it in quotes: {name}: "{value}"'
    key, item = next((str(key), item) for key, item in value.items() if rewritten_item(str(key), item))
    if is_secret_name(key):
        message = f"{name} has {key} as a number; YAML rewrites numbers, so that a password 007 becomes 7"
        return "VAR005", message, f'Write it in quotes: {key}: "…". In AWX, take it from a credential (docs/awx.md).'
    return "VAR005", f"{key} of {name} {_became(item)}", f'Write it in quotes: {key}: "{item}"'


def _became(value: object) -> str:
    """Return what YAML made of a text."""
    if isinstance(value, datetime.date):
        return f"is a date for YAML, {value}, and no longer the text that you wrote"
    if isinstance(value, bool):
        return f"is {str(value).lower()}; YAML makes that of yes, no, on and off, too"
    return f"is the number {value}; YAML rewrites numbers, so that 1.10 becomes 1.1 and 007 becomes 7"


def _leftover(name: str, value: object) -> str | None:
    """Return what is wrong with a template without a value, which ansible-core before 2.19 leaves as it is."""
    if isinstance(value, str) and "{{" in value:
        return f"{name} has no value: {shown(value)}"
    return None


def _fault(name: str, option: Options, value: Any) -> str | None:
    """Return what is wrong with a value, in a sentence; None when nothing is."""
    kind = option.get("type", "str")
    wrong = f"{name} is {shown(value)}; it must be {KINDS.get(kind, kind)}"
    # What could be converted has been, by the model.
    if kind == "list":
        return _list_fault(name, option, value) if isinstance(value, (list, tuple)) else wrong
    if kind == "dict":
        return _dict_fault(name, option, value) if isinstance(value, dict) else wrong
    if kind in ("str", "path") and isinstance(value, (bool, list, dict)):
        return wrong + (", written in quotes" if isinstance(value, bool) else "")
    if kind == "int" and isinstance(value, bool) or kind == "path" and not str(value).startswith("/"):
        return wrong
    try:
        convert(option, value)
    except NotConvertible:
        choices = ", ".join(str(choice) for choice in option.get("choices", []))
        return f"{name} is {shown(value)}; it must be one of {choices}" if choices else wrong
    return None


def _list_fault(name: str, option: Options, value: Sequence[Any]) -> str | None:
    element = dict(option, type=option.get("elements", "raw"))
    return _first(_fault(f"{name}[{index}]", element, item) for index, item in enumerate(value))


def _dict_fault(name: str, option: Options, value: Mapping[Any, Any]) -> str | None:
    options = option.get("options")
    if options is None:
        return None
    for key in sorted(set(value) - set(options), key=str):
        close = difflib.get_close_matches(str(key), list(options), 1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(options)}"
        return f"{name} has the unknown key {key}; {hint}"
    for key in options:
        if options[key].get("required") and value.get(key) is None:
            return f"{name} has no {key}"
    return _first(_fault(f"{name}.{key}", options[key], value[key]) for key in options if value.get(key) is not None)


def _first(faults: Iterable[str | None]) -> str | None:
    return next((fault for fault in faults if fault), None)


def _described(option: Options) -> str:
    text = option.get("description") or ""
    text = " ".join(text) if isinstance(text, list) else text
    for mark in ("C(", "V(", "O("):
        while mark in text:
            before, rest = text.split(mark, 1)
            inside, after = rest.split(")", 1) if ")" in rest else (rest, "")
            text = before + inside + after
    return text[:1].lower() + text[1:]


def _unresolved(host: str, name: str, message: str) -> Finding:
    text = f"{name} has no value: {one_line(message, 1000)}"
    return finding("VAR004", [host], _owner(name), text, unresolved.remedy(name, message))


def _unknown(name: str, hosts: Sequence[str], values: Sequence[Any], specs: Mapping[str, Options]) -> Finding:
    """Judge a name that begins like ours: an error only where it is a slip, and the values fit the real one."""
    message = f"No role knows the variable {name}"
    known = sorted({*specs, *PLAYBOOK_VARIABLES})
    meant = spelling.mistyped(name, known)
    if meant and not any(_fault(meant, specs.get(meant, {}), value) for value in values if value is not None):
        return finding("VAR003", hosts, _owner(name), message, f"Did you mean {meant}?", ERROR)
    near = spelling.similar(name, known)
    remedy = f"If you meant {near}, correct it. " if near else ""
    remedy += "It has no effect here; accept this finding if it belongs to other software."
    return finding("VAR003", hosts, _owner(name), message, remedy, WARNING)


def _misprefixed(others: Mapping[str, Sequence[str]], known: Sequence[str]) -> Iterator[Finding]:
    """Find names so near to one of ours that only the prefix can be mistyped."""
    for name, hosts in sorted(others.items()):
        meant = spelling.mistyped(name, known)
        if meant:
            message = f"No role knows the variable {name}"
            yield finding("VAR003", hosts, _owner(meant), message, f"Did you mean {meant}?")


def check_accepted(view: View, rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """Check ``cluster_accept`` against the ids of all rules."""
    for host in view.hosts:
        for name in view.value(host, "cluster_accept") or []:
            if name not in rules:
                close = difflib.get_close_matches(str(name).upper(), list(rules), 1)
                remedy = f"Did you mean {close[0]}?" if close else "docs/findings.md lists the rules."
                message = f"cluster_accept names {shown(name)}, which is not a rule"
                yield finding("VAR006", [host], INVENTORY, message, remedy)


def _owner(name: str) -> str:
    """Return the component that a variable belongs to."""
    prefix = max((prefix for prefix in PREFIXES if name.startswith(prefix)), key=len, default="cluster_")
    return INVENTORY if prefix == "cluster_" else prefix[:-1]
