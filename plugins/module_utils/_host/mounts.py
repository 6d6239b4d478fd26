# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads the table of mounts, ``/proc/self/mountinfo``."""

from __future__ import annotations

import re
from typing import Iterable, TypedDict

from .._foreign import reads_foreign


class Mount(TypedDict):
    """A mounted filesystem; ``options`` are those of the mount and those of the filesystem, each once."""

    mountpoint: str | None
    device: str | None
    fstype: str | None
    options: list[str]


@reads_foreign
def parse_mountinfo(text: str) -> list[Mount]:
    """Return the mounts in the order in which they were mounted."""
    mounts: list[Mount] = []
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if not separator or len(fields) < 6 or len(tail) < 3:
            continue
        options: list[str] = []
        for option in fields[5].split(",") + tail[2].split(","):
            # A filesystem is rw while one of its mounts can be ro; the stricter one holds.
            if option not in options and not (option == "rw" and "ro" in options):
                options.append(option)
        if "emergency_ro" in options and "ro" not in options:
            # An ext4 after an error: since Linux 6.12 it keeps rw in the table, although nothing can be written.
            options.append("ro")
        if "ro" in options:
            options = [option for option in options if option != "rw"]
        mounts.append(
            {"mountpoint": _unescape(fields[4]), "device": _unescape(tail[1]), "fstype": tail[0], "options": options}
        )
    return mounts


@reads_foreign
def mount_of_id(text: str, mount_id: str) -> Mount | None:
    """Return the mount that the kernel knows by a number, such as that in /proc/PID/fdinfo; None when there is none."""
    lines = [line for line in text.splitlines() if line.partition(" ")[0] == mount_id]
    mounts = parse_mountinfo("\n".join(lines))
    return mounts[0] if mounts else None


def find_mount(mounts: Iterable[Mount], path: str) -> Mount | None:
    """Return the mount that holds an absolute path without symbolic links, None when there is none."""
    found, longest = None, -1
    for mount in mounts:
        point = mount["mountpoint"] or "/"
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # Of two mounts on one place the later one is visible.
        if inside and len(point) >= longest:
            found, longest = mount, len(point)
    return found


@reads_foreign
def bound_from_root(text: str, mountpoint: str | None) -> str | None:
    """Return the folder of the root filesystem that is bound to a place, None where that has a disk of its own."""
    fields = [line.partition(" - ")[0].split(" ") for line in text.splitlines()]
    rows = [(row[2], _unescape(row[3]), _unescape(row[4])) for row in fields if len(row) >= 6]
    shown = [(device, folder) for device, folder, point in rows if point == mountpoint]
    root = [(device, folder) for device, folder, point in rows if point == "/"]
    if not shown or not root or mountpoint == "/" or shown[-1][0] != root[-1][0]:
        return None
    above, folder = root[-1][1].rstrip("/"), shown[-1][1]
    # Beside the folder that is mounted as root there can be others, such as subvolumes.
    return folder[len(above) :] if folder.startswith(above + "/") and folder != above + "/" else None


def is_read_only(mount: Mount) -> bool:
    """Tell whether the options of a mount say that nothing can be written."""
    return "ro" in mount["options"]


def _unescape(text: str) -> str:
    """Undo the kernel's octal escapes of blanks and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)
