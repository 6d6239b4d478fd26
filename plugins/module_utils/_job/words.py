# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What people read of a job; pure functions."""

from __future__ import annotations

import signal

from .._foreign import reads_foreign
from .systemd import Ending

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Run(Ending):
    """A run of a job as it is kept on the control node."""

    name: str
    host: str
    command: list[str]
    last_lines: list[str]


def outcome(job: Ending) -> str:
    """Return how a job ended, in words."""
    if job["state"] == "absent":
        return "is gone without a result: it was stopped by hand, or its host was restarted"
    if job["state"] == "running":
        return f"has been running for {duration(job['wall_s'] or 0)}"
    after = f" after {duration(job['wall_s'])}" if job["wall_s"] is not None else ""
    if job["signal"]:
        memory = " (out of memory)" if job["result"] == "oom-kill" else ""
        return f"was killed by {_signal_name(job['signal'])}{after}{memory}"
    if job["exit_status"] is None:
        return f"failed{after} ({job['result']})"
    return f"ended with exit status {job['exit_status']}{after}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def duration(seconds: float) -> str:
    """Return seconds as 0:01:02, with days where there are any."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{f'{days} d ' if days else ''}{hour}:{minute:02d}:{second:02d}"


def size(count: float) -> str:
    """Return bytes for people."""
    power = 0
    while count >= 1024 and power < len(_UNITS) - 1:
        count /= 1024
        power += 1
    return f"{int(count)} {_UNITS[power]}" if power == 0 else f"{count:.1f} {_UNITS[power]}"


def progress(wall_s: float, before: tuple[float, int] | None, measured: int | None, expected: int | None = None) -> str:
    """Return how far a job is, in words.

    ``measured`` is the number of bytes there now (None when nothing is measured), ``before`` an earlier
    ``(wall_s, bytes)`` from which the rate follows, ``expected`` the number of bytes that there will be.
    """
    words = duration(wall_s)
    if measured is None:
        return words
    words += f", {size(measured)}"
    if expected:
        words += f" of about {size(expected)}"
    if before and wall_s > before[0]:
        rate = max(0.0, (measured - before[1]) / (wall_s - before[0]))
        words += f", {size(rate)}/s"
        if expected and rate and measured < expected:
            words += f", about {duration((expected - measured) / rate)} left"
    return words


@reads_foreign
def last_lines(text: str, count: int) -> list[str]:
    """Return the last lines of an output that say something. A line that is rewritten counts as it is last."""
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    return [line for line in lines if line][-count:]


def comparison(now: Run, last: Run | None) -> list[str]:
    """Return two runs of a job beside each other, one sentence per line."""
    lines = [f"This run: {outcome(now)}."]
    if last is None:
        return [*lines, "There is no earlier run to compare with."]
    same = now["command"][1:] == last["command"][1:]
    which = "the same arguments" if same else "other arguments"
    lines.append(f"Last run, {last['started_at']} on {last['host']} with {which}: {outcome(last)}.")
    if not same:
        lines.append(f"Its arguments: {' '.join(last['command'][1:])}")
    if now["command"][0] != last["command"][0]:
        lines.append(f"Its program: {last['command'][0]}")
    if now["wall_s"] and last["wall_s"]:
        more = now["wall_s"] - last["wall_s"]
        percent = 100 * more / last["wall_s"]
        lines.append(
            f"Wall time: {now['wall_s']:.1f} s now, {last['wall_s']:.1f} s then ({more:+.1f} s, {percent:+.0f} %)."
        )
    for when, run in (("Now: ", now), ("Then:", last)):
        lines += [f"{when} {line}" for line in run["last_lines"][-3:]]
    return lines
