# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Values of the right kind out of what a server answered: what is missing is None or empty, a wrong kind is an error.

A value of a wrong kind must not be taken for one that is missing: a list of replicas that cannot be read is not a list
without replicas.
"""

from __future__ import annotations

import math
from typing import Any, Mapping


class KindError(ValueError):
    """A value is of a kind that it cannot have; the text names it."""


def mapping(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return an object, empty when it is missing or null."""
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise KindError(f"{key} is not an object")
    return value


def items(parent: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of objects, empty when it is missing or null."""
    value = parent.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise KindError(f"{key} is not a list of objects")
    return value


def text(parent: Mapping[str, Any], key: str) -> str | None:
    """Return a text, None when it is missing or null."""
    value = parent.get(key)
    if value is not None and not isinstance(value, str):
        raise KindError(f"{key} is not text")
    return value


def flag(parent: Mapping[str, Any], key: str) -> bool | None:
    """Return true or false, None when it is missing or null."""
    value = parent.get(key)
    if value is not None and not isinstance(value, bool):
        raise KindError(f"{key} is neither true nor false")
    return value


def whole(parent: Mapping[str, Any], key: str) -> int | None:
    """Return a whole number that is not negative, None when it is missing or null."""
    value = parent.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise KindError(f"{key} is not a whole number")
    return value


def number(parent: Mapping[str, Any], key: str) -> float | None:
    """Return a number that is not negative, None when it is missing or null."""
    value = parent.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise KindError(f"{key} is not a number")
    return value
