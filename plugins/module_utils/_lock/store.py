# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The file of the record: read, and replaced as a whole by one run at a time. Root's alone."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import Any, Callable

from .._host.files import read_text
from .._host.locks import LockError, lock_folder, locked, opened_folder
from .record import MAX_BYTES, Clock, Outcome, Record, RecordError, content_of, parse, seen

NAME = "cluster.json"
# Seconds to wait for a run that reads or writes the record at this moment.
PATIENCE_S = 10.0

Decide = Callable[["Record | None", Clock], Outcome]


def read_record() -> dict[str, Any]:
    """Return what this host tells of its record, or ``{"error": why}``. Nothing is made on the host."""
    try:
        with opened_folder(make=False) as folder:
            return dict(seen(_read(folder), clock()))
    except (LockError, RecordError, OSError) as error:
        return {"error": str(error)}


def change_record(decide: Decide, replace_broken: bool = False, check: bool = False) -> dict[str, Any]:
    """Let *decide* say what becomes of the record, do that, and return it with what the host tells of it then.

    Args:
        decide: from the record, and the time on the host.
        replace_broken: whether a record that cannot be read counts as none.
        check: whether nothing is written.
    """
    with locked("cluster", "the record of the run that holds the cluster", PATIENCE_S, make=not check):
        with opened_folder(make=not check) as folder:
            try:
                record = _read(folder)
            except RecordError:
                if not replace_broken:
                    raise
                record = None
            now = clock()
            outcome = decide(record, now)
            if outcome.record and folder is not None and not check:
                _write(folder, content_of(outcome.record))
            told = seen(outcome.record or record, now)
            return {"state": outcome.state, "moved": outcome.moved, **told}


def clock() -> Clock:
    """Return the time on this host. The seconds since its start go on while it sleeps, and nobody sets them."""
    boot = (read_text("/proc/sys/kernel/random/boot_id") or "").strip()
    return Clock(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), boot)


def _read(folder: int | None) -> Record | None:
    if folder is None:
        return None
    path = f"{lock_folder()}/{NAME}"
    try:
        # Not to wait for the other end of a pipe.
        handle = os.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}; remove it") from error
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise RecordError(f"{path} is not a file of root: remove it")
        raw = os.read(handle, MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(raw) > MAX_BYTES:
        raise RecordError(f"{path} is too large for the record of a run: remove it")
    try:
        return parse(raw.decode("utf-8", "replace"))
    except RecordError as error:
        raise RecordError(f"{path} is not the record of a run ({error}): remove it") from error


def _write(folder: int, content: str) -> None:
    new = f"{NAME}.new"
    # Of a run that was killed.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(new, flags, 0o600, dir_fd=folder), "w", encoding="utf-8") as file:
        file.write(content)
    os.rename(new, NAME, src_dir_fd=folder, dst_dir_fd=folder)
