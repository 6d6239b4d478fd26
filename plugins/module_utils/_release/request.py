# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is asked for: checked names, paths, sources and checksums."""

from __future__ import annotations

import os
import re
from typing import Any, Iterable, Mapping, TypedDict

from .._foreign import reads_foreign
from .._http import shown_url

MAX_SIZE = 4 * 1024**3
"""Bytes of a source or an unpacked file at most: a server that never stops sending must not fill the disk."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~-]{0,199}\Z")
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}\Z")
_URL = re.compile(r"^(https?|file)://", re.IGNORECASE)


class ReleaseError(Exception):
    """Something is wrong with the request, a source or the host; the text is the sentence for the user."""


class WantedFile(TypedDict):
    """Where a file comes from, and how it is run once before it is installed."""

    src: str
    checksum: str
    extract: str | None
    check_arguments: list[str] | None
    check_output: str | None


class Release(TypedDict):
    """A version that must be installed, with its files by name."""

    root: str
    version: str
    files: dict[str, WantedFile]


def is_url(src: str) -> bool:
    """Return whether the managed host gets a source by itself (http, https, file) and not from the control node."""
    return bool(_URL.match(src))


def is_name(name: str) -> bool:
    """Return whether a text can be the name of a version or an installed file."""
    return bool(_NAME.match(name))


def normalise(releases: Iterable[dict[str, Any]]) -> list[Release]:
    """Return the checked request; raise ReleaseError for a name, path or checksum that cannot be meant."""
    seen: set[tuple[str, str]] = set()
    result: list[Release] = []
    for release in releases:
        root, version = release["root"].rstrip("/"), release["version"]
        if not os.path.isabs(root):
            raise ReleaseError(f"root {release['root']!r} must be an absolute path other than /")
        if not is_name(version):
            raise ReleaseError(f"version {version!r} cannot be the name of a folder")
        if (root, version) in seen:
            raise ReleaseError(f"{root}/{version} is listed twice")
        seen.add((root, version))
        files: dict[str, WantedFile] = {}
        for entry in release["files"]:
            if entry["name"] in files:
                raise ReleaseError(f"{entry['name']} is listed twice in {root}/{version}")
            files[entry["name"]] = _wanted_file(entry)
        result.append({"root": root, "version": version, "files": files})
    return result


def _wanted_file(entry: dict[str, Any]) -> WantedFile:
    name, src, extract = entry["name"], entry["src"], entry.get("extract")
    if not is_name(name):
        raise ReleaseError(f"{name!r} cannot be the name of a file")
    check_extract(extract)
    if "://" in src and not is_url(src):
        raise ReleaseError(f"{shown_url(src)} must be a http, https or file URL, or a path")
    return {
        "src": src,
        "checksum": parse_checksum(entry["checksum"], src),
        "extract": extract,
        "check_arguments": entry.get("check_arguments"),
        "check_output": entry.get("check_output"),
    }


def check_extract(extract: str | None) -> None:
    """Raise ReleaseError for what cannot be the path of a file in an archive."""
    if extract is not None and (extract.startswith("/") or ".." in extract.split("/")):
        raise ReleaseError(f"extract {extract!r} must be the path of a file inside the archive")


@reads_foreign
def parse_checksum(value: object, src: str) -> str:
    """Return a checksum in the form ``sha256:<hex>``; raise ReleaseError for any other kind."""
    checksum = str(value).strip().lower()
    if not _CHECKSUM.match(checksum):
        raise ReleaseError(
            f"the checksum {value!r} of {shown_url(src)} is not of the form sha256:<64 hexadecimal digits>"
        )
    return checksum


def wrong_checksum(src: str, expected: str, actual: str) -> ReleaseError:
    """Return the error for a source that is not what the inventory says."""
    return ReleaseError(
        f"the checksum of {shown_url(src)} is wrong: expected {expected}, actual {actual}; nothing was installed"
    )


def masked(value: Any) -> Any:
    """Return arguments of any kind as they may be shown: URLs without names, passwords and queries."""
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return shown_url(value) if isinstance(value, str) else value
