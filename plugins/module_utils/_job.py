# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""A job: a command that runs once on a host as a transient service of systemd, and so outlives the connection that started it.

Pure functions: what is asked of systemd, what its answers mean, and what people read of it.
"""

from __future__ import annotations

import hashlib
import json
import signal
import time

# What `systemctl show` is asked for.
PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "ExecMainCode",
    "ExecMainStatus",
    "ExecMainStartTimestamp",
    "ExecMainStartTimestampMonotonic",
    "ExecMainExitTimestampMonotonic",
    "Description",
)

_EXITED = "1"  # ExecMainCode is waitid's si_code: 1 exited, 2 killed, 3 killed with a core dump
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def digest(job):
    """A short digest of what a job does, by which a running one is known as the same or another."""
    wanted = [job["command"], job["environment"], job["user"], job["directory"]]
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]


def start_command(job):
    """The command that has systemd start a job.

    RemainAfterExit keeps the result until somebody takes it; Type=exec reports a command that cannot be executed at all.
    """
    properties = {
        "Type": "exec",
        "RemainAfterExit": "yes",
        "StandardOutput": "truncate:" + job["log"],
        "StandardError": "inherit",
    }
    if job["user"]:
        properties["User"] = job["user"]
    if job["directory"]:
        properties["WorkingDirectory"] = job["directory"]
    command = [
        "systemd-run",
        "--quiet",
        "--unit",
        unit(job["name"]),
        "--description",
        f"{job['name']} (job {digest(job)})",
    ]
    command += ["--property=%s=%s" % item for item in sorted(properties.items())]
    command += [f"--setenv={name}={value}" for name, value in sorted(job["environment"].items())]
    # systemd expands $NAME in arguments; $$ is a dollar sign.
    return command + ["--"] + [argument.replace("$", "$$") for argument in job["command"]]


def unit(name):
    """The name of a job's service."""
    return name + ".service"


def properties(text):
    """What `systemctl show` printed, as a dictionary."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def state_of(shown, now_s):
    """What became of a job: ``{state, digest, started_at, wall_s, exit_status, signal, result}``.

    ``state`` is ``absent`` (never started, stopped by hand, or from before a restart of the host), ``running``, ``succeeded`` or ``failed``;
    what cannot be said is None. ``shown`` is from ``systemctl show --timestamp=unix``, ``now_s`` the host's monotonic clock.
    """
    found = {
        "state": "absent",
        "digest": None,
        "started_at": None,
        "wall_s": None,
        "exit_status": None,
        "signal": None,
        "result": None,
    }
    if shown.get("LoadState") != "loaded" or shown.get("ActiveState") == "inactive":
        return found
    if shown["ActiveState"] == "failed":
        found["state"] = "failed"
    else:
        found["state"] = "succeeded" if shown.get("SubState") == "exited" else "running"
    found["digest"] = shown.get("Description", "").rpartition("(job ")[2].rstrip(")") or None
    at = shown.get("ExecMainStartTimestamp", "").lstrip("@")
    if at.isdigit():
        found["started_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(at)))
    started = int(shown.get("ExecMainStartTimestampMonotonic") or 0) / 1e6
    if started:
        ended = int(shown.get("ExecMainExitTimestampMonotonic") or 0) / 1e6
        found["wall_s"] = round((ended or now_s) - started, 1)
    if found["state"] != "running":
        found["result"] = shown.get("Result")
        status = int(shown.get("ExecMainStatus") or 0)
        found["exit_status" if shown.get("ExecMainCode") == _EXITED else "signal"] = status
    return found


def outcome(job):
    """How a job ended, in words."""
    if job["state"] == "absent":
        return "is gone without a result: it was stopped by hand, or its host was restarted"
    after = f" after {duration(job['wall_s'])}" if job["wall_s"] is not None else ""
    if job["state"] == "running":
        return f"has been running for {duration(job['wall_s'] or 0)}"
    if job["signal"]:
        return f"was killed by {_signal_name(job['signal'])}{after}{(' (out of memory)' if job['result'] == 'oom-kill' else '')}"
    if job["exit_status"] is None:
        return f"failed{after} ({job['result']})"
    return f"ended with exit status {job['exit_status']}{after}"


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def duration(seconds):
    """Seconds as 0:01:02, with days where there are any."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return (f"{days} d " if days else "") + f"{hour}:{minute:02d}:{second:02d}"


def size(count):
    """Bytes for people."""
    power = 0
    while count >= 1024 and power < len(_UNITS) - 1:
        count /= 1024.0
        power += 1
    return ("%d %s" if power == 0 else "%.1f %s") % (count, _UNITS[power])


def progress(wall_s, before, measured, expected=None):
    """How far a job is, in words.

    ``measured`` is the number of bytes there now (None when nothing is measured), ``before`` an earlier ``(wall_s, bytes)`` from which the
    rate follows, ``expected`` the number of bytes that there will be.
    """
    words = duration(wall_s)
    if measured is None:
        return words
    words += ", " + size(measured)
    if expected:
        words += " of about " + size(expected)
    if before and wall_s > before[0]:
        rate = max(0.0, (measured - before[1]) / float(wall_s - before[0]))
        words += f", {size(rate)}/s"
        if expected and rate and measured < expected:
            words += f", about {duration((expected - measured) / rate)} left"
    return words


def last_lines(text, count):
    """The last lines of an output that say something. A progress bar that rewrites its line counts as its last state."""
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    return [line for line in lines if line][-count:]


def comparison(now, last):
    """Two runs of a job beside each other, a sentence a line. Runs are dictionaries as they are kept; ``last`` may be None."""
    lines = [f"This run: {outcome(now)}."]
    if last is None:
        return lines + ["There is no earlier run to compare with."]
    same = now["command"][1:] == last["command"][1:]
    lines.append(
        f"Last run, {last['started_at']} on {last['host']} with {('the same arguments' if same else 'other arguments')}: {outcome(last)}."
    )
    if not same:
        lines.append(f"Its arguments: {' '.join(last['command'][1:])}")
    if now["command"][0] != last["command"][0]:
        lines.append(f"Its program: {last['command'][0]}")
    if now["wall_s"] and last["wall_s"]:
        more = now["wall_s"] - last["wall_s"]
        lines.append(
            f"Wall time: {now['wall_s']:.1f} s now, {last['wall_s']:.1f} s then ({more:+.1f} s, {100.0 * more / last['wall_s']:+.0f} %)."
        )
    for when, run in (("Now: ", now), ("Then:", last)):
        lines += [f"{when} {line}" for line in run["last_lines"][-3:]]
    return lines
