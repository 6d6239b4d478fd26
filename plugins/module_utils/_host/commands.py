# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Runs commands of a host with a limit on their time and output. Neither one that hangs outlives it, nor its children.

This is the only place where commands run, but for the trial of a new binary, which has fewer rights.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from typing import Callable, Sequence, Tuple

Answer = Tuple[int, str, str]
"""Status, standard output and standard error."""

Run = Callable[[Sequence[str], float], Answer]
"""What runs a command, such as :func:`run_command`; raises CommandError when there is no answer."""

MAX_OUTPUT = 16 * 1024 * 1024
"""Bytes that a command may write: far more than the rules of a large packet filter, which are the longest answer."""

FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class CommandError(Exception):
    """A command that could not be run to its end; the message says why."""


class CommandTimeoutError(CommandError):
    """A command that did not end in time."""


def find_program(name: str) -> str | None:
    """Return the path of a program, None when it is not installed. PATH may lack the folders of administrators."""
    folders = [*os.environ.get("PATH", "").split(":"), *FOLDERS]
    return shutil.which(name, path=":".join(folder for folder in folders if folder))


def run_command(argv: Sequence[str], timeout: float, most: int = MAX_OUTPUT) -> Answer:
    """Run a command and return (status, stdout, stderr).

    Raises CommandError when it cannot start, does not end within ``timeout`` seconds, which all of it together gets, or
    writes more than ``most`` bytes.
    """
    try:
        # A session of its own, so that children which the command leaves behind are ended with it.
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise CommandError(f"{argv[0]} cannot be run: {getattr(error, 'strerror', None) or error}") from error
    try:
        stdout, stderr = _outputs(process, timeout, most)
    except subprocess.TimeoutExpired as error:
        _end(process)
        raise CommandTimeoutError(f"{' '.join(argv[:3])} did not end within {timeout} s") from error
    except CommandError as error:
        _end(process)
        raise CommandError(f"{' '.join(argv[:3])} {error}") from error
    finally:
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
    return process.returncode, _text(stdout), _text(stderr)


def _outputs(process: subprocess.Popen[bytes], timeout: float, most: int) -> tuple[bytes, bytes]:
    """Return what a command writes until it ends."""
    end = time.monotonic() + timeout
    stdout, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe, written in ((process.stdout, stdout), (process.stderr, stderr)):
            if pipe:
                selector.register(pipe.fileno(), selectors.EVENT_READ, written)
        while selector.get_map():
            left = end - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(process.args, timeout)
            for key, _events in selector.select(left):
                chunk = os.read(key.fd, 65536)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fd)
            if len(stdout) + len(stderr) > most:
                raise CommandError(f"wrote more than {most} bytes")
    process.wait(max(0.0, end - time.monotonic()))
    return bytes(stdout), bytes(stderr)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and its children."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    # A process that waits for a device inside the kernel does not even die of SIGKILL; do not wait for it.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
