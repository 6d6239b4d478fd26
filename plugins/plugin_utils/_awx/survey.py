# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Questions of surveys, made from the specifications of variables. Pure functions.

AWX reads answers as YAML: `off` arrives as false and `1.10` as 1.1. So a question asks for a whole number, or for one
of some words, wherever the variable allows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from .._words import one_line

Option = Mapping[str, Any]

# The types of a playbook's variables, by their last words; the role's specifications know all others.
HEAD_TYPES: Mapping[str, Option] = {
    "_everything": {"type": "bool", "default": False, "description": "All components, if that is really meant."},
    "_components": {"type": "list", "elements": "str", "description": "Components. None: those of the programs below."},
    "_programs": {
        "type": "list",
        "elements": "str",
        "description": "Names of programs, separated by commas, such as autonomys-plot-server-2.",
    },
    "_gpu_slots": {
        "type": "list",
        "elements": "str",
        "description": "Numbers of plot servers, separated by commas, such as 0,2.",
    },
    "cluster_plan_id": {"type": "str", "description": "The id that plan has printed. Empty: without an approval."},
}
MOST_TEXT = 1024


class Question(TypedDict):
    """A question of a survey, as the API of AWX has it."""

    question_name: str
    question_description: str
    variable: str
    type: str
    required: bool
    default: Any
    choices: list[str]
    min: int | None
    max: int | None


def names_in_head(text: str) -> set[str]:
    """Return the names of variables that the comments before a playbook's first play name."""
    head = []
    for line in text.splitlines():
        if line.startswith("#"):
            head.append(line)
        elif line.strip() not in ("", "---"):
            break
    return set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", " ".join(head)))


def option_of(name: str, head: set[str], specs: Mapping[str, Option], components: Sequence[str]) -> Option | None:
    """Return the specification of a variable, None when neither a role nor the playbook's head knows it."""
    if name in specs:
        return specs[name]
    if name not in head:
        return None
    option = next((known for end, known in HEAD_TYPES.items() if name.endswith(end)), None)
    if option and name.endswith("_components"):
        return {**option, "choices": list(components)}
    return option


def question(name: str, option: Option, required: bool) -> Question:
    """Return the question for a variable."""
    kind, default = option.get("type", "str"), option.get("default")
    choices = [str(choice) for choice in option.get("choices") or []]
    asked: Question = {
        "question_name": name,
        "question_description": _described(option),
        "variable": name,
        "type": "text",
        "required": required,
        "default": "",
        "choices": ["true", "false"] if kind == "bool" else choices,
        "min": 0,
        "max": MOST_TEXT,
    }
    if asked["choices"]:
        asked["type"] = "multiselect" if kind == "list" else "multiplechoice"
        shown = str(default).lower() if kind == "bool" else str(default)
        asked["default"] = shown if shown in asked["choices"] else ""
        asked["min"] = asked["max"] = None
    elif kind == "int":
        asked["type"], asked["max"] = "integer", 2**31 - 1
        asked["default"] = "" if default is None else default
    elif isinstance(default, str) and "{{" not in default:
        asked["default"] = default
    return asked


def _described(option: Option) -> str:
    text = option.get("description") or ""
    plain = re.sub(r"\b[A-Z]\(([^()]*)\)", r"\1", " ".join(text) if isinstance(text, list) else text)
    return one_line(plain, 1000)
