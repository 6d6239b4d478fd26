# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Carrying out a plan: versions of programs are installed beside each other, and those that nobody needs are removed.

A version lives in ``<root>/<version>/`` together with a manifest that holds, for each of its files, the checksum it
was asked for with and what lay on the disk then. The manifest makes the run that changes nothing a matter of a few
``stat`` calls. A version is complete or absent: files are verified in ``<root>/.partial-*`` and then renamed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from typing import Callable, Iterable, NamedTuple, Optional, Sequence

from .._host.locks import LockError, locked
from .._http import shown_url
from .archive import extract_member
from .plan import Steps, plan, refuse
from .read import MODE, distrusted, file_checksum, read_manifest, read_there
from .request import MAX_SIZE, Release, ReleaseError, wrong_checksum
from .versions import MANIFEST, PARTIAL, PRUNED, Manifest, ManifestEntry, manifest_text

Write = Callable[[bytes], None]
Fetch = Callable[[str, Write], None]
Trial = Callable[[str, str, Sequence[str], Optional[str]], None]

_CHUNK = 1024 * 1024


class Staged(NamedTuple):
    """A version's new files, verified, in a folder beside their final one."""

    release: Release
    folder: str
    entries: dict[str, ManifestEntry]


class Installer:
    """Carries out a plan: everything is fetched and verified before the first file gets its final name."""

    def __init__(self, fetch: Fetch, uid: int, gid: int, trial: Trial | None = None) -> None:
        """``fetch(url, write)`` streams a http or https source into ``write(bytes)``; ``trial`` tries a program."""
        self._fetch = fetch
        self._uid = uid
        self._gid = gid
        self._trial = trial

    def run(self, releases: Sequence[Release], keep: int, in_use: Callable[[], Iterable[str]] | None = None) -> Steps:
        """Lock the roots, plan again behind the lock, carry out, and return the plan."""
        refuse(distrusted(releases, self._uid))
        roots = sorted({release["root"] for release in releases})
        try:
            with ExitStack() as locks:
                for root in roots:
                    locks.enter_context(locked(lock_name(root), f"which installs into {root}", 0))
                    self._make_folder(root)
                return self._carry_out(releases, keep, in_use)
        except LockError as error:
            raise ReleaseError(f"{error}; run again when it has ended") from error

    def _carry_out(self, releases: Sequence[Release], keep: int, in_use: Callable[[], Iterable[str]] | None) -> Steps:
        steps = plan(releases, read_there(releases, keep, self._uid, in_use), keep)
        for path in steps.leftovers:
            shutil.rmtree(path)
        self._install(steps)
        for path in steps.attributes:
            self._renew(path)
        for root, version in steps.prune:
            # Renamed first: a version that is half deleted must not look like one that is installed.
            gone = os.path.join(root, PRUNED + version)
            os.rename(os.path.join(root, version), gone)
            shutil.rmtree(gone)
        return steps

    def _install(self, steps: Steps) -> None:
        staged: list[Staged] = []
        try:
            for release, names in steps.install:
                staged.append(self._stage(release, names))
            for version in staged:
                self._commit(version)
        finally:
            for version in staged:
                shutil.rmtree(os.path.dirname(version.folder), ignore_errors=True)

    def _own(self, path: str) -> None:
        os.chown(path, self._uid, self._gid)
        os.chmod(path, MODE)

    def _renew(self, path: str) -> None:
        """Put a copy with the right owner and mode in the place of a file: who has it open may change it still."""
        folder, name = os.path.split(path)
        entry = read_manifest(folder, self._uid).files[name]
        stage = tempfile.mkdtemp(prefix=f"{PARTIAL}{os.path.basename(folder)}-", dir=os.path.dirname(folder))
        try:
            copy = os.path.join(stage, name)
            self._get(f"file://{path}", entry["sha256"], copy)
            self._own(copy)
            os.utime(copy, ns=(entry["mtime_ns"], entry["mtime_ns"]))
            _sync(copy)
            os.rename(copy, path)
            _sync(folder)
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def _make_folder(self, path: str) -> None:
        if not os.path.isdir(path):
            self._make_folder(os.path.dirname(path))
            os.mkdir(path, 0o700)
            self._own(path)

    def _stage(self, release: Release, names: Sequence[str]) -> Staged:
        """Fetch, verify and unpack into a folder beside the final one; return what `_commit` needs."""
        stage = tempfile.mkdtemp(prefix=PARTIAL + release["version"] + "-", dir=release["root"])
        try:
            folder, sources = os.path.join(stage, "files"), os.path.join(stage, "sources")
            os.mkdir(folder, 0o700)
            os.mkdir(sources, 0o700)
            self._own(folder)
            # Who tries the programs must reach them.
            os.chmod(stage, 0o711)
            entries = {name: self._stage_file(release, name, folder, sources) for name in names}
            shutil.rmtree(sources)
            return Staged(release, folder, entries)
        except BaseException as error:
            shutil.rmtree(stage, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ReleaseError(
                    f"there is no room for {', '.join(names)} {release['version']} on the filesystem of "
                    f"{release['root']} ({free_mib(release['root'])} MiB are free); nothing was installed"
                ) from error
            raise

    def _stage_file(self, release: Release, name: str, folder: str, sources: str) -> ManifestEntry:
        """Put one verified file into a folder; a source that several files come from is fetched once."""
        wanted = release["files"][name]
        source = os.path.join(sources, wanted["checksum"].replace(":", "-"))
        if not os.path.exists(source):
            self._get(wanted["src"], wanted["checksum"], source)
        path = os.path.join(folder, name)
        if wanted["extract"] is None:
            shutil.copyfile(source, path)
        else:
            extract_member(source, wanted["extract"], path, wanted["src"])
        self._own(path)
        _sync(path)
        if wanted["check_arguments"] is not None and self._trial:
            self._trial(path, name, wanted["check_arguments"], wanted["check_output"])
        info = os.stat(path)
        return {
            "checksum": wanted["checksum"],
            "extract": wanted["extract"],
            "sha256": wanted["checksum"] if wanted["extract"] is None else file_checksum(path),
            "size": info.st_size,
            "mtime_ns": info.st_mtime_ns,
        }

    def _get(self, src: str, checksum: str, path: str) -> None:
        """Put a source into path, hashing what is written and not what was promised."""
        digest = hashlib.sha256()
        size = 0
        with open(path, "wb") as handle:

            def write(chunk: bytes) -> None:
                nonlocal size
                size += len(chunk)
                if size > MAX_SIZE:
                    raise ReleaseError(f"{shown_url(src)} is larger than {MAX_SIZE >> 30} GiB; nothing was installed")
                digest.update(chunk)
                handle.write(chunk)

            if src.lower().startswith("file://"):
                _copy_local(src, write)
            else:
                self._fetch(src, write)
        actual = "sha256:" + digest.hexdigest()
        if actual != checksum:
            raise wrong_checksum(src, checksum, actual)

    def _commit(self, staged: Staged) -> None:
        """Give staged files their final names."""
        root = staged.release["root"]
        final = os.path.join(root, staged.release["version"])
        if not os.path.isdir(final):
            _write_manifest(staged.folder, staged.entries)
            os.rename(staged.folder, final)
        else:
            # The manifest comes first: a file that it names and that is not there yet is missing for the next run.
            _write_manifest(final, {**read_manifest(final, self._uid).files, **staged.entries})
            for name in sorted(staged.entries):
                os.rename(os.path.join(staged.folder, name), os.path.join(final, name))
        _sync(final)
        _sync(root)


def _write_manifest(folder: str, entries: dict[str, ManifestEntry]) -> None:
    path = os.path.join(folder, MANIFEST)
    partial = path + ".partial"
    with open(partial, "w", encoding="utf-8") as handle:
        handle.write(manifest_text(Manifest(entries, time.time())))
    os.chmod(partial, 0o644)
    _sync(partial)
    os.rename(partial, path)
    _sync(folder)


def lock_name(root: str) -> str:
    """Return the name of the lock by which runs that install into one root know of each other."""
    return f"release-{hashlib.sha256(root.encode()).hexdigest()[:16]}"


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_mib(path: str) -> int:
    """Return the MiB that are free for everyone on the filesystem of path."""
    info = os.statvfs(path)
    return info.f_bavail * info.f_frsize >> 20


def _copy_local(src: str, write: Write) -> None:
    path = src[len("file://") :]
    try:
        with open(path, "rb") as handle:
            for chunk in iter(lambda: handle.read(_CHUNK), b""):
                write(chunk)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise ReleaseError(f"{path} cannot be read: {error.strerror}; nothing was installed") from error
