# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The parts that the report is made of, as HTML. Pure functions.

What is handed in as HTML is named so; every other text goes through ``escape``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .svg import escape

# Words of a change that are not the change's name.
_CHANGES = {"none": "unchanged", "unknown": "not known"}


def paragraph(text: object, kind: str = "") -> str:
    """Return a paragraph; ``kind`` is its class."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def soft(text: object) -> str:
    """Return a text that matters less."""
    return f'<span class="soft">{escape(text)}</span>'


def bold(text: object) -> str:
    """Return a text that matters more."""
    return f"<b>{escape(text)}</b>"


def tag(kind: str, text: str = "") -> str:
    """Return a word in the colour of its kind."""
    return f'<span class="tag t-{kind}">{escape(text or kind)}</span>'


def change_tag(change: str) -> str:
    """Return a change in its colour."""
    return tag(change, _CHANGES.get(change, ""))


def keep(text: str) -> str:
    """Return a text whose short words are not broken at their hyphens."""
    words = [(word, escape(word)) for word in text.split(" ")]
    return " ".join(
        f'<span class="keep">{html}</span>' if "-" in word and len(word) <= 40 else html for word, html in words
    )


def code(text: object) -> str:
    """Return a text that a computer writes or reads."""
    return f"<code>{escape(text)}</code>"


def cpus(text: str | None) -> str:
    """Return a CPU list, which may be broken at its commas."""
    return f"<code>{keep((text or 'any').replace(',', ', '))}</code>"


def chip(colour: str, text: object) -> str:
    """Return the number of a plot server in its colour in the picture."""
    return f'<span class="chip" style="background:{colour}">{escape(text)}</span>'


def row(*cells: tuple[str, str]) -> str:
    """Return a row of a table, from pairs of a label, which narrow screens show, and HTML."""
    parts = []
    for label, html in cells:
        attribute = f' data-label="{label}"' if label and html else ""
        parts.append(f"<td{attribute}>{html}</td>")
    return f"<tr>{''.join(parts)}</tr>"


def table(head: Iterable[str], rows: Iterable[str]) -> str:
    """Return a table of rows that ``row`` made."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return f'<table class="stack"><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def figure(svg: str, caption: str = "") -> str:
    """Return a picture that can be scrolled sideways where it is wider than the window."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><div class="scroll" tabindex="0" role="group" aria-label="Picture">{svg}</div>{below}</figure>'


def details(title: str, html: str) -> str:
    """Return a part that is closed at first."""
    return f"<details><summary>{escape(title)}</summary>{html}</details>"


def group(anchor: str, title: str, note: str, html: str, opened: bool) -> str:
    """Return a part of a section that can be closed, and is where there are many."""
    state = " open" if opened else ""
    behind = f" {soft(note)}" if note else ""
    summary = f"<summary>{escape(title)}{behind}</summary>"
    return f'<details class="group" id="{anchor}"{state}>{summary}{html}</details>'


def contents(sections: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]) -> str:
    """Return a table of contents, from sections ``(anchor, title, [(anchor, title)])``."""
    lines = []
    for anchor, title, inner in sections:
        below = "".join(f"<li>{_link(*entry)}</li>" for entry in inner)
        lines.append(f"<li>{_link(anchor, title)}{f'<ul>{below}</ul>' if below else ''}</li>")
    return f"<ul>{''.join(lines)}</ul>"


def _link(anchor: str, title: str) -> str:
    return f'<a href="#{anchor}">{escape(title)}</a>'
