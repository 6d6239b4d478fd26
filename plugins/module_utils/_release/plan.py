# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is to be done: a pure function of what is asked for and what is there."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, Sequence

from .read import There
from .request import Release, ReleaseError, WantedFile, is_url
from .versions import NO_MANIFEST, ManifestEntry, prune_candidates


class Steps(NamedTuple):
    """What a run does, each part empty when nothing is to be done.

    ``install`` has ``(release, names)``, ``prune`` ``(root, version)``, ``attributes`` and ``leftovers`` paths.
    """

    install: list[tuple[Release, list[str]]]
    attributes: list[str]
    prune: list[tuple[str, str]]
    leftovers: list[str]


def plan(releases: Sequence[Release], there: There, keep: int) -> Steps:
    """Return the steps from what is there to what is asked for, with ``keep`` other versions left in each root."""
    refuse(there.distrust)
    steps = Steps([], [], [], [])
    for release in releases:
        missing, attributes = _inspect(release, there)
        if missing:
            steps.install.append((release, missing))
        steps.attributes.extend(attributes)
    for path, root in sorted(there.roots.items()):
        steps.leftovers.extend(os.path.join(path, name) for name in root.leftovers)
        installed = {version: manifest.installed or 0 for version, manifest in root.versions.items()}
        wanted = [release["version"] for release in releases if release["root"] == path]
        candidates = prune_candidates(installed, wanted, keep)
        steps.prune.extend((path, version) for version in candidates if version not in root.used)
    return steps


def refuse(distrust: Sequence[str]) -> None:
    """Raise ReleaseError when there are reasons why others could change what is installed."""
    if distrust:
        raise ReleaseError(
            f"{'; '.join(distrust)}: others than root could replace what is installed there and what root relies on. "
            "Give each folder on the way back to root (chown root:root, chmod go-w), remove the versions below it that "
            "are not beyond doubt, and run again"
        )


def _inspect(release: Release, there: There) -> tuple[list[str], list[str]]:
    """Return ``(names of missing files, paths of files with wrong attributes)`` of one wanted version.

    Raises ReleaseError when the version is there with other content: programs that run name its path, and what a path
    means must not change under them.
    """
    folder = os.path.join(release["root"], release["version"])
    manifest = there.roots[release["root"]].versions.get(release["version"], NO_MANIFEST)
    missing, attributes = [], []
    for name, wanted in release["files"].items():
        path = os.path.join(folder, name)
        state = there.files[path]
        if state == "foreign":
            raise ReleaseError(
                f"{path} exists and was not installed by this collection; "
                f"move {folder} away, or choose another version or install folder"
            )
        entry = manifest.files.get(name)
        if entry and (entry["checksum"], entry["extract"]) != (wanted["checksum"], wanted["extract"]):
            raise ReleaseError(
                f"version {release['version']} is installed in {folder} with other content: {name} came from "
                f"{_origin(entry)} and {_origin(wanted)} is wanted now. A version never changes in place: give the new "
                "build a version of its own, or remove the folder once no program runs from it"
            )
        if state == "missing":
            missing.append(name)
        elif state == "attributes":
            attributes.append(path)
    return missing, attributes


def _origin(entry: ManifestEntry | WantedFile) -> str:
    return f"{entry['checksum']} ({entry['extract']})" if entry["extract"] else entry["checksum"]


def control_node_sources(steps: Steps) -> list[str]:
    """Return the sources, sorted, that a plan needs from the control node."""
    sources = {release["files"][name]["src"] for release, names in steps.install for name in names}
    return sorted(src for src in sources if not is_url(src))


def answer(releases: Sequence[Release], there: There, steps: Steps) -> dict[str, Any]:
    """Return what ``release`` answers when these steps are carried out, or would be."""
    return {
        "changed": any(steps),
        "installed": sorted(_path(release, name) for release, names in steps.install for name in names),
        "pruned": sorted(os.path.join(root, version) for root, version in steps.prune),
        "paths": {name: _path(release, name) for release in releases for name in release["files"]},
        "diff": {"before": listing_before(there, steps), "after": listing_after(there, steps)},
    }


def _path(release: Release, name: str) -> str:
    return os.path.join(release["root"], release["version"], name)


def listing_before(there: There, steps: Steps) -> str:
    """Return the lines for the diff before a plan: the files of every version below the roots, and what is wrong."""
    lines = []
    for path in sorted(there.roots):
        files = _files(there, path)
        for release, names in steps.install:
            for name in names if release["root"] == path else []:
                files.pop((release["version"], name), None)
        lines += _lines(path, files)
        lines += [f"{place}/ (left by an interrupted run)\n" for place in steps.leftovers if _in(place, path)]
        lines += [f"{place} (wrong mode or owner)\n" for place in steps.attributes if _in(place, path)]
    return "".join(lines)


def listing_after(there: There, steps: Steps) -> str:
    """Return the lines for the diff after a plan: the files of every version below the roots."""
    lines = []
    for path in sorted(there.roots):
        files = _files(there, path)
        for release, names in steps.install:
            for name in names if release["root"] == path else []:
                files[release["version"], name] = release["files"][name]["checksum"]
        pruned = {version for root, version in steps.prune if root == path}
        lines += _lines(path, {key: checksum for key, checksum in files.items() if key[0] not in pruned})
    return "".join(lines)


def _files(there: There, path: str) -> dict[tuple[str, str], str]:
    """Return the checksums of all files below a root by version and name."""
    return {
        (version, name): entry["checksum"]
        for version, manifest in there.roots[path].versions.items()
        for name, entry in manifest.files.items()
    }


def _lines(path: str, files: dict[tuple[str, str], str]) -> list[str]:
    return [f"{path}/{version}/{name} {checksum}\n" for (version, name), checksum in sorted(files.items())]


def _in(path: str, root: str) -> bool:
    return path.startswith(root + "/")
