# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Folders that root makes, or trusts, where somebody else may have a hand: by descriptors, never twice by name.

Whoever may write to a folder can rename what is in it and put a link in its place. So a way is walked folder by folder,
each opened relative to the one before, and everything is done to what was opened.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from typing import Collection, Mapping, NamedTuple

LINKS = 40  # as many as the kernel follows
# A control node that is no Linux imports this too.
_WALK = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# Folders in which data may lie, but which are nobody's alone.
SYSTEM_FOLDERS = frozenset(
    (
        "/ /dev/shm /home /media /mnt /opt /root /run /srv /tmp /usr/local /var /var/backups /var/cache /var/lib "
        "/var/local /var/lock /var/log /var/mail /var/opt /var/run /var/spool /var/tmp"
    ).split()
)
# Trees in which no data may lie, apart from the folders in EXCEPTIONS.
SYSTEM_TREES = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/sbin",
    "/sys",
    "/usr",
)
EXCEPTIONS = ("/dev/shm", "/usr/local")


class FolderError(Exception):
    """A folder that cannot be used; the message says which, why, and the way out."""


class Owner(NamedTuple):
    """Whom a folder is given to."""

    uid: int
    gid: int


def fault_of_data_folder(
    path: str, user: str | None = None, homes: Mapping[str, Collection[str]] | None = None
) -> str | None:
    """Return why *path* must not be a folder of data, None when it may be.

    *homes* says which accounts have which home; one that *user* shares may hold its data.
    """
    path = os.path.normpath(path)
    path = path[1:] if path.startswith("//") else path
    if path in SYSTEM_FOLDERS or (_below(path, SYSTEM_TREES) and not _below(path, EXCEPTIONS)):
        return f"{path} is a folder of the system: choose one of its own for the data"
    owners = (homes or {}).get(path, ())
    if owners and user not in owners:
        return f"{path} is the home of {sorted(owners)[0]}: choose a folder of its own for the data"
    return None


def _below(path: str, trees: Collection[str]) -> bool:
    return any(path == tree or path.startswith(tree + "/") for tree in trees)


def homes() -> dict[str, set[str]]:
    """Return the homes of this machine's accounts, each with their names."""
    found: dict[str, set[str]] = {}
    for account in pwd.getpwall():
        found.setdefault(os.path.normpath(account.pw_dir or "/"), set()).add(account.pw_name)
    return found


def user_name(uid: int) -> str:
    """Return the name of a user, the number when there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class Way:
    """A path that is walked: its deepest folder that there is, as ``descriptor``, and the names ``missing`` below that.

    Every folder that something is looked up in must belong to root or to one of *owners*. A link is followed only where
    nobody but root can have put it. To be closed, as by ``with``.
    """

    def __init__(self, path: str, owners: Collection[int] = ()) -> None:
        self._owners = {0, os.geteuid(), *owners}
        self._links = 0
        self.real = "/"
        self.missing = [name for name in path.split("/") if name not in ("", ".")]
        self.descriptor = os.open("/", _WALK)
        try:
            while self.missing and self._step(self.missing[0]):
                pass
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)

    @property
    def found(self) -> os.stat_result:
        """What the deepest folder is."""
        return os.fstat(self.descriptor)

    def make(self, mode: int, owner: Owner | None) -> None:
        """Make what is missing: the folder itself with *mode* for *owner*, those that it lies in for root."""
        while self.missing:
            last = len(self.missing) == 1
            name = self.missing[0]
            os.mkdir(name, 0o700, dir_fd=self.descriptor)
            self._enter(name)
            # Where another one may write, it could have put a folder of its own in the place of ours.
            if self.found.st_uid != os.geteuid():
                raise FolderError(f"{self.real} was replaced by {user_name(self.found.st_uid)} while it was made")
            self._change(mode if last else 0o755, owner if last else None)
            del self.missing[0]

    @property
    def open_to_others(self) -> bool:
        """Whether all users of the host may look into the folder; nothing can be done about one that is read-only."""
        return bool(self.found.st_mode & stat.S_IRWXO) and not os.fstatvfs(self.descriptor).f_flag & os.ST_RDONLY

    def close_to_others(self) -> None:
        """Take from all users what they may do with the folder, but from its owner and its group."""
        self._change(stat.S_IMODE(self.found.st_mode) & ~stat.S_IRWXO, None)

    def give(self, owner: Owner) -> None:
        """Give the folder to *owner*, without anything in it."""
        self._change(None, owner)

    def _change(self, mode: int | None, owner: Owner | None) -> None:
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.descriptor)
        try:
            if owner:
                os.fchown(handle, owner.uid, owner.gid)
            if mode is not None:
                os.fchmod(handle, mode)
        finally:
            os.close(handle)

    def _step(self, name: str) -> bool:
        """Go one folder on; return whether there is one."""
        here = self.found
        where = os.path.join(self.real, name)
        if here.st_uid not in self._owners:
            raise FolderError(
                f"{self.real} belongs to {user_name(here.st_uid)}, who can put anything in the place of {where}: "
                f"give it to root, or choose another path"
            )
        try:
            there = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if stat.S_ISLNK(there.st_mode):
            self._follow(name, where, there)
        elif stat.S_ISDIR(there.st_mode):
            self._enter(name)
            del self.missing[0]
        else:
            raise FolderError(f"{where} is not a directory")
        return True

    def _follow(self, name: str, where: str, link: os.stat_result) -> None:
        who = self._who_can_replace(link)
        if who:
            raise FolderError(
                f"{where} is a link, and {who} can choose where it leads, so it is not followed: "
                f"put the folder itself there, or give the path that it leads to"
            )
        self._links += 1
        if self._links > LINKS:
            raise FolderError(f"{where} leads through more than {LINKS} links")
        target = os.readlink(name, dir_fd=self.descriptor)
        self.missing[:1] = [part for part in target.split("/") if part not in ("", ".")]
        if target.startswith("/"):
            self._replace(os.open("/", _WALK), "/")

    def _who_can_replace(self, link: os.stat_result) -> str | None:
        """Return who beside root can have put a link into the folder, None for nobody."""
        here, roots = self.found, {0, os.geteuid()}
        strangers = [user_name(uid) for uid in (here.st_uid, link.st_uid) if uid not in roots]
        if strangers:
            return strangers[0]
        return "everybody" if here.st_mode & stat.S_IWOTH and not here.st_mode & stat.S_ISVTX else None

    def _enter(self, name: str) -> None:
        where = os.path.normpath(os.path.join(self.real, name))
        try:
            self._replace(os.open(name, _WALK, dir_fd=self.descriptor), where)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP, errno.ENOENT):
                raise FolderError(f"{where} was replaced while it was looked at") from error
            raise

    def _replace(self, descriptor: int, real: str) -> None:
        os.close(self.descriptor)
        self.descriptor, self.real = descriptor, real
