# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's artifact so that the same commit always gives the same bytes.

artifact.py FOLDER [CHECKOUT]     writes FOLDER/autonomys-cluster-VERSION.tar.gz

``ansible-galaxy collection build`` lists the files in the order of the folder's entries on the disk and packs them with
the times of the checkout. So its artifact is packed again: the lists in order, the files too, everything root's and as
old as the commit.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

LISTS = ("MANIFEST.json", "FILES.json")
SECONDS = 300


def run(line: list[str], folder: Path) -> str:
    """Return what a command prints; what it says about an error goes to the terminal."""
    done = subprocess.run(line, cwd=folder, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS)
    return done.stdout.strip()


def as_json(content: object) -> bytes:
    """Return JSON as ansible-galaxy writes it."""
    return json.dumps(content, indent=True).encode()


def in_order(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of an artifact with its two lists first, whose contents do not depend on the disk."""
    listed = json.loads(files["FILES.json"])
    listed["files"].sort(key=lambda entry: entry["name"])
    content = as_json(listed)
    manifest = json.loads(files["MANIFEST.json"])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(content).hexdigest()
    rest = {name: files[name] for name in sorted(files) if name not in LISTS}
    return {"MANIFEST.json": as_json(manifest), "FILES.json": content, **rest}


def pack(files: dict[str, bytes], programs: set[str], seconds: int) -> bytes:
    """Return a packed archive of files, all of the same owner and time; programs stay executable."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        folders: set[str] = set()
        for name, content in files.items():
            for folder in reversed([str(parent) for parent in Path(name).parents][:-1]):
                if folder not in folders:
                    folders.add(folder)
                    entry = tarfile.TarInfo(folder)
                    entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, seconds
                    tar.addfile(entry)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o755 if name in programs else 0o644, seconds
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(archive.getvalue(), mtime=0)


def repack(built: Path, seconds: int) -> bytes:
    """Return the artifact that ansible-galaxy has built with bytes that depend on nothing but its files and a time."""
    files, programs = {}, set()
    with tarfile.open(built) as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            if content:
                files[entry.name] = content.read()
                if entry.mode & 0o100:
                    programs.add(entry.name)
    return pack(in_order(files), programs, seconds)


def commit_time(checkout: Path) -> int:
    """Return when the last commit was made."""
    return int(run(["git", "log", "-1", "--format=%ct"], checkout))


def build(checkout: Path, folder: Path, seconds: int) -> Path:
    """Build the artifact of a checkout, with files of that time, into a folder, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        run(["ansible-galaxy", "collection", "build", "--output-path", place, str(checkout.resolve())], Path(place))
        [built] = Path(place).glob("*.tar.gz")
        artifact = folder / built.name
        artifact.write_bytes(repack(built, seconds))
    return artifact


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    where = Path(sys.argv[2] if len(sys.argv) == 3 else ".")
    print(build(where, Path(sys.argv[1]), commit_time(where)))
