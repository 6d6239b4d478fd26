# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a run hands over when it ends: files, and one dictionary of statistics, which AWX gives to the next job.

A task returns the dictionary as ``set_stats`` does. There it becomes a variable, so text of hosts must not be a
template in it.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

# The one variable that it becomes.
NAME = "autonomys"
# AWX keeps it in its database, and hands it to every later job of a workflow.
MOST_BYTES = 256 * 1024
MOST_TEXT = 2000

_TEMPLATE = re.compile(r"\{(?=[{%#])|(?<=[}%#])\}")


def handed_over(**parts: Any) -> dict[str, Any]:
    """Return what a task returns to hand over parts of the dictionary; those of several tasks come together."""
    return {"ansible_stats": {"data": {NAME: _bounded(_inert(parts))}, "per_host": False, "aggregate": True}}


def _inert(value: Any) -> Any:
    """Return a value without control characters and templates, its texts not longer than somebody reads."""
    if isinstance(value, dict):
        return {str(_inert(str(key))): _inert(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_inert(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = printable(value)
    text = text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + " …"
    return _TEMPLATE.sub(lambda match: match.group() + " " if match.group() == "{" else " }", text)


def _bounded(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the parts, those that are too long as their first items, with a word about it."""
    bounded = {}
    for name, value in parts.items():
        if _size(value) > MOST_BYTES:
            bounded[f"{name}_cut"] = f"It was longer than {MOST_BYTES // 1024} KiB: cluster_results_dir has all of it."
            value = _first(value)
        bounded[name] = value
    return bounded


def _first(value: Any) -> Any:
    """Return as many of the first items as there is room for; of a dictionary those that are small."""
    if isinstance(value, list):
        room, kept = MOST_BYTES, []
        for item in value:
            room -= _size(item) + 2
            if room < 0:
                break
            kept.append(item)
        return kept
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if _size(item) <= MOST_BYTES // (len(value) or 1)}
    return None


def _size(value: Any) -> int:
    return len(json.dumps(value))


def write(path: str, text: str) -> None:
    """Write a text to a file on the control node, whose folder is made where it is missing."""
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {error}") from error


def write_json(path: str, value: object) -> None:
    """Write a value to a file on the control node, as JSON."""
    write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
