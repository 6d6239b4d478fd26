# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Versions below a root: how they are noted, which of them may go, and which are named by a text."""

from __future__ import annotations

import json
import re
from typing import Collection, Iterable, Mapping, NamedTuple, TypedDict

from .._foreign import reads_foreign

MANIFEST = ".release.json"
"""Name of the file in a version's folder that holds what was asked for and what lay on the disk then."""

PARTIAL = ".partial-"
PRUNED = ".pruned-"


class ManifestEntry(TypedDict):
    """What the manifest notes of an installed file."""

    checksum: str
    extract: str | None
    sha256: str
    size: int
    mtime_ns: int


class Manifest(NamedTuple):
    """The files of a version by name, and when it was installed, in seconds since the epoch, None when unknown."""

    files: dict[str, ManifestEntry]
    installed: float | None


NO_MANIFEST = Manifest({}, None)


@reads_foreign
def parse_manifest(text: str) -> Manifest:
    """Return what a manifest says; `NO_MANIFEST` for a text that is none."""
    try:
        manifest = json.loads(text)
        files = {name: _entry(found) for name, found in manifest["files"].items()}
        return Manifest(files, float(manifest["installed"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return NO_MANIFEST


def _entry(found: Mapping[str, object]) -> ManifestEntry:
    checksum, extract, sha256 = found["checksum"], found["extract"], found["sha256"]
    size, mtime_ns = found["size"], found["mtime_ns"]
    if not isinstance(checksum, str) or not isinstance(sha256, str) or not isinstance(extract, (str, type(None))):
        raise TypeError("no text")
    if not isinstance(size, int) or not isinstance(mtime_ns, int):
        raise TypeError("no number")
    return {"checksum": checksum, "extract": extract, "sha256": sha256, "size": size, "mtime_ns": mtime_ns}


def manifest_text(manifest: Manifest) -> str:
    """Return a manifest as it is written."""
    return json.dumps({"installed": manifest.installed, "files": manifest.files}, indent=1, sort_keys=True)


def is_leftover(name: str) -> bool:
    """Return whether an interrupted run left the folder of that name in a root."""
    return name.startswith((PARTIAL, PRUNED))


def prune_candidates(versions: Mapping[str, float], wanted: Collection[str], keep: int) -> list[str]:
    """Return the versions beyond the ``keep`` latest ones besides the wanted, oldest first."""
    others = sorted(set(versions) - set(wanted), key=lambda version: (versions[version], version))
    return others[: max(len(others) - keep, 0)]


def references(texts: Iterable[str], root: str, versions: Collection[str]) -> set[str]:
    """Return those versions whose folder is named in one of the texts."""
    if not versions:
        return set()
    names = "|".join(re.escape(version) for version in versions)
    pattern = re.compile(f"{re.escape(root)}/({names})(?![A-Za-z0-9._+~-])")
    return {match for text in texts for match in pattern.findall(text)}
