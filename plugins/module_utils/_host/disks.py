# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads what a path lies on. A disk that does not answer costs its time limit and not the run."""

from __future__ import annotations

import json
import os
import pwd
import select
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, Sequence, TypedDict, TypeVar

from .mounts import Mount, find_mount, parse_mountinfo

PATIENCE_S = 20
"""Seconds that all disks of a host get together; a dead one never answers."""

MAX_ENTRIES = 20000
"""Files of a folder that are counted at most."""

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
            answer = None, error.strerror or str(error)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        status = 0
    os._exit(status)


def read_disks(
    paths: Sequence[str], user: str, more: Callable[[Path | None, Disk], M], seconds: float = PATIENCE_S
) -> dict[str, tuple[Disk, M | None]]:
    """Return for each path what it is on, and what ``more(folder, disk)`` tells, which only its caller wants.

    ``folder`` is None where the path does not exist. ``more`` is not asked about a disk that cannot be read.
    """
    mounts = parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))
    root = is_root(user)

    def question(path: str) -> Callable[[], tuple[Disk, M]]:
        return lambda: read_disk(path, mounts, root, more)

    found: dict[str, tuple[Disk, M | None]] = {}
    for path, (answer, why) in ask({path: question(path) for path in paths}, seconds).items():
        found[path] = (answer[0], answer[1]) if answer else (_unread(path, mounts, why), None)
    return found


def _unread(path: str, mounts: Iterable[Mount], why: str | None) -> Disk:
    path = os.path.normpath(path)
    mount = find_mount(mounts, path) or NO_MOUNT
    return {
        **mount,
        "error": why,
        "exists": None,
        "is_mountpoint": mount["mountpoint"] == path,
        "read_only": "ro" in mount["options"],
        "size": None,
        "available": None,
    }


def read_disk(path: str, mounts: Iterable[Mount], root: bool, more: Callable[[Path | None, Disk], M]) -> tuple[Disk, M]:
    """Return the answer for one path."""
    real = existing_ancestor(path)
    exists = real == Path(path).resolve()
    mount = find_mount(mounts, str(real)) or NO_MOUNT
    space = os.statvfs(str(real))
    disk: Disk = {
        **mount,
        "error": None,
        "exists": exists,
        "is_mountpoint": exists and mount["mountpoint"] == str(real),
        "read_only": "ro" in mount["options"] or bool(space.f_flag & os.ST_RDONLY),
        "size": space.f_frsize * space.f_blocks,
        "available": space.f_frsize * (space.f_bfree if root else space.f_bavail),
    }
    return disk, more(real if exists else None, disk)


def is_root(user: str) -> bool:
    """Tell whether a user, by name or number, may use the blocks kept back for root."""
    try:
        return pwd.getpwnam(user).pw_uid == 0
    except KeyError:
        return user == "0"


def existing_ancestor(path: str) -> Path:
    """Return the path, symbolic links followed, or its nearest parent that exists."""
    real = Path(path).resolve()
    return next(parent for parent in [real, *real.parents] if parent.exists())


def used_bytes(folder: Path) -> int | None:
    """Return the bytes that the files below a folder take of its own filesystem, None where too many to count."""
    total, entries, folders = 0, 0, [str(folder)]
    device = os.stat(folders[0]).st_dev
    while folders:
        try:
            found = list(os.scandir(folders.pop()))
        except OSError:  # gone meanwhile, or not ours to read
            continue
        entries += len(found)
        if entries > MAX_ENTRIES:
            return None
        for entry in found:
            with suppress(OSError):
                info = entry.stat(follow_symlinks=False)
                if info.st_dev == device:
                    total += info.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
    return total
