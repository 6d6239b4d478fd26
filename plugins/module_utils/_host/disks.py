# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads what a path is on. A disk that does not answer costs its time limit and not the run.

Whether a filesystem is well is told by attempts, to read and to write, and not by words in the table of mounts: a disk
that died can look as before there. An error is an error, never the absence of what could not be read.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import re
import select
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, Sequence, TypedDict, TypeVar

from .files import read_bytes, read_text
from .mounts import Mount, bound_from_root, find_mount, is_read_only, mount_of_id, parse_mountinfo

PATIENCE_S = 20
"""Seconds that all disks of a host get together; a dead one never answers."""

MAX_ENTRIES = 20000
"""Files of a folder that are counted at most."""

MOUNTINFO = "/proc/self/mountinfo"
_MAX_MOUNTINFO = 64 * 1024 * 1024

# What an attempt can end with on a good disk: no room, no right, no such file, or nothing that the filesystem knows.
HARMLESS = frozenset(
    [
        errno.EACCES,
        errno.EAGAIN,
        errno.EBUSY,
        errno.EDQUOT,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOSYS,
        errno.ENOTDIR,
        errno.EOPNOTSUPP,
        errno.EPERM,
        errno.EROFS,
        errno.ETXTBSY,
    ]
)

NO_MOUNT: Mount = {"mountpoint": None, "device": None, "fstype": None, "options": []}

M = TypeVar("M")


class Disk(TypedDict):
    """What a path is on; ``error`` says why it cannot be read, and then only the table of mounts tells something."""

    mountpoint: str | None
    device: str | None
    fstype: str | None
    options: list[str]
    error: str | None
    exists: bool | None
    is_mountpoint: bool
    read_only: bool
    size: int | None
    available: int | None
    # The folder of the root filesystem that is bound here, None where there is a disk.
    bound_from_root: str | None
    # The first folder on the way that the user may not enter.
    closed: str | None


def ask(questions: Mapping[str, Callable[[], Any]], seconds: float = PATIENCE_S) -> dict[str, tuple[Any, str | None]]:
    """Call the functions of ``{key: function}`` each in a process of its own.

    Returns ``{key: (answer, None) or (None, why there is none)}``. Who waits for a dead disk cannot be stopped, not
    even killed; a child can be left alone.
    """
    running: dict[int, tuple[str, int, list[bytes]]] = {}
    answers: dict[str, tuple[Any, str | None]] = {}
    for key, question in questions.items():
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            _answer(question, writing)
        os.close(writing)
        running[reading] = (key, child, [])
    deadline = time.monotonic() + seconds
    while running:
        ready = select.select(list(running), [], [], max(0, deadline - time.monotonic()))[0]
        for reading in ready or list(running):
            key, child, parts = running[reading]
            if ready:
                parts.append(os.read(reading, 65536))
                if parts[-1]:
                    continue
                os.waitpid(child, 0)
                answers[key] = _read_answer(b"".join(parts))
            else:
                os.kill(child, signal.SIGKILL)
                answers[key] = None, f"it does not answer within {seconds} s"
            os.close(reading)
            del running[reading]
    return answers


def _read_answer(text: bytes) -> tuple[Any, str | None]:
    if not text:
        return None, "reading it ended without an answer"
    answer, why = json.loads(text.decode())
    return answer, why


def _answer(question: Callable[[], Any], writing: int) -> None:
    """In the child: answer and end. What it inherited must not keep the connection to the host open."""
    status = 1
    with suppress(BaseException):
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        answer: tuple[Any, str | None]
        try:
            answer = question(), None
        except OSError as error:
            answer = None, explain(error)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        status = 0
    os._exit(status)


def explain(error: OSError) -> str:
    """Return what an error says, with the path that it is about."""
    said = error.strerror or str(error)
    return f"{said} ({os.fsdecode(error.filename)})" if isinstance(error.filename, (str, bytes)) else said


def read_disks(
    paths: Sequence[str], user: str, more: Callable[[Path | None, Disk], M], seconds: float = PATIENCE_S
) -> dict[str, tuple[Disk, M | None]]:
    """Return for each path what it is on, and what ``more(folder, disk)`` tells, which only its caller wants.

    ``folder`` is None where the path does not exist. ``more`` is not asked about a disk that cannot be read.
    """

    def question(path: str) -> Callable[[], tuple[Disk, M]]:
        return lambda: read_disk(path, user, more)

    answers = ask({path: question(path) for path in paths}, seconds)
    mounts = parse_mountinfo(read_mountinfo())
    return {
        path: (answer[0], answer[1]) if answer else (_unread(path, mounts, why), None)
        for path, (answer, why) in answers.items()
    }


def read_mountinfo() -> str:
    """Return the table of mounts."""
    return read_bytes(MOUNTINFO, _MAX_MOUNTINFO).decode("utf-8", "surrogateescape")


def _unread(path: str, mounts: Iterable[Mount], why: str | None) -> Disk:
    path = os.path.normpath(path)
    mount = find_mount(mounts, path) or NO_MOUNT
    return {
        **mount,
        "error": why,
        "exists": None,
        "is_mountpoint": mount["mountpoint"] == path,
        "read_only": is_read_only(mount),
        "size": None,
        "available": None,
        "bound_from_root": bound_from_root(read_mountinfo(), mount["mountpoint"]),
        "closed": None,
    }


def read_disk(path: str, user: str, more: Callable[[Path | None, Disk], M]) -> tuple[Disk, M]:
    """Return the answer for one path; raises OSError where the disk has an error."""
    root, real = is_root(user), existing_ancestor(path)
    exists = real == Path(os.path.realpath(path))
    # This is the access that lets an automounter mount the disk: the table of mounts is right only after it.
    space = os.statvfs(str(real))
    mount = read_mount(real) or NO_MOUNT
    writable = can_write(real)
    disk: Disk = {
        **mount,
        "error": None,
        "exists": exists,
        "is_mountpoint": exists and mount["mountpoint"] == str(real),
        "read_only": is_read_only(mount) or bool(space.f_flag & os.ST_RDONLY) or writable is False,
        "size": space.f_frsize * space.f_blocks,
        "available": space.f_frsize * (space.f_bfree if root else space.f_bavail),
        "bound_from_root": bound_from_root(read_mountinfo(), mount["mountpoint"]),
        "closed": closed_folder(path, user),
    }
    return disk, more(real if exists else None, disk)


def read_mount(real: Path) -> Mount | None:
    """Return the mount that a path without symbolic links is on; raises OSError where it cannot even be opened."""
    mount_id = None
    try:
        descriptor = os.open(str(real), os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in HARMLESS:
            raise
    else:
        try:
            found = re.search(r"^mnt_id:\s*([0-9]+)", read_text(f"/proc/self/fdinfo/{descriptor}") or "", re.MULTILINE)
            mount_id = found.group(1) if found else None
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                # The names in a folder come from the disk.
                with os.scandir(descriptor) as entries:
                    next(entries, None)
        finally:
            os.close(descriptor)
    text = read_mountinfo()
    # Only the kernel knows which of several mounts on or above a place is the visible one.
    return (mount_of_id(text, mount_id) if mount_id else None) or find_mount(parse_mountinfo(text), str(real))


def can_write(folder: Path) -> bool | None:
    """Return whether something can be written in a folder, None where the attempt does not tell.

    The attempt is a file without a name, which leaves nothing behind. Raises OSError where the disk has an error.
    """
    try:
        os.close(os.open(str(folder), os.O_TMPFILE | os.O_WRONLY, 0o600))
    except OSError as error:
        if error.errno == errno.EROFS:
            return False
        if error.errno not in HARMLESS:
            raise
        return None
    return True


def is_root(user: str) -> bool:
    """Tell whether a user, by name or number, may use the blocks kept back for root."""
    try:
        return pwd.getpwnam(user).pw_uid == 0
    except KeyError:
        return user == "0"


def closed_folder(path: str, user: str) -> str | None:
    """Return the first folder above a path that a user may not enter, by their modes; None where there is none.

    A user that does not exist yet may enter what all may.
    """
    if is_root(user):
        return None
    try:
        account = pwd.getpwnam(user)
        uid, groups = account.pw_uid, set(os.getgrouplist(user, account.pw_gid))
    except KeyError:
        uid, groups = -1, set()
    for folder in reversed(Path(os.path.realpath(path)).parents):
        try:
            info = os.stat(str(folder))
        except (FileNotFoundError, NotADirectoryError):
            return None
        bit = stat.S_IXUSR if info.st_uid == uid else stat.S_IXGRP if info.st_gid in groups else stat.S_IXOTH
        if not info.st_mode & bit:
            return str(folder)
    return None


def existing_ancestor(path: str) -> Path:
    """Return the path, symbolic links followed, or its nearest parent that exists.

    Raises OSError where that cannot be told: what cannot be read is not absent.
    """
    real = Path(os.path.realpath(path))
    for parent in [real, *real.parents]:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.stat(str(parent))
            return parent
    return Path("/")


def used_bytes(folder: Path) -> int | None:
    """Return the bytes that the files below a folder take of its own filesystem, None where too many to count.

    What is gone meanwhile, or not ours to read, does not count; raises OSError where the disk has an error.
    """
    total, entries, folders = 0, 0, [str(folder)]
    device = os.stat(folders[0]).st_dev
    while folders:
        try:
            found = list(os.scandir(folders.pop()))
        except OSError as error:
            if error.errno not in HARMLESS:
                raise
            continue
        entries += len(found)
        if entries > MAX_ENTRIES:
            return None
        for entry in found:
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError as error:
                if error.errno not in HARMLESS:
                    raise
                continue
            if info.st_dev == device:
                total += info.st_blocks * 512
                if stat.S_ISDIR(info.st_mode):
                    folders.append(entry.path)
    return total
