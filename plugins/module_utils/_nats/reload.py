# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Letting a running server take its new configuration, or putting the former one back.

A server that cannot take one setting at run time refuses the whole file, and says so in its log only.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from typing import Callable

from .._foreign import reads_foreign
from .._host.files import open_file

LOOK_S = 0.2
MAX_LOG = 65536
_MAX_WORDS = 300
_REFUSED = re.compile(r"\[ERR\] (.*reload.*)", re.IGNORECASE)


class ReloadError(Exception):
    """The server did not take its configuration; the text says why and what was done."""


def reload(
    load_time: Callable[[], str | None],
    signal: Callable[[], None],
    log: str | None,
    path: str,
    running: str,
    patience: float = 10.0,
) -> str:
    """Let a server read ``path`` again and return when it did, in its own notation.

    ``load_time`` asks when it last read its configuration, ``signal`` tells it to, ``log`` is where it writes.
    ``running`` is a copy of what it has read: the new one when it takes that, else what ``path`` becomes again.
    """
    before, end_of_log = load_time(), _size(log)
    signal()
    deadline = time.monotonic() + patience
    while True:
        now = load_time()
        if now not in (None, before):
            copy(path, running)
            return str(now)
        if time.monotonic() > deadline:
            break
        time.sleep(LOOK_S)
    why = refusal(_read(log, end_of_log))
    words = f"nats-server did not take its new configuration within {patience:g} s{': ' + why if why else ''}"
    if not os.path.exists(running):
        raise ReloadError(
            f"{words}. It runs on with the one that it has read; {path} is the new one. "
            "Correct the setting and run again"
        )
    copy(running, path)
    raise ReloadError(
        f"{words}. {path} is the former one again, with which the server runs on. Correct the setting and run again"
    )


@reads_foreign
def refusal(text: str) -> str | None:
    """Return the last reason in a log why a configuration was not taken."""
    found = _REFUSED.findall(text)
    return found[-1].strip()[:_MAX_WORDS] if found else None


def copy(source: str, target: str) -> None:
    """Put a copy with the same owner and mode in the place of a file; whoever reads it sees the old or the new one."""
    found = os.stat(source)
    descriptor, partial = tempfile.mkstemp(prefix=f".{os.path.basename(target)}.", dir=os.path.dirname(target))
    try:
        with open(source, "rb") as read, os.fdopen(descriptor, "wb") as written:
            shutil.copyfileobj(read, written)
            written.flush()
            os.fchown(written.fileno(), found.st_uid, found.st_gid)
            os.fchmod(written.fileno(), found.st_mode & 0o7777)
            os.fsync(written.fileno())
        os.rename(partial, target)
    except BaseException:
        os.unlink(partial)
        raise


def _size(path: str | None) -> int:
    try:
        return os.stat(path or "").st_size
    except OSError:
        return 0


def _read(path: str | None, start: int) -> str:
    """Return what was written into a log since; one that was begun anew is read from its beginning."""
    try:
        with open_file(path or "") as handle:
            end = handle.seek(0, os.SEEK_END)
            handle.seek(max(start if start <= end else 0, end - MAX_LOG))
            return handle.read(MAX_LOG).decode("utf-8", "replace")
    except OSError:
        return ""
