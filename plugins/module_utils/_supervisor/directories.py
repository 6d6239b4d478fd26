# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The directories that programs need: missing ones are made, and they are given to the program's user.

The service user may own what they lie in, so nothing is done by name: see :mod:`.._host.folders`.
"""

from __future__ import annotations

import os
import pwd
from typing import NamedTuple, Sequence

from .._host.folders import FolderError, Owner, Way, fault_of_data_folder, homes, user_name
from .errors import ProgramError
from .programs import Program, user_of

NEW_MODE = 0o750


class _Wish(NamedTuple):
    """A directory that is not as it should be."""

    what: str
    path: str
    user: pwd.struct_passwd | None
    now: str
    then: str


def make_directories(programs: Sequence[Program], check: bool) -> tuple[str, str]:
    """Create the programs' directories, correct their owners and close them to others; return the diff's two texts.

    Nothing is changed before all of them have been looked at.
    """
    wishes: dict[str, _Wish] = {}
    for program in programs:
        for path in program.get("state_directories", []):
            what = f"program {program['name']}: state_directories: "
            if not path.startswith("/"):
                raise ProgramError(f"{what}{path!r} is not an absolute path")
            wish = _look(program, what, os.path.normpath(path))
            if wish.now != wish.then:
                wishes.setdefault(wish.path, wish)
    for wish in () if check else wishes.values():
        _make(wish)
    before = "".join(f"{wish.path}: {wish.now}\n" for wish in wishes.values())
    after = "".join(f"{wish.path}: {wish.then}\n" for wish in wishes.values())
    return before, after


def _owners(user: pwd.struct_passwd | None) -> list[int]:
    """Return who may own what a directory lies in, beside root."""
    return [user.pw_uid] if user else []


def _look(program: Program, what: str, path: str) -> _Wish:
    """Look at a directory without changing it."""
    name = program.get("user")
    try:
        user = user_of(program)
    except ProgramError:
        user = None  # On a host that is only looked at, the user may not be there yet.
    try:
        with Way(path, _owners(user)) as way:
            now = "absent" if way.missing else f"owner {user_name(way.found.st_uid)}"
            then = f"owner {name}" if name else now if now != "absent" else "created"
            # What is in it may be a key, such as a farm's, and what writes it lets everybody read it.
            now += ", open to others" if not way.missing and way.open_to_others else ""
            real = os.path.join(way.real, *way.missing)
    except (FolderError, OSError) as error:
        raise ProgramError(f"{what}{path} cannot be made ready: {_reason(error)}") from error
    # What belongs to the user already may be the home of another account.
    given = homes() if now.partition(",")[0] != then else None
    fault = fault_of_data_folder(path) or fault_of_data_folder(real, name, given)
    if fault:
        raise ProgramError(f"{what}{fault}")
    return _Wish(what, path, user, now, then)


def _make(wish: _Wish) -> None:
    """Make a directory as it should be."""
    owner = Owner(wish.user.pw_uid, wish.user.pw_gid) if wish.user else None
    try:
        with Way(wish.path, _owners(wish.user)) as way:
            if way.missing:
                way.make(NEW_MODE, owner)
                return
            if owner:
                way.give(owner)
            if way.open_to_others:
                way.close_to_others()
    except (FolderError, OSError) as error:
        raise ProgramError(f"{wish.what}{wish.path} cannot be made ready: {_reason(error)}") from error


def _reason(error: FolderError | OSError) -> str:
    return str(error) if isinstance(error, FolderError) else error.strerror or str(error)
