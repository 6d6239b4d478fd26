# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Files of a host, so much of them and no more, and nothing that is waited for. What cannot be read is unknown.

Others write these files. One that grows while it is read ends all the same, and a pipe in its place is not a file.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

from .._cpuset import CpuSetError, parse_cpu_list, parse_cpu_mask
from .parse import integer

MAX_FILE = 1024 * 1024
"""Bytes of a file whose content is returned; a larger one is no configuration file."""


def read_text(path: str | Path) -> str | None:
    """Return the text of a file, its first MAX_FILE characters at most; None when it cannot be read."""
    try:
        with io.TextIOWrapper(open_file(path), encoding="utf-8", errors="replace") as handle:
            return handle.read(MAX_FILE)
    except (OSError, ValueError):
        return None


def open_file(path: str | Path) -> BinaryIO:
    """Open a regular file for reading. A pipe in its place is not waited for: it is an OSError, as all else is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_bytes(path: str | Path, most: int) -> bytes:
    """Return a file's first bytes; raise OSError when it cannot be read."""
    with open_file(path) as handle:
        return handle.read(most)


def read_tail(path: str, most: int) -> bytes:
    """Return a file's last bytes; raise OSError when it cannot be read."""
    with open_file(path) as handle:
        handle.seek(max(0, handle.seek(0, os.SEEK_END) - most))
        return handle.read(most)


def why_unreadable(path: str) -> str | None:
    """Return why a file or folder that is there cannot be read, None where it can: what is forbidden is not absent."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error.strerror or str(error)
    return None


class Host:
    """The files below ``root``: those of this machine, or of a recorded one."""

    def __init__(self, root: str | Path = "/") -> None:
        self.root = Path(root)

    def path(self, name: str) -> Path:
        """Return where an absolute path of the host lies."""
        return self.root / name.lstrip("/")

    def read(self, name: str) -> str | None:
        """Return a file's content without surrounding blanks, None when it cannot be read."""
        text = read_text(self.path(name))
        return None if text is None else text.strip()

    def names(self, folder: str, pattern: str = "") -> list[str]:
        """Return the sorted names in a folder that match a regular expression."""
        try:
            return sorted(entry.name for entry in self.path(folder).iterdir() if re.match(pattern, entry.name))
        except OSError:
            return []

    def integer(self, name: str) -> int | None:
        """Return a file's content as a number, None when it is none."""
        return integer(self.read(name))

    def cpus(self, list_file: str, mask_file: str | None = None) -> frozenset[int] | None:
        """Return the CPUs of a list file or, on older kernels, of a mask file; None when neither can be read."""
        for name, parse in ((list_file, parse_cpu_list), (mask_file, parse_cpu_mask)):
            text = self.read(name) if name else None
            if text is None:
                continue
            try:
                return parse(text)
            except CpuSetError:
                continue
        return None
