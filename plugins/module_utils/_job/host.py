# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Starting, looking at and forgetting a job, on its host."""

from __future__ import annotations

import os
import pwd
import shutil
import time
from typing import Any, NamedTuple, Sequence

from .._host.commands import Answer, CommandError, Run
from .._host.files import open_file
from .systemd import State, Wanted, digest, properties, show_command, start_command, state_of, unit
from .words import outcome

OUTPUT_BYTES = 1048576
"""Bytes of output that one look gives at most."""

ANSWER_S = 60
"""Seconds that systemd may take for an answer."""

MAX_ENTRIES = 200000
"""Files and folders that are counted at most for the bytes below a path."""

COUNT_S = 20.0
"""Seconds that counting them may take."""

STOP_S = 600
"""Seconds that a command may take to stop; systemd kills it before."""


class JobError(Exception):
    """Something that the user must know."""


class Started(NamedTuple):
    """A job that was started or found, whether it had to be started, and how an earlier run ended that nobody saw."""

    state: State
    changed: bool
    dropped: str | None


def _ask(run: Run, command: Sequence[str], timeout: float = ANSWER_S) -> Answer:
    try:
        return run(command, timeout)
    except CommandError as error:
        raise JobError(str(error)) from error


def look(run: Run, name: str) -> State:
    """Return what systemd says of a job."""
    status, out, errors = _ask(run, show_command(name))
    if status:
        raise JobError(f"systemd does not answer what became of {name}: {errors.strip() or out.strip()}")
    return state_of(properties(out), time.clock_gettime(time.CLOCK_MONOTONIC))


def ensure_started(run: Run, job: Wanted, check_mode: bool) -> Started:
    """Start the command, or attach to the one that runs; in check mode, tell whether it would be started."""
    state = look(run, job["name"])
    same = state["digest"] == digest(job)
    if state["state"] == "running" and not same:
        raise JobError(
            f"{job['name']} runs already with other arguments (since {state['started_at']}). "
            f"Wait for its end, or stop it on the host: systemctl stop {job['name']}"
        )
    if same and state["state"] in ("running", "succeeded"):
        return Started(state, False, None)
    check(job)
    if check_mode:
        return Started(state, True, None)
    dropped = outcome(state) if forget(run, job["name"], state) else None
    status, _out, errors = _ask(run, start_command(job))
    state = look(run, job["name"])
    if status and state["state"] not in ("running", "succeeded"):
        forget(run, job["name"], state)
        raise JobError(f"{job['name']} could not be started: {errors.strip()}")
    return Started(state, True, dropped)


def check(job: Wanted) -> None:
    """Refuse what systemd could only answer with a number."""
    if not os.path.isdir("/run/systemd/system"):
        raise JobError(f"job {job['name']} needs systemd, which does not run on this host")
    if not shutil.which(job["command"][0]):
        raise JobError(
            f"{job['command'][0]} does not exist on this host or is not executable, and nothing was started; "
            "site.yml installs the binaries of cluster_version"
        )
    if job["directory"] and not os.path.isdir(job["directory"]):
        raise JobError(f"the working directory {job['directory']} does not exist")
    if not os.path.isdir(os.path.dirname(job["log"])):
        raise JobError(f"the folder of the log {job['log']} does not exist")
    try:
        pwd.getpwnam(job["user"] or "root")
    except KeyError:
        raise JobError(f"there is no user {job['user']} on this host") from None


def forget(run: Run, name: str, state: State) -> bool:
    """Stop a job if it runs, and let systemd forget its result; return whether there was anything."""
    if state["state"] == "absent":
        return False
    # A failed one has nothing to stop, a succeeded one ends by being stopped.
    verb = "reset-failed" if state["state"] == "failed" else "stop"
    status, out, errors = _ask(run, ["systemctl", verb, unit(name)], STOP_S)
    if status:
        raise JobError(f"{name} could not be ended: {errors.strip() or out.strip()}")
    _ask(run, ["systemctl", "reset-failed", unit(name)])
    return True


def place(watch: str | None, directory: str | None) -> dict[str, Any]:
    """Return ``watched_bytes`` below a path and ``available_bytes`` around it, None without a path."""
    around = watch or directory
    return {
        "watched_bytes": bytes_below(watch) if watch else None,
        "available_bytes": available(around) if around else None,
    }


def bytes_below(path: str) -> int | None:
    """Return the bytes that the files below a path hold; what is only reserved does not count.

    None where there are too many to count, or where counting takes too long.
    """
    total, count, end = 0, 0, time.monotonic() + COUNT_S
    for folder, _folders, files in os.walk(path):
        count += 1 + len(files)
        if count > MAX_ENTRIES or time.monotonic() > end:
            return None
        for name in files:
            total += _allocated(os.path.join(folder, name))
    return total if os.path.isdir(path) else _allocated(path)


def _allocated(path: str) -> int:
    """Return the bytes that a file holds, 0 for one that is gone meanwhile."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return min(found.st_size, found.st_blocks * 512)


def available(path: str) -> int:
    """Return the free bytes where a path is or will be."""
    while not os.path.isdir(path) and path != "/":
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def read_output(path: str | None, start: int) -> tuple[str, int]:
    """Return output from a byte on and the byte at which it ends. A log that was emptied is read from its beginning."""
    try:
        with open_file(path or "") as handle:
            end = handle.seek(0, os.SEEK_END)
            handle.seek(start if start <= end else 0)
            data = handle.read(OUTPUT_BYTES)
            return data.decode("utf-8", "replace"), handle.tell()
    except OSError:
        return "", 0
