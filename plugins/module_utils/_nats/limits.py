# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What nats-server refuses when it starts, although ``nats-server -t`` passes part of it."""

from __future__ import annotations

import re

from .._foreign import reads_foreign

# The largest message that the server's 32 bits can count.
MAX_PAYLOAD = 2**31 - 1
# What lame duck mode lasts at least, in seconds.
LEAST_LAME_DUCK = 30

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(ns|us|µs|ms|s|m|h)")


@reads_foreign
def parse_duration(value: object) -> float:
    """Return the seconds that nats-server reads in a duration such as ``90s`` or ``1m30s``.

    Raises ValueError for what the server refuses too, such as ``"30"`` or ``"30 s"``.
    """
    text = str(value)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{value!r} is not a duration: use a number and s, m or h, such as 90s or 1m30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def name_fault(name: str) -> str | None:
    """Return why nats-server refuses a name of a server or of a cluster, None where it does not."""
    if not name:
        return "it is empty"
    if re.search(r"\s", name):
        return "it has a space"
    return None
