# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The serial numbers of the devices under filesystems, by which a disk is found in its rack."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .._foreign import reads_foreign
from .._host.files import read_text

_SERIAL = re.compile(r"[\w.+ -]{1,64}")


def serial_of(device: str | None) -> str:
    """Return the serial number of a device such as ``/dev/nvme0n1p1``; empty where nobody tells it."""
    try:
        # The device's own file: a disk that does not answer is not asked.
        number = os.stat(device or "").st_rdev
    except (OSError, ValueError):
        return ""
    return device_serial(os.major(number), os.minor(number)) if number else ""


def device_serial(major: int, minor: int, root: str = "/") -> str:
    """Return the serial number of a block device or of the disk that it is a part of."""
    device = Path(root) / f"sys/dev/block/{major}:{minor}"
    if not device.exists():
        return ""
    resolved = device.resolve()
    disk = resolved.parent if (resolved / "partition").exists() else resolved
    own = read_text(disk / "device/serial")
    if own and _SERIAL.fullmatch(own.strip()):
        return own.strip()
    numbers = (read_text(disk / "dev") or "").strip()
    return parse_udev(read_text(Path(root) / f"run/udev/data/b{numbers}") or "") if numbers else ""


@reads_foreign
def parse_udev(text: str) -> str:
    """Return the serial number in udev's notes about a disk, empty where there is none."""
    known = dict(line[2:].partition("=")[::2] for line in text.split("\n") if line.startswith("E:") and "=" in line)
    serial = (known.get("ID_SERIAL_SHORT") or known.get("ID_SERIAL") or "").strip()
    return serial if _SERIAL.fullmatch(serial) else ""
