# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Text that a terminal shows and does not obey. Pure functions."""

from __future__ import annotations

import re

# What a terminal obeys instead of showing it, and what makes a text look like another one: control characters, marks of
# the direction of writing and others without width, separators of lines, and halves of a pair of surrogates.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def printable(text: object, lines: bool = False) -> str:
    r"""Return a text that a terminal shows and does not obey: what would steer it becomes visible, such as ``\x1b``.

    A host can send anything: a log may hold what a stranger on the network chose.

    Args:
        lines: whether line breaks and tabs stay; without it the result is one line.
    """
    if lines:
        return "\n".join("\t".join(map(printable, line.split("\t"))) for line in str(text).split("\n"))
    return _STEERING.sub(_visible, str(text))


def _visible(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
