# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serial numbers of disks, by a copy of what the kernel and udev show."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.serials import (
    device_serial,
    parse_udev,
    serial_of,
)


@pytest.fixture
def root(tmp_path):
    """A host with an NVMe disk in two parts, a SATA disk and a loop device."""
    for disk, number, parts in (("nvme0n1", "259:0", {"nvme0n1p1": "259:1"}), ("sda", "8:0", {}), ("loop3", "7:3", {})):
        folder = tmp_path / "sys/devices/x" / disk
        folder.mkdir(parents=True)
        (folder / "dev").write_text(number + "\n")
        for part, own in parts.items():
            (folder / part).mkdir()
            (folder / part / "partition").write_text("1\n")
            (folder / part / "dev").write_text(own + "\n")
            link(tmp_path, own, folder / part)
        link(tmp_path, number, folder)
    (tmp_path / "sys/devices/x/nvme0n1/device").mkdir()
    (tmp_path / "sys/devices/x/nvme0n1/device/serial").write_text("S5GXNX0T123456      \n")
    (tmp_path / "run/udev/data").mkdir(parents=True)
    (tmp_path / "run/udev/data/b8:0").write_text("S:disk/by-id/x\nE:ID_SERIAL=Model_WD-1\nE:ID_SERIAL_SHORT=WD-1\n")
    return str(tmp_path)


def link(root, number, target):
    place = root / "sys/dev/block" / number
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


@pytest.mark.parametrize(
    ("major", "minor", "serial"),
    [(259, 0, "S5GXNX0T123456"), (259, 1, "S5GXNX0T123456"), (8, 0, "WD-1"), (7, 3, ""), (9, 9, "")],
)
def test_serials(root, major, minor, serial):
    assert device_serial(major, minor, root) == serial


def test_what_is_no_device_has_none():
    assert [serial_of(device) for device in (None, "", "/nowhere", "/", "a\0b")] == [""] * 5


def test_a_serial_number_is_a_word():
    assert parse_udev('E:ID_SERIAL=a"b\n') == "" and parse_udev("E:ID_SERIAL=ab\n") == "ab"
