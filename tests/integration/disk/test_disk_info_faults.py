# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks that died, and disks that the first access mounts.

The filesystems are real ones in files, broken in the ways that the kernel offers.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.farms import FarmDisk, read_farms
from ansible_collections.autonomys.cluster.plugins.module_utils._host.read import read_host

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")

EXT4_IOC_SHUTDOWN = 0x8004587D
WITHOUT_THE_LOG = 2

# An automounter for one place: it mounts when the kernel says that somebody wants to go there. The kernel lets only its
# own process group see what is below.
AUTOMOUNTER = """
import ctypes, fcntl, os, struct, subprocess, sys
path, image = sys.argv[1:]
reading, writing = os.pipe()
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={writing},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct"
if libc.mount(b"systemd-1", path.encode(), b"autofs", 0, options.encode()):
    sys.exit(os.strerror(ctypes.get_errno()))
place = os.open(path, os.O_RDONLY)
print("ready", flush=True)
packet = os.read(reading, 4096)
token = struct.unpack_from("iiI", packet)[2]
done = subprocess.run(["mount", "-o", "loop", image, path])
fcntl.ioctl(place, 0x9361 if done.returncode else 0x9360, token)
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    with path.open("wb") as handle:
        handle.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(path)], check=True)
    return path


def mount(image: Path, folder: Path) -> None:
    if subprocess.run(["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)], check=False).returncode:
        pytest.skip("this machine does not let us mount a file")


@pytest.fixture(params=[True, False], ids=["with a farm", "without a farm"])
def disk(request: pytest.FixtureRequest, image: Path, tmp_path: Path) -> Iterator[Path]:
    """A mounted disk, of which the kernel remembers nothing yet."""
    folder = tmp_path / "farm"
    folder.mkdir()
    mount(image, folder)
    if request.param:
        (folder / "plot.bin").write_bytes(b"x" * (1 << 20))
        (folder / "metadata.bin").write_bytes(b"x" * 8192)
        (folder / "identity.bin").write_bytes(b"secret")
        (folder / "single_disk_farm.json").write_text('{"v0": {"id": "01JB"}}', encoding="utf-8")
    subprocess.run(["umount", str(folder)], check=True)
    mount(image, folder)
    yield folder
    subprocess.run(["umount", str(folder)], check=False)


def read(folder: Path) -> FarmDisk:
    return read_farms([str(folder)], "root", 1000)[str(folder)]


def test_a_good_disk(disk: Path) -> None:
    found = read(disk)
    assert (found["error"], found["read_only"], found["fstype"]) == (None, False, "ext4")
    assert sorted(path.name for path in disk.iterdir() if path.name != "lost+found") in (
        [],
        ["identity.bin", "metadata.bin", "plot.bin", "single_disk_farm.json"],
    )


@pytest.mark.parametrize("below", ["", "new/farm"])
def test_a_filesystem_that_was_shut_down_is_an_error(disk: Path, below: str) -> None:
    descriptor = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_THE_LOG))
    except OSError:
        pytest.skip("this kernel shuts down no filesystem")
    finally:
        os.close(descriptor)
    found = read(disk / below)
    assert "Input/output error" in (found["error"] or "")
    assert (found["max_sectors"], found["farm"], found["direct_io"]) == (None, None, None)
    assert "Input/output error" in (read_host(paths=[str(disk)])["disks"][str(disk)]["error"] or "")


def test_a_filesystem_after_an_error_is_read_only(disk: Path) -> None:
    device = read(disk)["device"] or ""
    trigger = Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"
    if not trigger.exists():
        pytest.skip("this kernel has no trigger for an error")
    trigger.write_text("test", encoding="utf-8")
    with pytest.raises(OSError, match="Read-only file system"):
        (disk / "new").touch()
    for path in (disk, disk / "new" / "farm"):
        found = read(path)
        assert (found["read_only"], found["error"]) == (True, None)


def test_a_disk_that_the_first_access_mounts(image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "farm"
    folder.mkdir()
    automounter = subprocess.Popen(
        [sys.executable, "-c", AUTOMOUNTER, str(folder), str(image)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert automounter.stdout is not None
        if automounter.stdout.readline() != "ready\n":
            pytest.skip(f"this machine lets us have no automounter: {automounter.communicate()[1]}")
        found = read(folder)
        assert (found["fstype"], found["is_mountpoint"], found["error"]) == ("ext4", True, None)
        assert (found["device"] or "").startswith("/dev/loop")
    finally:
        automounter.terminate()
        automounter.wait()
        subprocess.run(["umount", str(folder)], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", str(folder)], check=False, stderr=subprocess.DEVNULL)


def test_a_mount_that_hides_another(image: Path, tmp_path: Path) -> None:
    """The table has both, and the deeper one first; only the kernel knows which of them a path is on."""
    outer = tmp_path / "outer"
    (outer / "farm").mkdir(parents=True)
    try:
        for folder, name in ((outer / "farm", "hidden"), (outer, "visible")):
            if subprocess.run(["mount", "-t", "tmpfs", name, str(folder)], check=False).returncode:
                pytest.skip("this machine does not let us mount")
        (outer / "farm").mkdir()
        assert read(outer / "farm")["device"] == "visible"
    finally:
        subprocess.run(["umount", str(outer)], check=False)
        subprocess.run(["umount", str(outer / "farm")], check=False)
