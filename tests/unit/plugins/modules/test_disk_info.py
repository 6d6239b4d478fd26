# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.mounts import find_mount, parse_mountinfo
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import SectorsError, farm_files, max_sectors
from ansible_collections.autonomys.cluster.plugins.modules import disk_info

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


def answer(path, user="root", **arguments):
    params = {"paths": [str(path)], "user": user, "pieces_in_sector": 1000, "margin_bytes": 0, **arguments}
    return disk_info.run_module(params)["disks"][str(path)]


def test_folder(tmp_path):
    found = answer(tmp_path)
    space = os.statvfs(tmp_path)
    assert (found["exists"], found["is_mountpoint"], found["read_only"], found["existing_plot_bytes"]) == (
        True,
        False,
        False,
        0,
    )
    assert tmp_path.is_relative_to(found["mountpoint"])
    assert found["size"] == space.f_blocks * space.f_frsize
    assert found["fstype"] and found["device"] and "rw" in found["options"]
    assert found["max_sectors"] == max_sectors(found["available"])


def test_mountpoint_and_link_to_it(tmp_path):
    link = tmp_path / "proc"
    link.symlink_to("/proc")
    for path in ("/proc", link):
        found = answer(path)
        assert (found["mountpoint"], found["is_mountpoint"], found["fstype"]) == ("/proc", True, "proc")


def test_path_that_does_not_exist(tmp_path):
    found = answer(tmp_path / "not" / "there")
    # What is free changes while others write; the rest tells whose it is.
    assert (found["exists"], found["is_mountpoint"], found["max_sectors"]) == (
        False,
        False,
        max_sectors(found["available"]),
    )
    assert [found[key] for key in ("mountpoint", "device", "size")] == [
        answer(tmp_path)[key] for key in ("mountpoint", "device", "size")
    ]


def test_existing_plot_counts(tmp_path):
    for name in ("plot.bin", "metadata.bin", "other.bin"):
        (tmp_path / name).write_bytes(b"x" * 8192)
    assert answer(tmp_path)["existing_plot_bytes"] == 16384


def test_holes_of_a_sparse_plot_are_not_counted_twice(tmp_path):
    with (tmp_path / "plot.bin").open("wb") as handle:
        handle.truncate(farm_files(500)["plot.bin"])
    found = answer(tmp_path)
    assert found["existing_plot_bytes"] == farm_files(500)["plot.bin"]
    assert found["max_sectors"] == max_sectors(found["available"])


@pytest.mark.parametrize(
    "user, field", [("root", "f_bfree"), ("0", "f_bfree"), ("nobody", "f_bavail"), ("not-yet-there", "f_bavail")]
)
def test_blocks_kept_back_for_root(tmp_path, monkeypatch, user, field):
    class Space:
        f_frsize, f_blocks, f_bfree, f_bavail, f_flag = 4096, 1000, 300, 200, 0

    monkeypatch.setattr(disk_info.os, "statvfs", lambda path: Space)
    assert answer(tmp_path, user)["available"] == 4096 * getattr(Space, field)


def test_margin_and_pieces(tmp_path):
    found = answer(tmp_path, pieces_in_sector=1, margin_bytes=1 << 20)
    assert found["max_sectors"] == max_sectors(found["available"], 0, 1, 1 << 20)


def test_relative_path_is_refused():
    with pytest.raises(SectorsError, match="the path farm is not absolute"):
        answer(Path("farm"))


def test_farm(tmp_path):
    assert answer(tmp_path)["farm"] is None
    (tmp_path / "identity.bin").write_bytes(b"secret")
    assert answer(tmp_path)["farm"] == {
        "id": None,
        "genesis_hash": None,
        "identity": hashlib.sha256(b"secret").hexdigest()[:16],
    }
    description = {
        "v0": {"id": "01JB", "genesisHash": "66455a58", "publicKey": "00", "piecesInSector": 1000, "allocatedSpace": 1}
    }
    (tmp_path / "single_disk_farm.json").write_text(json.dumps(description))
    assert answer(tmp_path)["farm"] == {
        "id": "01JB",
        "genesis_hash": "66455a58",
        "identity": hashlib.sha256(b"secret").hexdigest()[:16],
    }
    for damage in ("", "{", "[1]", '{"v0": 1}', "{}"):
        (tmp_path / "single_disk_farm.json").write_text(damage)
        assert answer(tmp_path)["farm"]["id"] is None


def test_direct_access(tmp_path, monkeypatch):
    assert answer(tmp_path)["direct_io"] is None
    (tmp_path / "plot.bin").write_bytes(b"x" * 4096)
    assert answer(tmp_path)["direct_io"] in (True, False)
    opened = os.open

    def refuse(path, flags, *more):
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return opened(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    assert answer(tmp_path)["direct_io"] is False


def test_a_disk_that_does_not_answer_costs_the_limit_and_hides_no_other(tmp_path, monkeypatch):
    dead, alive = tmp_path / "dead", tmp_path / "alive"
    for folder in (dead, alive):
        folder.mkdir()
    statvfs = os.statvfs

    def hang(path):
        if path == str(dead):
            time.sleep(60)
        return statvfs(path)

    monkeypatch.setattr(os, "statvfs", hang)
    start = time.monotonic()
    params = {
        "paths": [str(dead), str(alive)],
        "user": "root",
        "pieces_in_sector": 1000,
        "margin_bytes": 0,
        "timeout": 3,
    }
    disks = disk_info.run_module(params)["disks"]
    # The disk itself would take a minute.
    assert time.monotonic() - start < 30
    assert disks[str(dead)]["error"] == "it does not answer within 3 s"
    assert (disks[str(dead)]["exists"], disks[str(dead)]["max_sectors"], disks[str(dead)]["size"]) == (None, None, None)
    assert disks[str(dead)]["mountpoint"] == disks[str(alive)]["mountpoint"]
    assert disks[str(alive)]["error"] is None and disks[str(alive)]["max_sectors"] >= 0
    assert set(disks[str(dead)]) == set(disks[str(alive)])


def test_a_disk_with_an_error(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "statvfs", fail)
    assert answer(tmp_path)["error"] == "Input/output error"
