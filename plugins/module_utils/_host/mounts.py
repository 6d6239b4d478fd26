# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads the table of mounts, ``/proc/self/mountinfo``."""

from __future__ import annotations

import re


def parse_mountinfo(text):
    """Return the mounts as [{mountpoint, device, fstype, options}] in the order in which they were mounted.

    ``options`` joins those of the mount and those of the filesystem, each once.
    """
    mounts = []
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if not separator or len(fields) < 6 or len(tail) < 3:
            continue
        options = []
        for option in fields[5].split(",") + tail[2].split(","):
            # A filesystem is rw while one of its mounts can be ro; the stricter one holds.
            if option not in options and not (option == "rw" and "ro" in options):
                options.append(option)
        if "ro" in options:
            options = [option for option in options if option != "rw"]
        mounts.append(
            {"mountpoint": _unescape(fields[4]), "device": _unescape(tail[1]), "fstype": tail[0], "options": options}
        )
    return mounts


def find_mount(mounts, path):
    """Return the mount that holds an absolute path without symbolic links, None when there is none."""
    found = None
    for mount in mounts:
        point = mount["mountpoint"]
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # Of two mounts on one place the later one is visible.
        if inside and (found is None or len(point) >= len(found["mountpoint"])):
            found = mount
    return found


def _unescape(text):
    """Undo the kernel's octal escapes of blanks and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)
