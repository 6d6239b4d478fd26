# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Put files of ours in their places, each as a whole or not at all."""

from __future__ import annotations

import grp
import os
import stat
from typing import Any, Mapping, Sequence

from .._host.files import open_file
from .collect import write_file

#: Bytes of a former file that are compared and shown.
MAX_FILE = 16 * 1024 * 1024


class PlaceError(Exception):
    """A file that cannot be put in its place; the message says which and why."""


def place(files: Sequence[Mapping[str, Any]], check: bool) -> dict[str, Any]:
    """Write what differs, and return ``{changed, written, restarts, diff}``; in check mode only tell.

    Each file has ``path``, ``content`` (bytes), ``mode`` (octal digits), ``group``, ``restarts`` and ``secret``.
    """
    written: list[str] = []
    restarts: list[str] = []
    diffs: list[dict[str, str]] = []
    for file in files:
        path, mode = str(file["path"]), int(file["mode"], 8)
        before = _read(path)
        if before == (file["content"], mode):
            continue
        if not check:
            _put(path, file["content"], mode, file["group"])
        written.append(path)
        if file["restarts"] and file["restarts"] not in restarts:
            restarts.append(file["restarts"])
        diffs.append(_diff(file, path, before[0] if before else b""))
    return {"changed": bool(written), "written": written, "restarts": restarts, "diff": diffs}


def _read(path: str) -> tuple[bytes, int] | None:
    try:
        with open_file(path) as handle:
            return handle.read(MAX_FILE), stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
    except OSError:
        return None


def _put(path: str, content: bytes, mode: int, group: str) -> None:
    try:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        write_file(path, content, mode, 0 if group == "root" else grp.getgrnam(group).gr_gid)
    except (OSError, KeyError) as error:
        raise PlaceError(f"{path} cannot be written: {error}") from error


def _diff(file: Mapping[str, Any], path: str, before: bytes) -> dict[str, str]:
    texts = []
    for content in (before, file["content"]):
        try:
            text = "" if not content else "<not shown>\n" if file["secret"] else content.decode()
        except UnicodeDecodeError:
            text = f"<{len(content)} bytes>\n"
        texts.append(text)
    return {"before_header": path, "after_header": path, "before": texts[0], "after": texts[1]}
