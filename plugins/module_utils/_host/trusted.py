# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Whether nobody but some users can change what a path means, as sshd demands of its keys."""

from __future__ import annotations

import os
import pwd
import stat
from typing import Collection

_MAX_LINKS = 40


def distrust(path: str, users: Collection[int]) -> str | None:
    """Return why others than these users could change what lies at a path, None when they could not.

    Every folder on the way must belong to one of the users and be writable by nobody else, or only by root's group.
    In a folder such as /tmp, where everybody may write but nobody may rename what is not theirs, the next folder
    decides. What does not exist yet is nobody's.
    """
    at, rest, links = "/", _parts(path), 0
    fault = _fault(at, os.lstat(at), users)
    while rest and not fault:
        part = rest.pop(0)
        if part == "..":
            at = os.path.dirname(at)
            continue
        place = os.path.join(at, part)
        try:
            found = os.lstat(place)
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MAX_LINKS:
                return f"{path} has too many links in it"
            target = os.readlink(place)
            rest = _parts(target) + rest
            at = "/" if os.path.isabs(target) else at
            # In a folder such as /tmp the link must be one of theirs.
            fault = None if found.st_uid in users else f"{place} belongs to {user_name(found.st_uid)}"
        else:
            fault = _fault(place, found, users)
            at = place
    return fault


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _fault(place: str, found: os.stat_result, users: Collection[int]) -> str | None:
    if not stat.S_ISDIR(found.st_mode):
        return f"{place} is no folder"
    if found.st_uid not in users:
        return f"{place} belongs to {user_name(found.st_uid)}"
    if found.st_mode & stat.S_ISVTX:
        return None
    if found.st_mode & stat.S_IWOTH:
        return f"{place} can be written by everybody"
    if found.st_mode & stat.S_IWGRP and found.st_gid:
        return f"{place} can be written by its group"
    return None


def user_name(uid: int) -> str:
    """Return the name of a user, the number when there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
