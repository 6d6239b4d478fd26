# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Values of nats-server's configuration as the server reads them."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(-?[0-9]{1,18})([a-zA-Z]*)\Z")
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}


def parse_size(value: object) -> int:
    """Return the bytes that nats-server reads in a size: 3MB is 3 * 1024², but 3M is 3 * 1000².

    Raises ValueError for what the server refuses too, such as ``"3 MB"``, ``"3.5MB"`` or ``"10B"``.
    """
    match = _SIZE.match(str(value))
    if match:
        suffix = match.group(2).lower()
        if not suffix:
            return int(match.group(1))
        power = _POWERS.get(suffix[0])
        if power and suffix[1:] in ("", "b", "i", "ib"):
            factor: int = (1024 if suffix[1:] else 1000) ** power
            return int(match.group(1)) * factor
    raise ValueError(f"{value!r} is not a size: use a whole number with or without K, KB, M, MB, G, GB, T or TB")
