# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The status table as an HTML page for a phone, in the style of the report: what is wrong first. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from ._plan import markup
from ._plan.style import style
from ._plan.svg import escape
from ._status import SICK, Row
from ._words import counted

# Seconds after which the page loads itself again: whoever writes it again and again shows what is now.
REFRESH_S = 60
# Evidence can hold a path that is wider than a phone.
ANYWHERE = "td{overflow-wrap:anywhere}"


def page(rows: Sequence[Row], problem: str | None, when: str) -> str:
    """Return the page.

    Args:
        rows: the rows of the table.
        problem: what is wrong, in a sentence; None when nothing is.
        when: the time, as text.
    """
    sick = [row for row in rows if row["health"] in SICK]
    well = [row for row in rows if row["health"] not in SICK]
    hosts = len({row["host"] for row in rows})
    verdict = problem or f"All {counted(len(rows), 'program')} on {counted(hosts, 'host')} are as they should be."
    if sick:
        verdict = f"{len(sick)} of {counted(len(rows), 'program')} not healthy."
    sections = [
        f"<section><h2>{escape(title)}</h2>{_table(part)}</section>"
        for title, part in (("What is wrong", sick), ("What is well", well))
        if part
    ]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="refresh" content="{REFRESH_S}">',
            '<meta name="color-scheme" content="light dark">',
            f'<link rel="icon" href="data:,">\n<title>{escape(_title(sick))}</title>',
            f"<style>{style()}{ANYWHERE}</style>\n</head>\n<body>",
            '<header class="top"><div class="wrap"><h1>Status of the cluster</h1>',
            f"{markup.paragraph(when, 'soft')}</div></header>",
            f'<div class="wrap"><main>{markup.paragraph(verdict)}',
            *sections,
            "</main></div>\n</body>\n</html>\n",
        ]
    )


def _title(sick: Sequence[Row]) -> str:
    return f"{len(sick)} not healthy" if sick else "All healthy"


def _table(rows: Sequence[Row]) -> str:
    return markup.table(
        ("Host", "Program", "State", "Health", "Evidence"),
        [
            markup.row(
                ("Host", markup.keep(row["host"])),
                ("Program", markup.keep(row["program"])),
                ("State", escape(row["state"])),
                ("Health", markup.bold(row["health"]) if row["health"] in SICK else escape(row["health"])),
                ("Evidence", escape(row["evidence"])),
            )
            for row in rows
        ],
    )
