# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""A program to supervise, in the shape of supervisor_program's option ``programs``, and what it needs."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from typing import Any, Mapping, Sequence, TypedDict

from .._host.folders import FolderError, Way, user_name
from .errors import ProgramError


class Log(TypedDict):
    """Where a program's output goes."""

    path: str
    max_bytes: str
    backups: int


class _Required(TypedDict):
    name: str
    command: list[str]
    autorestart: bool
    startsecs: int
    startretries: int
    stopsignal: str
    stopwaitsecs: int


class Program(_Required, total=False):
    """A program to supervise, with the module's defaults filled in."""

    environment: dict[str, Any]
    cpus: str | None
    user: str | None
    directory: str | None
    autostart: bool
    log: Log | None
    state_directories: list[str]


# What a program has that nothing is said of.
DEFAULTS: dict[str, Any] = {
    "environment": {},
    "autostart": True,
    "autorestart": True,
    "startsecs": 10,
    "startretries": 1000000,
    "stopsignal": "TERM",
    "stopwaitsecs": 60,
    "state_directories": [],
}


def with_defaults(program: Mapping[str, Any]) -> Program:
    """Return a program with the module's defaults filled in."""
    complete: Any = {**DEFAULTS, **program}
    filled: Program = complete
    return filled


def user_of(program: Program) -> pwd.struct_passwd | None:
    """Return the password entry of the program's user, None when it has none."""
    user = program.get("user")
    if not user:
        return None
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise ProgramError(f"program {program['name']}: there is no user {user} on this host") from error


def check_programs(programs: Sequence[Program], starts: bool) -> None:
    """Refuse what supervisord would refuse, or what would make it refuse to start at all.

    What a program is started with is looked at only when this run *starts* programs.
    """
    for program in programs:
        name = program["name"]
        user_of(program)
        log, directory = program.get("log"), program.get("directory")
        created = [path.rstrip("/") for path in program.get("state_directories", [])]
        if log and not os.path.isdir(os.path.dirname(log["path"])) and os.path.dirname(log["path"]) not in created:
            raise ProgramError(f"program {name}: the folder of its log {log['path']} does not exist")
        if directory and not os.path.isdir(directory) and directory.rstrip("/") not in created:
            raise ProgramError(f"program {name}: its directory {directory} does not exist")
        if not starts or not program.get("autostart", True):
            continue
        if program.get("cpus") and not shutil.which("numactl"):
            raise ProgramError(
                f"program {name}: cpus needs numactl, which is not on this host: install the package numactl"
            )
        command = program["command"][0]
        if command.startswith("/") and not shutil.which(command):
            raise ProgramError(f"program {name}: {command} does not exist or is not executable")


def check_logs(programs: Sequence[Program]) -> None:
    """Refuse a log where somebody else could put a link in its place: supervisord writes it with root's rights."""
    given = {
        os.path.normpath(path): user
        for program in programs
        for user in [program.get("user")]
        for path in program.get("state_directories", [])
        if user not in (None, "root")
    }
    for program in programs:
        log = program.get("log")
        if not log:
            continue
        folder = os.path.normpath(os.path.dirname(log["path"]))
        owner = next((user for path, user in given.items() if folder == path or folder.startswith(path + "/")), None)
        try:
            reason = f"{folder} belongs to {owner}" if owner else _fault_of_log_folder(folder, program.get("user"))
        except (FolderError, OSError) as error:
            reason = str(error)
        if reason:
            raise ProgramError(
                f"program {program['name']}: supervisord would follow whatever is put in the place of its log "
                f"{log['path']}: {reason}. Choose a folder in which only root writes, such as /var/log"
            )


def _fault_of_log_folder(folder: str, user: str | None) -> str | None:
    with Way(folder) as way:
        found = way.found
        if way.missing:
            return None
    if found.st_uid not in (0, os.geteuid()):
        return f"{folder} belongs to {user_name(found.st_uid)}"
    if found.st_mode & stat.S_IWGRP and user not in (None, "root") and found.st_gid in _groups_of(str(user)):
        return f"{user} may write to {folder}, as one of its group"
    return f"everybody may write to {folder}" if found.st_mode & stat.S_IWOTH else None


def _groups_of(user: str) -> list[int]:
    """Return the groups of a user, none of one that is not there yet."""
    try:
        return os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    except KeyError:
        return []
