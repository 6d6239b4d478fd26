# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The directories that programs need: missing ones are made, and they are given to the program's user."""

from __future__ import annotations

import errno
import os
import pwd
import stat
from typing import Sequence

from .errors import ProgramError
from .programs import Program, user_of


def make_directories(programs: Sequence[Program], check: bool) -> tuple[str, str]:
    """Create the programs' directories and correct their owners; return the two texts of the diff, before and after."""
    before = []
    after = []
    seen = set()
    for program in programs:
        what = f"program {program['name']}: state_directories: "
        owner = program.get("user")
        for path in program.get("state_directories", []):
            if not path.startswith("/"):
                raise ProgramError(f"{what}{path!r} is not an absolute path")
            path = os.path.normpath(path)
            try:
                current = _describe(path)
                wanted = f"owner {owner}" if owner else current if current != "absent" else "created"
                if path in seen or current == wanted:
                    continue
                if not check:
                    _make(path, current == "absent", user_of(program))
            except OSError as error:
                raise ProgramError(f"{what}{path} cannot be made ready: {error.strerror}") from error
            seen.add(path)
            before.append(f"{path}: {current}\n")
            after.append(f"{path}: {wanted}\n")
    return "".join(before), "".join(after)


def _user_name(uid: int) -> str:
    """Return the name of a user, the number when there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _describe(path: str) -> str:
    """Say in words what is at *path*."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return "absent"
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is not a directory")
    return f"owner {_user_name(found.st_uid)}"


def _make(path: str, missing: bool, user: pwd.struct_passwd | None) -> None:
    """Create *path* where it is missing and give it to *user*."""
    if missing:
        parents = []
        parent = os.path.dirname(path)
        while not os.path.isdir(parent):
            parents.append(parent)
            parent = os.path.dirname(parent)
        for parent in reversed(parents):
            os.mkdir(parent)
            os.chmod(parent, 0o755)
        os.mkdir(path)
        os.chmod(path, 0o750)
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)
