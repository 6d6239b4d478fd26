# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Taking one regular file out of a tar or zip archive."""

from __future__ import annotations

import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from typing import IO

from .._http import shown_url
from .request import MAX_SIZE, ReleaseError

_CHUNK = 1024 * 1024
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
)


def extract_member(archive: str | os.PathLike[str], member: str, path: str | os.PathLike[str], src: str) -> None:
    """Write one named regular file of a tar or zip archive to path; links, devices and folders are refused."""
    src = shown_url(src)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as handle:
                info = handle.getinfo(member)
                kind = stat.S_IFMT(info.external_attr >> 16)
                regular = not info.is_dir() and kind in (0, stat.S_IFREG)
                _unpack(handle.open(info) if regular else None, member, path, src)
        else:
            with _open_tar(archive, src) as tar:
                found = _tar_member(tar, member)
                _unpack(tar.extractfile(found) if found.isreg() else None, member, path, src)
    except KeyError as error:
        raise ReleaseError(f"{src} has no {member} in it; nothing was installed") from error
    except _BROKEN as error:
        raise ReleaseError(f"{src} cannot be unpacked: {error}; nothing was installed") from error


def _open_tar(archive: str | os.PathLike[str], src: str) -> tarfile.TarFile:
    try:
        return tarfile.open(archive)
    except tarfile.TarError as error:
        # Python's own text lists every compression that it tried.
        raise ReleaseError(f"{src} is no tar or zip archive; nothing was installed") from error


def _tar_member(handle: tarfile.TarFile, member: str) -> tarfile.TarInfo:
    try:
        return handle.getmember(member)
    except KeyError:
        return handle.getmember("./" + member)


def _unpack(source: IO[bytes] | None, member: str, path: str | os.PathLike[str], src: str) -> None:
    if source is None:
        raise ReleaseError(f"{member} in {src} is no regular file; nothing was installed")
    size = 0
    with source, open(path, "wb") as target:
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            size += len(chunk)
            if size > MAX_SIZE:
                raise ReleaseError(f"{member} in {src} is larger than {MAX_SIZE >> 30} GiB; nothing was installed")
            target.write(chunk)
