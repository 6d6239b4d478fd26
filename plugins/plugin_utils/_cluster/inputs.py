# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Variables with the types that the argument specs of the roles give them: the only source of settings.

Ansible validates the variables of a role by its specs and leaves them as they were written: ``-e key=value``, an INI
inventory and a survey give text, and text that says false is true. Here a value means the same however it came.
"""

from __future__ import annotations

import datetime
import functools
from typing import Any, Mapping

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import is_secret_name

from . import role_files

Option = Mapping[str, Any]

# Texts that may be whole numbers, such as bytes, an index, or hosts at once.
MAY_BE_NUMBERS = (
    "nats_jetstream_max_file",
    "nats_jetstream_max_memory",
    "nats_max_payload",
    "nats_max_pending",
    "node_blocks_pruning",
    "node_state_pruning",
    "proof_server_cpus",
    "proof_server_gpu",
    *(f"{component}_roll" for component in COMPONENTS),
)


class NotConvertible(ValueError):
    """A value that cannot have the type of its variable."""


def typed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables with the types of the specs; what cannot be converted, and what no role knows, as it is."""
    known = role_files.all_options()
    found = dict(settings)
    for name, value in settings.items():
        option = known.get(name)
        if option is None or was_rewritten(name, option, value):
            continue
        try:
            found[name] = convert(option, value)
        except NotConvertible:  # preflight says what is wrong with it
            continue
    return found


def was_rewritten(name: str, option: Option, value: Any) -> bool:
    """Return whether a value may be another one than was written: it stays as it is, which is a finding.

    YAML, and so AWX with the answers of its surveys, reads 1.10 as 1.1, 0755 as 493, 12:30 as 750, 007 as 7.
    """
    if value is None or isinstance(value, str):
        return False
    kind = option.get("type", "str")
    if kind == "raw" or (name.endswith("_environment") and isinstance(value, Mapping)):
        items = value.items() if isinstance(value, Mapping) else [("", value)]
        return any(rewritten_item(str(key), item) for key, item in items)
    if kind != "str" or option.get("choices") or isinstance(value, (list, dict)):
        return False
    return name not in MAY_BE_NUMBERS or not isinstance(value, int) or isinstance(value, bool)


def rewritten_item(key: str, value: Any) -> bool:
    """Return whether the value of a variable of the environment may be another one than was written.

    A whole number is what it seems, unless it is a password that began with zeros.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return is_secret_name(key)
    return isinstance(value, (bool, float, datetime.date))


def convert(option: Option, value: Any) -> Any:
    """Return a value with the type of its option; raise NotConvertible when it has none such."""
    if value is None:
        return None
    kind = option.get("type", "str")
    if kind == "list":
        element = dict(option, type=option.get("elements", "raw"))
        return [convert(element, item) for item in _items(value)]
    if kind == "dict":
        return _map(option.get("options"), _pairs(value))
    if kind == "raw":
        return _structure(value, "{")
    if kind == "str" and isinstance(value, str) and not option.get("choices"):
        return value
    if isinstance(value, (list, dict)) or (isinstance(value, bool) and kind != "bool"):
        raise NotConvertible(f"{type(value).__name__} is no {kind}")
    return _scalar(kind, tuple(option.get("choices", ())), type(value).__name__, value)


def _items(value: Any) -> list[Any]:
    value = _structure(value, "[")
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value else []
    if not isinstance(value, (list, tuple)):
        raise NotConvertible(f"{type(value).__name__} is not a list")
    return list(value)


def _pairs(value: Any) -> Mapping[Any, Any]:
    value = _structure(value, "{")
    if isinstance(value, str):
        pairs: Mapping[Any, Any] = _validated({"type": "dict"}, value) if value else {}
        return pairs
    if not isinstance(value, dict):
        raise NotConvertible(f"{type(value).__name__} is not a map")
    return value


def _structure(value: Any, opening: str) -> Any:
    """Return the list or map that a text describes in YAML or JSON, else the value."""
    if not (isinstance(value, str) and value.lstrip().startswith(opening)):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise NotConvertible(str(error)) from error


def _map(options: Mapping[str, Option] | None, value: Mapping[Any, Any]) -> dict[Any, Any]:
    if options is None:
        return dict(value)
    if set(value) - set(options):
        raise NotConvertible("it has unknown keys")
    return {key: convert(options[key], item) for key, item in value.items()}


@functools.lru_cache(maxsize=4096)
def _scalar(kind: str, choices: tuple[Any, ...], _given: str, value: Any) -> Any:
    """Convert one value; most hosts share theirs. The type is part of the key, since 1, 1.0 and True are equal."""
    # The validator would replace ~ and $HOME in a path by those of the control node.
    option: dict[str, Any] = {"type": "str" if kind == "path" else kind}
    return _validated(dict(option, choices=list(choices)) if choices else option, value)


def _validated(option: Mapping[str, Any], value: Any) -> Any:
    try:
        result = ArgumentSpecValidator({"value": dict(option)}).validate({"value": value})
    except OverflowError as error:  # infinity is no whole number, and the validator does not expect it
        raise NotConvertible(str(error)) from error
    if result.error_messages:
        raise NotConvertible("; ".join(result.error_messages))
    return result.validated_parameters["value"]
