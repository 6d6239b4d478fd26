# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Locks by which runs on one host wait for each other, in files that nobody but root can open.

Root's are in /run/autonomys. Whoever is not root, as in a test, has a folder of its own among the temporary files.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from contextlib import contextmanager
from typing import Iterator

from .folders import FolderError, Owner, Way

FOLDER = "/run/autonomys"
POLL = 0.2


class LockError(Exception):
    """A lock that cannot be had; the message says who has it, or why."""


def lock_folder() -> str:
    """Return the folder of the locks."""
    user = os.geteuid()
    return os.path.join(tempfile.gettempdir(), f"autonomys.cluster-{user}") if user else FOLDER


@contextmanager
def locked(name: str, purpose: str, patience: float, make: bool = True) -> Iterator[None]:
    """Hold the lock *name* for a *purpose*, a few words that others are told. Wait for it *patience* seconds at most.

    With *make* False, nothing is made on the host: nobody holds a lock that has no file yet.
    """
    handle = _open(name, make)
    if handle is None:
        yield
        return
    try:
        _wait(handle, patience)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}, {purpose}".encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


@contextmanager
def opened_folder(make: bool = True) -> Iterator[int | None]:
    """Give the descriptor of the folder of the locks, which nobody but root can write to; None where there is none."""
    folder = lock_folder()
    try:
        way = _way(folder, make)
    except (FolderError, OSError) as error:
        raise LockError(f"no lock in {folder}: {error}") from error
    with way:
        if way.missing:
            yield None
            return
        found = way.found
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise LockError(f"{folder} must belong to root, and nobody else may write to it: remove it")
        yield way.descriptor


def _way(folder: str, make: bool) -> Way:
    way = Way(folder)
    try:
        if way.missing and make:
            way.make(0o700, Owner(os.geteuid(), os.getegid()))
    except FileExistsError:
        # Another run has made it meanwhile.
        way.close()
        return Way(folder)
    except BaseException:
        way.close()
        raise
    return way


def _open(name: str, make: bool) -> int | None:
    with opened_folder(make) as folder:
        if folder is None:
            return None
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if make else 0)
        try:
            return os.open(f"{name}.lock", flags, 0o600, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LockError(f"no lock in {lock_folder()}: {error}") from error


def _wait(handle: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                holder = os.pread(handle, 200, 0).decode("utf-8", "replace") or "another run"
                raise LockError(f"{holder}, is not done after {patience:g} s") from error
        time.sleep(POLL)
