# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is asked of systemd about a job, and what its answers mean; pure functions."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any, Mapping, Sequence, TypedDict

from .._foreign import reads_foreign

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
"""What `systemctl show` is asked for."""

_MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# Seconds; systemd's times are before that, and the year after it cannot be written in four digits.
_YEAR_10000 = 253402300800
_EXITED = "1"  # ExecMainCode is waitid's si_code: 1 exited, 2 killed, 3 killed with a core dump


class Wanted(TypedDict):
    """A job that is asked for."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    user: str | None
    directory: str | None
    log: str


class Ending(TypedDict):
    """What became of a job; what cannot be said is None.

    ``state`` is ``absent`` (never started, stopped by hand, or from before a restart of the host), ``running``,
    ``succeeded`` or ``failed``.
    """

    state: str
    started_at: str | None
    wall_s: float | None
    exit_status: int | None
    signal: int | None
    result: str | None


class State(Ending):
    """What became of a job, with the digest of what it does."""

    digest: str | None


def digest(job: Wanted) -> str:
    """Return a short digest of what a job does, by which a running one is known as the same or another."""
    wanted = [job["command"], job["environment"], job["user"], job["directory"]]
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]


def start_command(job: Wanted) -> list[str]:
    """Return the command that has systemd start a job.

    RemainAfterExit keeps the result until somebody takes it; Type=exec reports a command that cannot be executed.
    """
    properties = {
        "Type": "exec",
        "RemainAfterExit": "yes",
        "StandardOutput": f"truncate:{job['log']}",
        "StandardError": "inherit",
    }
    if job["user"]:
        properties["User"] = job["user"]
    if job["directory"]:
        properties["WorkingDirectory"] = job["directory"]
    description = f"{job['name']} (job {digest(job)})"
    command = ["systemd-run", "--quiet", "--unit", unit(job["name"]), "--description", description]
    command += [f"--property={name}={value}" for name, value in sorted(properties.items())]
    command += [f"--setenv={name}={value}" for name, value in sorted(job["environment"].items())]
    # systemd expands $NAME in arguments; $$ is a dollar sign.
    return [*command, "--", *(argument.replace("$", "$$") for argument in job["command"])]


def show_command(name: str) -> list[str]:
    """Return the command that asks systemd for a job."""
    return ["systemctl", "show", "--timestamp=unix", f"--property={','.join(PROPERTIES)}", unit(name)]


def unit(name: str) -> str:
    """Return the name of a job's service."""
    return f"{name}.service"


@reads_foreign
def properties(text: str) -> dict[str, str]:
    """Return what `systemctl show` printed, as a dictionary."""
    lines = (line.partition("=") for line in text.split("\n"))
    return {name: value for name, equals, value in lines if equals}


@reads_foreign
def state_of(shown: Mapping[str, str], now_s: float) -> State:
    """Return what became of a job.

    ``shown`` is from ``systemctl show --timestamp=unix``, ``now_s`` the host's monotonic clock.
    """
    found: State = {
        "state": "absent",
        "digest": None,
        "started_at": None,
        "wall_s": None,
        "exit_status": None,
        "signal": None,
        "result": None,
    }
    active = shown.get("ActiveState", "inactive")
    if shown.get("LoadState") != "loaded" or active == "inactive":
        return found
    if active == "failed":
        found["state"] = "failed"
    else:
        found["state"] = "succeeded" if shown.get("SubState") == "exited" else "running"
    found["digest"] = shown.get("Description", "").rpartition("(job ")[2].rstrip(")") or None
    at = _number(shown, "ExecMainStartTimestamp")
    if 0 < at < _YEAR_10000:
        found["started_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    started = _number(shown, "ExecMainStartTimestampMonotonic") / 1e6
    if started:
        ended = _number(shown, "ExecMainExitTimestampMonotonic") / 1e6
        found["wall_s"] = round((ended or now_s) - started, 1)
    if found["state"] != "running":
        found["result"] = shown.get("Result")
        status = _number(shown, "ExecMainStatus")
        if shown.get("ExecMainCode") == _EXITED:
            found["exit_status"] = status
        else:
            found["signal"] = status
    return found


def _number(shown: Mapping[str, str], name: str) -> int:
    """Return a number that systemd printed, 0 where it is none; times have an @ before them."""
    text = shown.get(name, "").lstrip("@")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def masked(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a module's arguments as they may be shown: environments hold secrets, and so do command lines."""
    environment, command = params.get("environment"), params.get("command")
    return {
        **params,
        "environment": dict.fromkeys(environment, _MASK) if isinstance(environment, Mapping) else _MASK,
        "command": [*command[:1], _MASK] if isinstance(command, list) and command else command and _MASK,
    }
