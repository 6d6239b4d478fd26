# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""How people are told numbers, times, sizes and names, and how a text is laid out on a terminal. Pure functions."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

Item = TypeVar("Item")

# What Ansible says of a terminal of 80 columns, and where there is none.
MIN_WIDTH = 79
MAX_WIDTH = 160

# Where one line ends and another one begins, by any of the characters that do that.
_BREAK = re.compile("[ ]*[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]\\s*")


def counted(number: int, word: str) -> str:
    """Return a number with its word: ``1 host``, ``2 hosts``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def between(least: float, most: float) -> str:
    """Return two durations as a span."""
    return duration(most) if duration(least) == duration(most) else f"{duration(least)} to {duration(most)}"


def size(count: float) -> str:
    """Return bytes in decimal units, as disks are sold."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.2f} {unit}"
    return f"{count} bytes"


def thousands(number: int) -> str:
    """Return a number with narrow spaces between its thousands."""
    return f"{number:,}".replace(",", "\u202f")


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters, with an ellipsis where something is left out."""
    return text if len(text) <= most else text[: most - 1] + "…"


def names(hosts: Iterable[object], most: int = 5) -> str:
    """Return host names as a sentence has them."""
    texts = [str(host) for host in hosts]
    if len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]])) if texts else "none"


def shown(value: object, most: int = 80) -> str:
    """Return a value as a message shows it."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = repr(str(value))
    else:
        text = "null" if value is None else str(value)
    return cut(text, most)


def one_line(text: object, most: int = 300) -> str:
    """Return a text of several lines as a sentence has it."""
    return " ".join(str(text).split())[:most]


def in_order(names: Iterable[str]) -> list[str]:
    """Return names in the order in which people count: plotter-2 before plotter-10."""
    return sorted(names, key=_natural)


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"([0-9]+)", name)]


def compact(names: Iterable[str]) -> str:
    """Return names on one line, runs of numbers together: ``node-1…node-3, plotter-1``."""
    runs: list[_Run] = []
    for name in names:
        if not runs or not runs[-1].take(name):
            runs.append(_Run(name))
    return ", ".join(text for run in runs for text in run.texts())


class _Run:
    """Names that differ only in a number that goes up by one."""

    def __init__(self, name: str) -> None:
        self.names = [name]
        self.stem, self.number = _numbered(name)
        # Zeros in front belong to the number: a-9 does not go on with a-010.
        self.digits = len(self.number) if self.number.startswith("0") else 1

    def take(self, name: str) -> bool:
        """Take a name in if it is the next one; return whether it was."""
        stem, number = _numbered(name)
        if not number or not self.number or stem != self.stem:
            return False
        if int(number) != int(self.number) + 1 or len(number) < self.digits:
            return False
        self.number = number
        self.names.append(name)
        return True

    def texts(self) -> list[str]:
        return self.names if len(self.names) < 3 else [f"{self.names[0]}…{self.names[-1]}"]


def _numbered(name: str) -> tuple[str, str]:
    """Return a name without the number at its end, and that number."""
    stem = name.rstrip("0123456789")
    return stem, name[len(stem) :]


def alike(items: Iterable[Item], key: Callable[[Item], object]) -> list[list[Item]]:
    """Return items that are equal by *key* together, in the order of the first of each."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(repr(key(item)), []).append(item)
    return list(groups.values())


def wrapped(text: str, width: int, first: str = "", others: str = "", break_words: bool = True) -> list[str]:
    """Return a text as printable lines, broken between words and not at hyphens, which names and options have.

    Line breaks of the text itself are spaces.

    Args:
        first: what the first line begins with.
        others: what the other lines begin with.
        break_words: whether a word that is longer than a line is broken too.
    """
    return textwrap.wrap(
        printable(_BREAK.sub(" ", text)),
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_on_hyphens=False,
        break_long_words=break_words,
    )


def text_width(columns: int) -> int:
    """Return how wide a text is made on a terminal of so many columns."""
    return max(MIN_WIDTH, min(MAX_WIDTH, columns))


def fitted(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return the widths of a table's columns made so small that they fit into a room, if they can.

    The last ones give way first, none below its least width.
    """
    result = list(widths)
    for column in reversed(range(len(result))):
        excess = sum(result) + 2 * (len(result) - 1) - room
        result[column] -= max(0, min(excess, result[column] - least[column]))
    return result


def beside(columns: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the lines of a table's row whose cells are lists of lines."""
    height = max((len(column) for column in columns), default=0)
    return [tuple(column[line] if line < len(column) else "" for column in columns) for line in range(height)]


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a line of a table of cells that have these widths; the last cell may have none."""
    padded = [cell.ljust(width) for cell, width in zip(cells, widths)]
    return "  ".join([*padded, *cells[len(widths) :]]).rstrip()
