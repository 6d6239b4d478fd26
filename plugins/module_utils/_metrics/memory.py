# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a collector remembers from one run to the next, where a host tells only what is now. Pure functions."""

from __future__ import annotations

from typing import Any, Mapping

#: Names that are remembered of each kind: what a host shows is not bounded, what it may cost is.
MAX_NAMES = 1000

Memory = Mapping[str, Any]


def starts(former: Memory, pids: Mapping[str, int | None]) -> dict[str, dict[str, int]]:
    """Return how often each program was seen with another process, program to ``{pid, count}``."""
    found = {}
    for program, pid in list(pids.items())[:MAX_NAMES]:
        known = _numbers(former.get(program), "pid", "count")
        count = known["count"] if known else 0
        if pid is not None and known and known["pid"] not in (0, pid):
            count += 1
        found[program] = {"pid": (known or {}).get("pid", 0) if pid is None else pid, "count": count}
    return found


def best_since(former: Memory, best: int | None, now: float) -> dict[str, float] | None:
    """Return since when a node's best block is the best, ``{best, since}``; None where nobody told one yet."""
    known = _numbers(former, "best", "since")
    if best is None:
        return known
    # A clock that was set back is no block from the future.
    if known and known["best"] == best and known["since"] <= now:
        return known
    return {"best": best, "since": now}


def added(former: Memory, more: Mapping[str, int]) -> dict[str, int]:
    """Return counters with what came since."""
    total = {name: value for name, value in former.items() if isinstance(value, int)}
    for name, count in more.items():
        if name in total or len(total) < MAX_NAMES:
            total[name] = total.get(name, 0) + count
    return total


def _numbers(known: Any, *names: str) -> dict[str, Any] | None:
    if not isinstance(known, dict) or not all(isinstance(known.get(name), (int, float)) for name in names):
        return None
    return {name: known[name] for name in names}
