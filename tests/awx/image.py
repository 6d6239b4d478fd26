# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the execution environment of execution-environment.yml, without a registry, and print the image's name.

The base image is made of the distribution's packages by mmdebstrap, and has the Python wheels in a folder, for the same
version of Python as runs this; ansible-builder makes the context; the engine builds it without a network. Root only.
Both images are named by what they are made from.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/hosts"))
TOOLS = Path(sys.executable).parent
CONTEXT = REPOSITORY / "build/ee"
PACKAGES = "python3,python3-pip,python3-venv,git,openssh-client,sshpass,ca-certificates"
# What ansible-builder installs beside requirements.txt.
WHEELS = ["ansible-runner>=2.4", "bindep", "pyyaml", "packaging", "dumb-init==1.2.5", "setuptools", "wheel"]
SUITE = os.environ.get("TEST_IMAGE_SUITE", "bookworm")
SECONDS = 1800


def run(*command: str | Path, **options: object) -> str:
    """Run a command and return what it printed; a failure ends this program with all of it."""
    environment = dict(os.environ, **{name: str(value) for name, value in options.items()})
    done = subprocess.run(
        [str(word) for word in command],
        cwd=REPOSITORY,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-6000:]}")
    return done.stdout


def content(name: str) -> str:
    """Return the text of a file of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def digest(*parts: str) -> str:
    """Return a name for what an image is made from."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def base(name: str) -> None:
    """Build the base image."""
    with tempfile.TemporaryDirectory(dir=REPOSITORY / "build") as folder:
        wheels, target = Path(folder) / "wheels", Path(folder) / "image.tar"
        run(TOOLS / "pip", "download", "--dest", wheels, "-r", "requirements.txt", *WHEELS)
        run(
            *("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PACKAGES}", "--quiet"),
            *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
            *("--dpkgopt=path-exclude=/usr/share/locale/*", f"--customize-hook=copy-in {wheels} /opt"),
            *(SUITE, target),
            SOURCE_DATE_EPOCH=0,
        )
        settings = ("ENV PIP_NO_INDEX=1", "ENV PIP_FIND_LINKS=/opt/wheels", "ENV PIP_ROOT_USER_ACTION=ignore")
        run("docker", "import", *(word for each in settings for word in ("--change", each)), target, name)


def main() -> None:
    """Build both images where they are missing."""
    from hosts import ensure_engine

    # The image's name is all that goes to the standard output.
    with contextlib.redirect_stdout(sys.stderr):
        ensure_engine()
    base_name = f"autonomys-ee-base:{digest(PACKAGES, *WHEELS, SUITE, content('requirements.txt'))}"
    name = f"autonomys-ee:{digest(base_name, content('execution-environment.yml'), content('bindep.txt'))}"
    if not run("docker", "images", "--quiet", base_name):
        (REPOSITORY / "build").mkdir(exist_ok=True)
        base(base_name)
    if not run("docker", "images", "--quiet", name):
        run(TOOLS / "ansible-builder", "create", "-c", CONTEXT, "--output-filename", "Containerfile")
        run(
            *("docker", "build", "--network=none", "--file", CONTEXT / "Containerfile", "--tag", name),
            *("--build-arg", f"EE_BASE_IMAGE={base_name}", CONTEXT),
            # Its newer way to build wants images from a registry.
            DOCKER_BUILDKIT=0,
        )
    print(name)


if __name__ == "__main__":
    main()
