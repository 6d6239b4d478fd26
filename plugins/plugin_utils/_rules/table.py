# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Findings as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._words import aligned, beside, fitted, names, text_width, wrapped
from .view import SEVERITIES

HEADER = ("SEVERITY", "RULE", "HOSTS", "FINDING")
MAX_HOSTS_WIDTH = 28
# Where the whole is narrower, hosts and severity give way to the text.
MIN_TEXT_WIDTH, MIN_HOSTS_WIDTH, MIN_SEVERITY_WIDTH = 40, 14, 10


def table(found: Sequence[Mapping[str, Any]], width: int) -> str:
    """Return the findings, as ``judge`` returns them, as one table of at most ``width`` columns (79 to 160)."""
    width = text_width(width)
    rows = [(_severity(item), item["rule"], _hosts(item), item) for item in found]
    severity, rule, hosts = (
        max(len(text) for text in [HEADER[column], *(row[column] for row in rows)]) for column in range(3)
    )
    widths = fitted(
        [severity, rule, min(hosts, MAX_HOSTS_WIDTH)],
        [min(severity, MIN_SEVERITY_WIDTH), rule, min(hosts, MIN_HOSTS_WIDTH)],
        width - MIN_TEXT_WIDTH - 2,
    )
    room = width - sum(widths) - 6
    lines = [aligned(HEADER, widths)]
    for severity_name, rule_id, hosts_names, item in rows:
        right = wrapped(f"{item['component']}: {item['message']}", room, break_words=False)
        right += wrapped(item["remedy"], room, first="→ ", others="  ", break_words=False)
        cells = [wrapped(severity_name, widths[0]), [rule_id], wrapped(hosts_names, widths[2]), right]
        lines += [aligned(line, widths) for line in beside(cells)]
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
