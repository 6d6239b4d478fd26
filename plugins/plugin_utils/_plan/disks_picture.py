# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Draws a storage host's disks as SVG: what is on them, what is planned, what stays free. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from .._words import cut, size, thousands
from .shape import Farm
from .svg import MARGIN, WIDTH, picture, rect, words

NAMES_WIDTH = 210
# What the colours of a disk say.
LEGEND = (
    ("d-other", "other files, reserve"),
    ("d-plot", "plotted"),
    ("d-more", "planned, not plotted yet"),
    ("d-free", "free"),
    ("d-lost", "would be lost"),
)

STYLE = """
.d-other{fill:#c9ced8}.d-plot{fill:#3f8fd0}.d-more{fill:#a9d3f5}.d-lost{fill:#d1242f}.d-free{fill:#ffffff;stroke:#8d95a5}
"""
DARK = """
.d-other{fill:#4d5567}.d-plot{fill:#3f8fd0}.d-more{fill:#24557f}.d-lost{fill:#ff6b6b}.d-free{fill:#14171d;stroke:#79829a}
"""


def draw_disks(farms: Sequence[Farm], title: str, page: str) -> str:
    """Return the SVG of the disks of a storage host.

    Args:
        farms: the plan's farms of a host.
        title: the heading.
        page: as in ``svg.picture``.
    """
    largest = max((farm["size"] or 0 for farm in farms), default=0)
    edge, room = MARGIN + NAMES_WIDTH, WIDTH - 2 * MARGIN - NAMES_WIDTH
    parts, top = [], MARGIN
    for farm in farms:
        known = [farm["device"], farm["fstype"], size(farm["size"]) if farm["size"] else ""]
        about = ", ".join(text for text in known if text) or "not read"
        parts.append(words(MARGIN, top + 14, cut(farm["path"], 30)))
        parts.append(words(MARGIN, top + 29, cut(about, 38), "small dim"))
        width = room * farm["size"] / largest if farm["size"] else room
        parts += _bar(farm, edge, top + 2, width)
        parts.append(words(edge, top + 33, _in_words(farm), "small dim"))
        top += 46
    description = "; ".join(f"{farm['path']}: {_in_words(farm)}" for farm in farms)
    return picture(WIDTH, top + 14 + MARGIN, title, description, parts + _legend(top), page)


def _bar(farm: Farm, left: float, top: float, width: float) -> list[str]:
    """Return a disk as a bar of its shares."""
    shares = _shares(farm)
    if not shares:
        return [rect("pool" if farm["size"] else "comp-none", left, top, width, 18, 2)]
    parts = []
    for kind, share in shares:
        parts.append(rect(kind, left, top, max(0, share * width), 18))
        left += share * width
    return parts


def _legend(top: float) -> list[str]:
    parts, left = [], MARGIN
    for kind, text in LEGEND:
        parts += [rect(kind, left, top + 2, 10, 10, 1), words(left + 16, top + 11, text, "small dim")]
        left += 42 + 6 * len(text)
    return parts


def _shares(farm: Farm) -> list[tuple[str, float]]:
    """Return what shares of a disk hold: ``[(kind, share)]``, nothing where that is not known."""
    total, there, planned, available = (
        farm["size"],
        farm["existing_plot_bytes"],
        farm["planned_bytes"],
        farm["available"],
    )
    if not total or there is None or available is None:
        return []
    if farm["state"] == "absent":
        planned = there
    lost = max(0, there - planned) if planned is not None else 0
    more = min(available, max(0, (planned or 0) - there))
    shares = {
        "d-other": total - there - available,
        "d-plot": there - lost,
        "d-lost": lost,
        "d-more": more,
        "d-free": available - more,
    }
    return [(kind, max(0.0, share / total)) for kind, share in shares.items()]


def _in_words(farm: Farm) -> str:
    if farm["sectors"] is None:
        wanted = "its sectors cannot be counted (auto)"
        if farm["wanted"] != "auto":
            wanted = f"{farm['wanted']} sectors are wanted"
        return f"the disk was not read, {wanted}"
    if farm["state"] == "absent":
        return "no longer passed to the plot client, its data stays"
    parts = [f"{thousands(farm['sectors'])} sectors planned" + (" (auto)" if farm["wanted"] == "auto" else "")]
    if farm["sectors_there"] is not None:
        parts.append(f"{thousands(farm['sectors_there'])} on the disk now")
    if farm["max_sectors"] is not None:
        parts.append(f"{thousands(farm['max_sectors'])} fit")
    if farm["available"] is not None and farm["planned_bytes"] is not None:
        free = farm["available"] + (farm["existing_plot_bytes"] or 0) - farm["planned_bytes"]
        parts.append(f"{size(free)} stays free" if free >= 0 else f"{size(-free)} too little: it does not fit")
    return ", ".join(parts)
