# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is there: installed versions, the state of wanted files, leftovers, and what names programs in use."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from typing import Callable, Iterable, Iterator, NamedTuple, Sequence

from .._host.files import read_bytes
from .._host.trusted import distrust
from .request import Release, is_name
from .versions import (
    MANIFEST,
    NO_MANIFEST,
    Manifest,
    ManifestEntry,
    is_leftover,
    parse_manifest,
    prune_candidates,
    references,
)

MODE = 0o755

_CHUNK = 1024 * 1024
_MAX_TEXT = 16 * 1024 * 1024


class Root(NamedTuple):
    """What lies below one root: versions with their manifests, folders of interrupted runs, versions in use."""

    versions: dict[str, Manifest]
    leftovers: list[str]
    used: set[str]


class There(NamedTuple):
    """What is there before a plan is made.

    ``roots`` are by path, ``files`` the states of wanted files by path (see `file_state`), ``distrust`` says why others
    than root could change what is there.
    """

    roots: dict[str, Root]
    files: dict[str, str]
    distrust: list[str]


def read_there(
    releases: Sequence[Release], keep: int, uid: int, in_use: Callable[[], Iterable[str]] | None = None
) -> There:
    """Return what is there of the wanted releases and in their roots.

    ``in_use`` gives the texts that name programs in use, and is called only when a version could be pruned.
    """
    roots, files = {}, {}
    for path in sorted({release["root"] for release in releases}):
        wanted = [release["version"] for release in releases if release["root"] == path]
        roots[path] = _read_root(path, wanted, keep, uid, in_use or texts_in_use)
    for release in releases:
        manifest = roots[release["root"]].versions.get(release["version"], NO_MANIFEST)
        for name in release["files"]:
            place = os.path.join(release["root"], release["version"], name)
            files[place] = file_state(place, manifest.files.get(name), uid)
    return There(roots, files, distrusted(releases, uid))


def distrusted(releases: Sequence[Release], uid: int) -> list[str]:
    """Return why others than root and the owner could change what is installed, each reason once."""
    faults = [distrust(os.path.join(release["root"], release["version"]), {0, uid}) for release in releases]
    return list(dict.fromkeys(fault for fault in faults if fault))


def _read_root(path: str, wanted: list[str], keep: int, uid: int, in_use: Callable[[], Iterable[str]]) -> Root:
    names = _listdir(path)
    versions = {name: read_manifest(os.path.join(path, name), uid) for name in names if is_name(name)}
    installed = {name: manifest for name, manifest in versions.items() if manifest.installed is not None}
    candidates = prune_candidates({name: manifest.installed or 0 for name, manifest in installed.items()}, wanted, keep)
    used = references(in_use(), path, candidates) if candidates else set()
    return Root(installed, [name for name in names if is_leftover(name)], used)


def read_manifest(folder: str, uid: int) -> Manifest:
    """Return what the manifest of a version says; `NO_MANIFEST` when there is none, or others could have written it."""
    path = os.path.join(folder, MANIFEST)
    try:
        found = os.lstat(path)
    except OSError:
        return NO_MANIFEST
    if not stat.S_ISREG(found.st_mode) or found.st_uid not in (0, uid) or found.st_mode & 0o022:
        return NO_MANIFEST
    return parse_manifest(_read(path))


def file_state(path: str, entry: ManifestEntry | None, uid: int) -> str:
    """Return ``ok``, ``attributes`` (content right, mode or owner not), ``missing`` or ``foreign`` of a wanted file.

    ``foreign`` is a file that no manifest names (``entry`` is None). The content is read only when time of change,
    owner or mode differ, so that a run without changes costs next to nothing and a damaged file is still found.
    """
    try:
        info = os.lstat(path)
    except OSError:
        return "missing"
    if entry is None:
        return "foreign"
    if not stat.S_ISREG(info.st_mode):
        return "missing"
    if info.st_size != entry["size"]:
        return "missing"
    own = stat.S_IMODE(info.st_mode) == MODE and info.st_uid == uid
    if (not own or info.st_mtime_ns != entry["mtime_ns"]) and file_checksum(path) != entry["sha256"]:
        return "missing"
    return "ok" if own else "attributes"


def file_checksum(path: str | os.PathLike[str]) -> str:
    """Return ``sha256:<hex>`` of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for chunk in iter(lambda: handle.read(_CHUNK), b""):
            digest.update(chunk)
    return "sha256:" + digest.hexdigest()


def texts_in_use(conf_glob: str = "/etc/supervisor/conf.d/*.conf", proc: str = "/proc") -> Iterator[str]:
    """Yield the texts that name programs in use: supervised definitions, command lines and executables."""
    folder, pattern = os.path.split(conf_glob)
    # supervisor_program can go back to the definitions that it keeps in hidden files
    for path in glob.glob(conf_glob) + glob.glob(os.path.join(folder, f".{pattern}.previous")):
        yield _read(path)
    for pid in os.listdir(proc):
        if pid.isdigit():
            yield _read(os.path.join(proc, pid, "cmdline")).replace("\0", "\n")
            try:
                # The kernel appends " (deleted)" to the path of a file that is gone.
                yield os.readlink(os.path.join(proc, pid, "exe"))
            except OSError:
                continue


def _listdir(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []


def _read(path: str) -> str:
    try:
        return read_bytes(path, _MAX_TEXT).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
