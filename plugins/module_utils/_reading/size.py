# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""How much a reading may be: the control node keeps that of every host at once."""

from __future__ import annotations

import json
from typing import Any, Mapping

MAX_BYTES = 200000


def without_files(looked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a look has seen without the lists of open files: they are judged already, and can be thousands."""
    evidence = dict(looked["evidence"])
    if "programs" in evidence:
        evidence["programs"] = [dict(program, open_files=[]) for program in evidence["programs"]]
    return {**looked, "evidence": evidence}


def fitted(parts: Mapping[str, Any], most: int = MAX_BYTES) -> dict[str, Any]:
    """Return the parts as long as all together take at most so many bytes of JSON; the others say why they do not."""
    found: dict[str, Any] = {}
    left = most
    for name, part in parts.items():
        size = len(json.dumps(part))
        found[name] = part if size <= left else {"error": f"its answer takes {size} bytes, and {left} are left for it"}
        left -= size if size <= left else 0
    return found
