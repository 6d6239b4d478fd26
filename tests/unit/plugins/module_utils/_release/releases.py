# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of releases share: requests, sources, archives, and installing them."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._release.install import Installer
from ansible_collections.autonomys.cluster.plugins.module_utils._release.plan import plan
from ansible_collections.autonomys.cluster.plugins.module_utils._release.read import read_there
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import normalise
from ansible_collections.autonomys.cluster.plugins.module_utils._release.versions import MANIFEST

UID, GID = os.getuid(), os.getgid()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def nothing_in_use():
    return []


class Web:
    """Sources by URL, with the requests that were made."""

    def __init__(self, **sources):
        self.sources = {f"https://x/{name}": data for name, data in sources.items()}
        self.requests = []

    def __call__(self, url, write):
        self.requests.append(url)
        data = self.sources[url]
        for start in range(0, len(data), 7):
            write(data[start : start + 7])


def wanted(root, version="v1", **files):
    return normalise(
        [
            {
                "root": str(root),
                "version": version,
                "files": [
                    {"name": name, "src": f"https://x/{name}", "checksum": sha(data)} for name, data in files.items()
                ],
            }
        ]
    )


def run(releases, web, keep=2, in_use=nothing_in_use):
    return Installer(web, UID, GID).run(releases, keep, in_use)


def install(root, version, keep=2, in_use=nothing_in_use, **files):
    releases = wanted(root, version, **files)
    return run(releases, Web(**files), keep, in_use)


def tree(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(Path(root).rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def archive(path, **members):
    """Write a tar.gz; a member is bytes, or a TarInfo for what is no file."""
    with tarfile.open(path, "w:gz") as handle:
        for name, member in members.items():
            if isinstance(member, tarfile.TarInfo):
                handle.addfile(member)
            else:
                info = tarfile.TarInfo(name.replace("__", "/"))
                info.size = len(member)
                handle.addfile(info, io.BytesIO(member))
    return path


def planned(releases, keep=2, in_use=nothing_in_use):
    """What a run would do now."""
    return plan(releases, read_there(releases, keep, UID, in_use), keep)
