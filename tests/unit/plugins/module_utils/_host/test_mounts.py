# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.mounts import (
    find_mount,
    is_read_only,
    mount_of_id,
    parse_mountinfo,
)

MOUNTINFO = """\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
23 22 0:21 / /sys rw,nosuid - sysfs sysfs rw
40 22 259:1 / /mnt/nvme0 rw,noatime shared:2 master:3 - ext4 /dev/nvme0n1 rw,stripe=32
41 22 259:2 / /mnt/a\\040disk ro,relatime - xfs /dev/nvme1n1 rw
42 22 259:3 / /mnt/broken rw,relatime - ext4 /dev/nvme2n1 ro
43 22 0:50 / /mnt/nvme1 rw - tmpfs tmpfs rw
44 43 259:4 /farms /mnt/nvme1 rw - ext4 /dev/nvme3n1 rw
this line is damaged
"""


def test_mountinfo():
    mounts = parse_mountinfo(MOUNTINFO)
    assert len(mounts) == 7
    assert mounts[2] == {
        "mountpoint": "/mnt/nvme0",
        "device": "/dev/nvme0n1",
        "fstype": "ext4",
        "options": ["rw", "noatime", "stripe=32"],
    }
    assert (mounts[3]["mountpoint"], mounts[3]["options"]) == ("/mnt/a disk", ["ro", "relatime"])
    assert mounts[4]["options"] == ["relatime", "ro"]


@pytest.mark.parametrize(
    "path, device",
    [
        ("/", "/dev/sda2"),
        ("/srv/farm", "/dev/sda2"),
        ("/mnt/nvme0", "/dev/nvme0n1"),
        ("/mnt/nvme0/farm", "/dev/nvme0n1"),
        ("/mnt/nvme00", "/dev/sda2"),
        ("/mnt/nvme1/x", "/dev/nvme3n1"),
    ],
)
def test_find_mount(path, device):
    assert find_mount(parse_mountinfo(MOUNTINFO), path)["device"] == device


def test_no_mount():
    assert find_mount([], "/x") is None


def test_the_mount_of_a_number():
    assert mount_of_id(MOUNTINFO, "42")["device"] == "/dev/nvme2n1"
    assert mount_of_id(MOUNTINFO, "4") is None


@pytest.mark.parametrize(
    ("options", "read_only"),
    [
        ("rw - ext4 /dev/x rw,errors=remount-ro", False),
        ("rw - ext4 /dev/x ro", True),
        ("ro - ext4 /dev/x rw", True),
        ("rw - ext4 /dev/x rw,errors=remount-ro,emergency_ro", True),
        ("rw - btrfs /dev/x rw,rescue=usebackuproot", False),
    ],
)
def test_read_only(options, read_only):
    [mount] = parse_mountinfo(f"60 22 259:4 / /mnt/farm1 {options}")
    assert is_read_only(mount) == read_only
    assert not (read_only and "rw" in mount["options"])
