# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What must not be shown: values of environments and arguments that are named like a password or a token. Pure functions."""

from __future__ import annotations

import re
from typing import Iterator, Mapping, Sequence

_SECRET_RE = re.compile(
    r"pass(wd|word|phrase)?|secret|token|credential|(api|private|access|auth)[_-]?key", re.IGNORECASE
)
_USERINFO_RE = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
# Shorter "secrets" are words like "true"; masking them would make the output unreadable without hiding anything.
_SHORTEST_SECRET = 4


def secret_values(environment: Mapping[str, str] | None = None, arguments: Sequence[str] = ()) -> set[str]:
    """Return the values of a program's *environment* and *arguments* that must not be shown."""
    environment = environment or {}
    found = {value for name, value in environment.items() if _SECRET_RE.search(name)}
    found.update(_secret_arguments(arguments))
    for text in (*environment.values(), *arguments):
        found.update(_USERINFO_RE.findall(text))
    return {value for value in found if len(value) >= _SHORTEST_SECRET}


def _secret_arguments(arguments: Sequence[str]) -> Iterator[str]:
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        if argument.startswith("-") and _SECRET_RE.search(argument.split("=", 1)[0]):
            if "=" in argument:
                yield argument.split("=", 1)[1]
            elif not following.startswith("-"):
                yield following
