# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Findings as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._words import beside, wrapped
from .view import SEVERITIES, names

HEADER = ("SEVERITY", "RULE", "HOSTS", "FINDING")
MAX_HOSTS_WIDTH = 28
MIN_WIDTH, MAX_WIDTH = 100, 160


def table(found: Sequence[Mapping[str, Any]], width: int) -> str:
    """Return the findings, as ``judge`` returns them, as one table of at most ``width`` columns (100 to 160)."""
    width = max(MIN_WIDTH, min(MAX_WIDTH, width))
    rows = [(_severity(item), item["rule"], _hosts(item), item) for item in found]
    severity_width = max(len(text) for text in [HEADER[0], *(row[0] for row in rows)])
    rule_width = max(len(text) for text in [HEADER[1], *(row[1] for row in rows)])
    hosts_width = min(MAX_HOSTS_WIDTH, max(len(text) for text in [HEADER[2], *(row[2] for row in rows)]))
    text_width = width - severity_width - rule_width - hosts_width - 6

    def line(severity: str, rule: str, hosts: str, text: str) -> str:
        return f"{severity:{severity_width}}  {rule:{rule_width}}  {hosts:{hosts_width}}  {text}".rstrip()

    lines = [line(*HEADER)]
    for severity, rule, hosts, item in rows:
        right = wrapped(f"{item['component']}: {item['message']}", text_width, break_words=False)
        right += wrapped(item["remedy"], text_width, first="→ ", others="  ", break_words=False)
        cells = [[severity], [rule], wrapped(hosts, hosts_width), right]
        lines += [line(*row) for row in beside(cells)]
    return "\n".join(lines)


def counts(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the findings in numbers: ``2 errors, 3 warnings (1 accepted), 1 info``."""
    parts = []
    for severity in SEVERITIES:
        mine = [item for item in found if item["severity"] == severity]
        accepted = len([item for item in mine if item["accepted"]])
        plural = "s" if severity != "info" and len(mine) != 1 else ""
        parts.append(f"{len(mine)} {severity}{plural}" + (f" ({accepted} accepted)" if accepted else ""))
    return ", ".join(parts)


def _severity(item: Mapping[str, Any]) -> str:
    return f"{item['severity']}{' (accepted)' if item['accepted'] else ''}"


def _hosts(item: Mapping[str, Any]) -> str:
    return names(item["hosts"], most=6).replace(" and ", ", ", 1) if item["hosts"] else "(cluster)"
