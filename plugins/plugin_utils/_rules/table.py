# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Findings as text for a terminal."""

from __future__ import annotations

from .._words import beside, wrapped
from .view import SEVERITIES, names

HEADER = ("SEVERITY", "RULE", "HOSTS", "FINDING")
MAX_HOSTS_WIDTH = 28
MIN_WIDTH, MAX_WIDTH = 100, 160


def table(found, width):
    """The findings, as ``judge`` returns them, as one table of at most ``width`` columns (100 to 160)."""
    width = max(MIN_WIDTH, min(MAX_WIDTH, width))
    rows = [(_severity(item), item["rule"], _hosts(item), item) for item in found]
    hosts_width = min(MAX_HOSTS_WIDTH, max([len(HEADER[2])] + [len(hosts) for _severity, _rule, hosts, _item in rows]))
    severity_width, rule_width = (max([len(HEADER[column])] + [len(row[column]) for row in rows]) for column in (0, 1))
    text_width = width - severity_width - rule_width - hosts_width - 6
    layout = f"%-{severity_width}s  %-{rule_width}s  %-{hosts_width}s  %s"
    lines = [layout % HEADER]
    for severity, rule, hosts, item in rows:
        right = wrapped(f"{item['component']}: {item['message']}", text_width, break_words=False)
        right += wrapped(item["remedy"], text_width, first="→ ", others="  ", break_words=False)
        cells = [[severity], [rule], wrapped(hosts, hosts_width), right]
        lines += [(layout % line).rstrip() for line in beside(cells)]
    return "\n".join(lines)


def counts(found):
    """The findings in numbers: ``2 errors, 3 warnings (1 accepted), 1 info``."""
    parts = []
    for severity in SEVERITIES:
        mine = [item for item in found if item["severity"] == severity]
        accepted = len([item for item in mine if item["accepted"]])
        plural = "s" if severity != "info" and len(mine) != 1 else ""
        parts.append(f"{len(mine)} {severity}{plural}" + (f" ({accepted} accepted)" if accepted else ""))
    return ", ".join(parts)


def _severity(item):
    return item["severity"] + " (accepted)" if item["accepted"] else item["severity"]


def _hosts(item):
    return names(item["hosts"], most=6).replace(" and ", ", ", 1) if item["hosts"] else "(cluster)"
