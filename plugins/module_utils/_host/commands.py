# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Runs commands of a host with a limit on their time. Neither one that hangs outlives it, nor children of one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from typing import Callable, Sequence, Tuple

Answer = Tuple[int, str, str]
"""Status, standard output and standard error."""

Run = Callable[[Sequence[str], float], Answer]
"""What runs a command, such as :func:`run_command`; raises CommandError when there is no answer."""

FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class CommandError(Exception):
    """A command that could not be run to its end; the message says why."""


class CommandTimeoutError(CommandError):
    """A command that did not end in time."""


def find_program(name: str) -> str | None:
    """Return the path of a program, None when it is not installed. PATH may lack the folders of administrators."""
    folders = [*os.environ.get("PATH", "").split(":"), *FOLDERS]
    return shutil.which(name, path=":".join(folder for folder in folders if folder))


def run_command(argv: Sequence[str], timeout: float) -> Answer:
    """Run a command and return (status, stdout, stderr).

    Raises CommandError when it cannot start or does not end within ``timeout`` seconds, which all of it together gets.
    """
    try:
        # A session of its own, so that children which the command leaves behind are ended with it.
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise CommandError(f"{argv[0]} cannot be run: {getattr(error, 'strerror', None) or error}") from error
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        # A process that waits for a device inside the kernel does not even die of SIGKILL; do not wait for it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=1)
        raise CommandTimeoutError(f"{' '.join(argv[:3])} did not end within {timeout} s") from error
    return process.returncode, stdout, stderr
