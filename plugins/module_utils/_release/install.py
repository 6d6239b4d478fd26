# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Installing versions of programs beside each other: what is there, what is missing, what may go.

A version lives in ``<root>/<version>/`` together with a manifest that holds, for each of its files, the checksum it
was asked for with and what lay on the disk then. The manifest makes the run that changes nothing a matter of a few
``stat`` calls. A version is complete or absent: files are verified in ``<root>/.partial-*`` and then renamed.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import gzip
import hashlib
import json
import os
import re
import shutil
import stat
import tarfile
import tempfile
import time
import zipfile
import zlib

MANIFEST = ".release.json"
MODE = 0o755
MAX_SIZE = 4 * 1024**3
"""Bytes of a source or an unpacked file at most: a server that never stops sending must not fill the disk."""

_PARTIAL = ".partial-"
_PRUNED = ".pruned-"
_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._+~-]*$")
_CHECKSUM = re.compile(r"^sha256:[0-9a-f]{64}$")
_CHUNK = 1024 * 1024
_URL = re.compile(r"^(https?|file)://", re.IGNORECASE)
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError, ValueError)


class ReleaseError(Exception):
    """Something is wrong with the request, a source or the host; the text is the sentence for the user."""


# What is asked for


def is_url(src):
    """Return whether the managed host gets a source by itself (http, https, file) and not from the control node."""
    return bool(_URL.match(src))


def normalise(releases):
    """Return the checked request; raise ReleaseError for a name, path or checksum that cannot be meant."""
    seen = set()
    result = []
    for release in releases:
        root, version = release["root"].rstrip("/"), release["version"]
        if not os.path.isabs(root):
            raise ReleaseError(f"root {release['root']!r} must be an absolute path other than /")
        if not _NAME.match(version):
            raise ReleaseError(f"version {version!r} cannot be the name of a folder")
        if (root, version) in seen:
            raise ReleaseError(f"{root}/{version} is listed twice")
        seen.add((root, version))
        files = {}
        for entry in release["files"]:
            name, extract = entry["name"], entry.get("extract")
            if not _NAME.match(name):
                raise ReleaseError(f"{name!r} cannot be the name of a file")
            if name in files:
                raise ReleaseError(f"{name} is listed twice in {root}/{version}")
            if extract is not None and (extract.startswith("/") or ".." in extract.split("/")):
                raise ReleaseError(f"extract {extract!r} must be the path of a file inside the archive")
            if "://" in entry["src"] and not is_url(entry["src"]):
                raise ReleaseError(f"{entry['src']} must be a http, https or file URL, or a path")
            files[name] = {
                "src": entry["src"],
                "checksum": parse_checksum(entry["checksum"], entry["src"]),
                "extract": extract,
            }
        result.append({"root": root, "version": version, "files": files})
    return result


def parse_checksum(value, src):
    """Return a checksum in the form ``sha256:<hex>``; raise ReleaseError for any other kind."""
    checksum = str(value).strip().lower()
    if not _CHECKSUM.match(checksum):
        raise ReleaseError(f"the checksum {value!r} of {src} is not of the form sha256:<64 hexadecimal digits>")
    return checksum


def file_checksum(path):
    """Return ``sha256:<hex>`` of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for chunk in iter(lambda: handle.read(_CHUNK), b""):
            digest.update(chunk)
    return "sha256:" + digest.hexdigest()


def wrong_checksum(src, expected, actual):
    """Return the error for a source that is not what the inventory says."""
    return ReleaseError(f"the checksum of {src} is wrong: expected {expected}, actual {actual}; nothing was installed")


# What is there


def read_manifest(folder):
    """Return ``(files by name, time of installation)`` of a version; ``({}, None)`` when there is no manifest."""
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as handle:
            manifest = json.load(handle)
        return manifest["files"], manifest["installed"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}, None


def installed_versions(root):
    """Return ``{version: time of installation}`` of the versions that this module installed below root."""
    versions = {}
    for name in _listdir(root):
        installed = read_manifest(os.path.join(root, name))[1] if _NAME.match(name) else None
        if installed is not None:
            versions[name] = installed
    return versions


def leftovers(root):
    """Return the folders that an interrupted run left in root."""
    return [name for name in _listdir(root) if name.startswith((_PARTIAL, _PRUNED))]


def _listdir(path):
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []


def file_state(path, entry, uid):
    """Return ``ok``, ``attributes`` (content right, mode or owner not) or ``missing`` for a file of the manifest.

    The content is read only when size or time of change differ from the manifest, so that a run without changes costs
    next to nothing and a damaged file is still found.
    """
    try:
        info = os.lstat(path)
    except OSError:
        return "missing"
    if not stat.S_ISREG(info.st_mode):
        return "missing"
    if info.st_size != entry["size"]:
        return "missing"
    if info.st_mtime_ns != entry["mtime_ns"] and file_checksum(path) != entry["sha256"]:
        return "missing"
    if stat.S_IMODE(info.st_mode) != MODE or info.st_uid != uid:
        return "attributes"
    return "ok"


def inspect(release, uid):
    """Return ``(names of missing files, names with wrong attributes)`` of one wanted version.

    Raises ReleaseError when the version is there with other content: programs that run name its path, and what a path
    means must not change under them.
    """
    folder = os.path.join(release["root"], release["version"])
    manifest = read_manifest(folder)[0]
    missing, attributes = [], []
    for name, wanted in release["files"].items():
        path = os.path.join(folder, name)
        entry = manifest.get(name)
        if entry is None:
            if os.path.lexists(path):
                raise ReleaseError(
                    f"{path} exists and was not installed by this collection; move {folder} away, or choose another version or install folder"
                )
            missing.append(name)
            continue
        if (entry["checksum"], entry["extract"]) != (wanted["checksum"], wanted["extract"]):
            raise ReleaseError(
                f"version {release['version']} is installed in {folder} with other content: {name} came from {_origin(entry)} and {_origin(wanted)} is wanted now. A version never changes in place: give the new build a version of its own, or remove the folder once no program runs from it"
            )
        state = file_state(path, entry, uid)
        if state != "ok":
            (missing if state == "missing" else attributes).append(name)
    return missing, attributes


def _origin(entry):
    return f"{entry['checksum']} ({entry['extract']})" if entry["extract"] else entry["checksum"]


# What may go


def prune_candidates(versions, wanted, keep):
    """Return the versions beyond the ``keep`` latest ones besides the wanted, oldest first."""
    others = sorted(set(versions) - set(wanted), key=lambda version: (versions[version], version))
    return others[: max(len(others) - keep, 0)]


def references(texts, root, versions):
    """Return those versions whose folder is named in one of the texts."""
    if not versions:
        return set()
    pattern = re.compile(re.escape(root) + "/(" + "|".join(re.escape(v) for v in versions) + r")(?![A-Za-z0-9._+~-])")
    return {match for text in texts for match in pattern.findall(text)}


def texts_in_use(conf_glob="/etc/supervisor/conf.d/*.conf", proc="/proc"):
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


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except OSError:
        return ""


# The plan


def plan(releases, keep, uid, in_use=texts_in_use):
    """Return ``{install, attributes, prune, leftovers}``, each a list; all empty when nothing is to be done.

    ``install`` has ``(release, names)``, ``attributes`` paths, ``prune`` ``(root, version)``, ``leftovers`` paths.
    """
    result = {"install": [], "attributes": [], "prune": [], "leftovers": []}
    wanted = {}
    for release in releases:
        wanted.setdefault(release["root"], []).append(release["version"])
        missing, attributes = inspect(release, uid)
        if missing:
            result["install"].append((release, missing))
        folder = os.path.join(release["root"], release["version"])
        result["attributes"] += [os.path.join(folder, name) for name in attributes]
    for root in sorted(wanted):
        result["leftovers"] += [os.path.join(root, name) for name in leftovers(root)]
        candidates = prune_candidates(installed_versions(root), wanted[root], keep)
        if candidates:
            used = references(in_use(), root, candidates)
            result["prune"] += [(root, version) for version in candidates if version not in used]
    return result


def control_node_sources(steps):
    """Return the sources, sorted, that a plan needs from the control node."""
    return sorted(
        {
            release["files"][name]["src"]
            for release, names in steps["install"]
            for name in names
            if not is_url(release["files"][name]["src"])
        }
    )


def listing(releases, steps, after):
    """Return the lines for the diff: the files of every version below the roots, before or after a plan."""
    lines = []
    for root in sorted({release["root"] for release in releases}):
        files = {
            (version, name): entry["checksum"]
            for version in installed_versions(root)
            for name, entry in read_manifest(os.path.join(root, version))[0].items()
        }
        for release, names in steps["install"]:
            for name in names if release["root"] == root else []:
                files.pop((release["version"], name), None)
                if after:
                    files[release["version"], name] = release["files"][name]["checksum"]
        pruned = {version for path, version in steps["prune"] if path == root and after}
        lines += [
            f"{root}/{version}/{name} {checksum}\n"
            for (version, name), checksum in sorted(files.items())
            if version not in pruned
        ]
        if not after:
            lines += [f"{path}/ (left by an interrupted run)\n" for path in steps["leftovers"] if _in(path, root)]
            lines += [f"{path} (wrong mode or owner)\n" for path in steps["attributes"] if _in(path, root)]
    return "".join(lines)


def _in(path, root):
    return path.startswith(root + "/")


# Carrying it out


class Installer:
    """Carries out a plan: everything is fetched and verified before the first file gets its final name."""

    def __init__(self, fetch, uid, gid):
        """``fetch(url, write)`` streams a http or https source into ``write(bytes)``."""
        self._fetch = fetch
        self._uid = uid
        self._gid = gid

    def run(self, releases, keep, in_use=texts_in_use):
        """Lock the roots, plan again behind the lock, carry out, and return the plan."""
        locks = []
        try:
            for root in sorted({release["root"] for release in releases}):
                self._make_folder(root)
                locks.append(_lock(root))
            steps = plan(releases, keep, self._uid, in_use)
            for path in steps["leftovers"]:
                shutil.rmtree(path)
            staged = []
            try:
                for release, names in steps["install"]:
                    staged.append(self._stage(release, names))
                for release, folder, entries in staged:
                    self._commit(release, folder, entries)
            finally:
                for _release, folder, _entries in staged:
                    shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
            for path in steps["attributes"]:
                self._own(path)
            for root, version in steps["prune"]:
                # Renamed first: a version that is half deleted must not look like one that is installed.
                gone = os.path.join(root, _PRUNED + version)
                os.rename(os.path.join(root, version), gone)
                shutil.rmtree(gone)
            return steps
        finally:
            for lock in locks:
                os.close(lock)

    def _own(self, path):
        os.chown(path, self._uid, self._gid)
        os.chmod(path, MODE)

    def _make_folder(self, path):
        if not os.path.isdir(path):
            self._make_folder(os.path.dirname(path))
            os.mkdir(path)
            self._own(path)

    def _stage(self, release, names):
        """Fetch, verify and unpack into a folder beside the final one; return what `_commit` needs."""
        stage = tempfile.mkdtemp(prefix=_PARTIAL + release["version"] + "-", dir=release["root"])
        try:
            folder, sources = os.path.join(stage, "files"), os.path.join(stage, "sources")
            os.mkdir(folder)
            os.mkdir(sources)
            self._own(folder)
            entries = {}
            for name in names:
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
                info = os.stat(path)
                entries[name] = {
                    "checksum": wanted["checksum"],
                    "extract": wanted["extract"],
                    "sha256": wanted["checksum"] if wanted["extract"] is None else file_checksum(path),
                    "size": info.st_size,
                    "mtime_ns": info.st_mtime_ns,
                }
            shutil.rmtree(sources)
            return release, folder, entries
        except BaseException as exc:
            shutil.rmtree(stage, ignore_errors=True)
            if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ReleaseError(
                    f"there is no room for {', '.join(names)} {release['version']} on the filesystem of "
                    f"{release['root']} ({free_mib(release['root'])} MiB are free); nothing was installed"
                ) from exc
            raise

    def _get(self, src, checksum, path):
        """Put a source into path, hashing what is written and not what was promised."""
        digest = hashlib.sha256()
        size = 0
        with open(path, "wb") as handle:

            def write(chunk):
                nonlocal size
                size += len(chunk)
                if size > MAX_SIZE:
                    raise ReleaseError(f"{src} is larger than {MAX_SIZE >> 30} GiB; nothing was installed")
                digest.update(chunk)
                handle.write(chunk)

            if src.lower().startswith("file://"):
                _copy_local(src, write)
            else:
                self._fetch(src, write)
        actual = "sha256:" + digest.hexdigest()
        if actual != checksum:
            raise wrong_checksum(src, checksum, actual)

    def _commit(self, release, folder, entries):
        """Give staged files their final names."""
        final = os.path.join(release["root"], release["version"])
        if not os.path.isdir(final):
            self._write_manifest(folder, entries)
            os.rename(folder, final)
        else:
            # The manifest comes first: a file that it names and that is not there yet is seen as missing by the next run.
            self._write_manifest(final, dict(read_manifest(final)[0], **entries))
            for name in sorted(entries):
                os.rename(os.path.join(folder, name), os.path.join(final, name))
        _sync(final)
        _sync(release["root"])

    def _write_manifest(self, folder, entries):
        path = os.path.join(folder, MANIFEST)
        partial = path + ".partial"
        with open(partial, "w", encoding="utf-8") as handle:
            json.dump({"installed": time.time(), "files": entries}, handle, indent=1, sort_keys=True)
        os.chmod(partial, 0o644)
        _sync(partial)
        os.rename(partial, path)
        _sync(folder)


def _lock(root):
    """Return a descriptor that locks root against a second run until it is closed."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(descriptor)
        raise ReleaseError(f"another run is installing into {root}; run again when it has ended") from exc
    return descriptor


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_mib(path):
    """Return the MiB that are free for everyone on the filesystem of path."""
    info = os.statvfs(path)
    return info.f_bavail * info.f_frsize >> 20


def _copy_local(src, write):
    path = src[len("file://") :]
    try:
        with open(path, "rb") as handle:
            for chunk in iter(lambda: handle.read(_CHUNK), b""):
                write(chunk)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as exc:
        raise ReleaseError(f"{path} cannot be read: {exc.strerror}; nothing was installed") from exc


def extract_member(archive, member, path, src):
    """Write one named regular file of a tar or zip archive to path; links, devices and folders are refused."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as handle:
                info = handle.getinfo(member)
                kind = stat.S_IFMT(info.external_attr >> 16)
                regular = not info.is_dir() and kind in (0, stat.S_IFREG)
                _unpack(handle.open(info) if regular else None, member, path, src)
        else:
            with _open_tar(archive, src) as handle:
                info = _tar_member(handle, member)
                _unpack(handle.extractfile(info) if info.isreg() else None, member, path, src)
    except KeyError as exc:
        raise ReleaseError(f"{src} has no {member} in it; nothing was installed") from exc
    except _BROKEN as exc:
        raise ReleaseError(f"{src} cannot be unpacked: {exc}; nothing was installed") from exc


def _open_tar(archive, src):
    try:
        return tarfile.open(archive)
    except tarfile.TarError as exc:
        # Python's own text lists every compression that it tried.
        raise ReleaseError(f"{src} is no tar or zip archive; nothing was installed") from exc


def _tar_member(handle, member):
    try:
        return handle.getmember(member)
    except KeyError:
        return handle.getmember("./" + member)


def _unpack(source, member, path, src):
    if source is None:
        raise ReleaseError(f"{member} in {src} is no regular file; nothing was installed")
    size = 0
    with source, open(path, "wb") as target:
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            size += len(chunk)
            if size > MAX_SIZE:
                raise ReleaseError(f"{member} in {src} is larger than {MAX_SIZE >> 30} GiB; nothing was installed")
            target.write(chunk)
