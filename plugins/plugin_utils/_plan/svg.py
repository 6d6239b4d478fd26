# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The parts that pictures are made of, as SVG: boxes, words, lines, and the page that holds them. Pure functions.

A picture follows the reader's light or dark colour scheme.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WIDTH = 960
MARGIN = 20
GAP = 8

# Readable beside each other for colour-blind readers, and with dark text on all of them (after Okabe and Ito).
PALETTE = ("#e69f00", "#56b4e9", "#2bb58a", "#f0e442", "#d98ab8", "#ff8c5a", "#9aa8ff", "#b8d46a")

STYLE = """
text{font-family:sans-serif;font-size:12px;fill:#1f2430}
.big{font-size:17px;font-weight:bold}.dim{fill:#5a6272}.small{font-size:10px}.mid{text-anchor:middle}.end{text-anchor:end}
.page{fill:#ffffff;stroke:#c9ced8}.package{fill:#f1f3f7;stroke:#aab1bf}.node{fill:#ffffff;stroke:#c9ced8}.cache{fill:#f1f3f7;stroke:#d5d9e2}
.pool{fill:#ffffff;stroke:#8d95a5}.unusable{fill:#c9ced8;stroke:#c9ced8}.on{font-size:9px;fill:#14171d;text-anchor:middle}
.owned{stroke:none}.chip{stroke:#5a6272;stroke-width:.6}.chip-text{fill:#14171d}.bad{fill:none;stroke:#d1242f;stroke-width:2}.bad-text{fill:#b3141f;font-weight:bold}
"""
DARK = """
text{fill:#e4e8f0}.dim{fill:#a2abbb}.page{fill:#14171d;stroke:#3a4150}.package{fill:#1d212a;stroke:#4d5567}.node{fill:#14171d;stroke:#3a4150}
.cache{fill:#1d212a;stroke:#333a48}.pool{fill:#14171d;stroke:#79829a}.unusable{fill:#3a4150;stroke:#3a4150}.on,.chip-text{fill:#14171d}.bad{stroke:#ff6b6b}.bad-text{fill:#ff8787}
"""


# XML knows no other control characters than these, and no half of a pair of surrogates.
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: object) -> str:
    """Return a text that is text everywhere in HTML and SVG, between tags and as the value of an attribute."""
    clean = _ILLEGAL.sub("\ufffd", str(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return clean.replace('"', "&quot;").replace("'", "&#x27;")


def colour(order: int) -> str:
    """Return the colour of the owner with that number; after the last one the first comes again."""
    return PALETTE[order % len(PALETTE)]


def number(value: float) -> str:
    """Return a coordinate as SVG has it, without digits that change nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rect(kind: str, left: float, top: float, width: float, height: float, radius: int = 0, fill: str = "") -> str:
    """Return a box; ``kind`` is its class."""
    place = f'x="{number(left)}" y="{number(top)}" width="{number(width)}" height="{number(height)}"'
    rounded = f' rx="{radius}"' if radius else ""
    filled = f' fill="{fill}"' if fill else ""
    return f'<rect class="{kind}" {place}{rounded}{filled}/>'


def words(left: float, top: float, text: object, kind: str = "") -> str:
    """Return a text whose line is at *top*; ``kind`` is its class."""
    styled = f' class="{kind}"' if kind else ""
    return f'<text x="{number(left)}" y="{number(top)}"{styled}>{escape(text)}</text>'


def picture(
    width: float, height: float, title: str, description: str, parts: Iterable[str], page: str | None = None
) -> str:
    """Return an SVG of parts.

    Args:
        title, description: what a reader who does not see the picture is told.
        page: the beginning of the names (``id``) of the picture's parts, for a part of an HTML page that has the
            styles of ``STYLE`` and ``DARK``. Without it the result is a file of its own.
    """
    prefix = page + "-" if page else ""
    xmlns = "" if page else ' xmlns="http://www.w3.org/2000/svg"'
    names = f'aria-labelledby="{prefix}title {prefix}description"'
    lines = [
        f'<svg{xmlns} viewBox="0 0 {number(width)} {number(height)}" role="img" {names}>',
        f'<title id="{prefix}title">{escape(title)}</title><desc id="{prefix}description">{escape(description)}</desc>',
    ]
    if not page:
        lines.append(f"<style>{STYLE}@media (prefers-color-scheme:dark){{{DARK}}}</style>")
    return "\n".join([*lines, rect("page", 0.5, 0.5, width - 1, height - 1, 10), *parts, "</svg>", ""])
