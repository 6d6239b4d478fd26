# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection awx.awx 24.6.1, which is not on PyPI by itself: taken out of the wheel `ansible`."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache/awx"
WHEEL, VERSION = "ansible==12.3.0", "24.6.1"
FOLDER = "ansible_collections/awx/awx/"


def awx_awx() -> Path:
    """Return the folder of collections that has it, filled where it is not there yet."""
    collections = CACHE / "collections"
    CACHE.mkdir(parents=True, exist_ok=True)
    lock = os.open(CACHE, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = collections / FOLDER / "MANIFEST.json"
        if not manifest.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                subprocess.run(
                    [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL],
                    check=True,
                )
                [wheel] = Path(folder).glob("*.whl")
                with zipfile.ZipFile(wheel) as archive:
                    names = [name for name in archive.namelist() if name.startswith(FOLDER)]
                    # Last, since it is what tells that all is there.
                    names.sort(key=lambda name: name == FOLDER + "MANIFEST.json")
                    archive.extractall(collections, names)
        assert f'"version": "{VERSION}"' in manifest.read_text(encoding="utf-8")
    finally:
        os.close(lock)
    return collections
