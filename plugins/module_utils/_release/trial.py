# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Running a program once, to see that this machine can: with few rights, in an empty folder, for a short time."""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
from typing import Sequence

from .request import ReleaseError

TIMEOUT = 30
"""Seconds after which a program counts as one that does something else than to tell its version."""

MAX_WRITTEN = 1024 * 1024
"""Bytes that a program may write into a file, its output being one."""

_GOOD = (0, 2)
_SHOWN = 300


def try_program(path: str, name: str, arguments: Sequence[str], output: str | None, user: pwd.struct_passwd) -> None:
    """Run a program as a user; raise ReleaseError when it does not end well or does not print what it must.

    It may end with status 2 too: that is what a program answers that does not know the arguments.
    """
    folder = tempfile.mkdtemp()
    try:
        if os.geteuid() == 0:
            os.chown(folder, user.pw_uid, user.pw_gid)
        with tempfile.TemporaryFile() as written:
            status = _run([path, *arguments], user, folder, written.fileno(), name)
            written.seek(0)
            text = written.read(MAX_WRITTEN).decode("utf-8", "replace")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    command = " ".join([name, *arguments])
    if status not in _GOOD:
        ended = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise ReleaseError(f"{command} {ended}, so this machine cannot run it{_said(text)}; nothing was installed")
    if output and output not in text:
        raise ReleaseError(
            f"{command} does not tell {output}, so it is another version{_said(text)}; nothing was installed"
        )


def _said(text: str) -> str:
    words = " ".join(text.split())[:_SHOWN]
    return f" ({words})" if words else ""


def _run(command: Sequence[str], user: pwd.struct_passwd, folder: str, output: int, name: str) -> int:
    """Return the status of a command, negative for a signal; nothing of it outlives the time."""

    def become() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN, MAX_WRITTEN))
        if os.geteuid() == 0:
            os.initgroups(user.pw_name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)

    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": folder},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=become,
        )
    except (OSError, subprocess.SubprocessError) as error:
        words = getattr(error, "strerror", None) or error
        raise ReleaseError(f"{name} cannot be run as {user.pw_name}: {words}; nothing was installed") from error
    try:
        return process.wait(TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(
            f"{' '.join([name, *command[1:]])} did not end within {TIMEOUT} s; nothing was installed"
        ) from error
    finally:
        # Also what it left behind when it ended by itself.
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
