# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""disk_info against real ext4 file systems in sparse files: what it says fits is allocated for real, and one sector more is not."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.farms import read_farms
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import existing_sectors, farm_files

# Allocates in a process of its own, as the user that the farm belongs to.
ALLOCATE = """
import os, sys
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
for argument in sys.argv[2:]:
    name, size = argument.split("=")
    with open(name, "wb") as handle:
        os.posix_fallocate(handle.fileno(), 0, int(size))
"""
DEFAULT = []
FOR_FARMS = ["-m", "0", "-T", "largefile4", "-C", "16384", "-O", "bigalloc"]


@pytest.fixture(params=[60_000_000_000, 2 * 10**11], ids=["60e9", "200e9"])
def mount(request, tmp_path):
    """A function that makes and mounts an ext4 with the given options of mkfs."""
    folder = tmp_path / "mnt"
    folder.mkdir()

    def make(options):
        image = tmp_path / "disk.img"
        with image.open("wb") as handle:
            handle.truncate(request.param)
        subprocess.run(["mkfs.ext4", "-q", "-F", *options, str(image)], check=True)
        if subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=False).returncode:
            pytest.skip("this machine does not let us mount a file")
        folder.chmod(0o777)
        return folder

    yield make
    subprocess.run(["umount", str(folder)], check=False)


def read(folder, user):
    return read_farms([str(folder)], user, 1000)[str(folder)]


def allocate(folder, user, sectors):
    """Tell whether a farm of so many sectors can be allocated."""
    arguments = [f"{folder / name}={size}" for name, size in farm_files(sectors).items()]
    return (
        subprocess.run(
            [sys.executable, "-c", ALLOCATE, str(pwd.getpwnam(user).pw_uid), *arguments],
            check=False,
            stderr=subprocess.DEVNULL,
            cwd="/",
        ).returncode
        == 0
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("user", ["nobody", "root"])
@pytest.mark.parametrize("options", [DEFAULT, FOR_FARMS], ids=["default", "for farms"])
def test_as_many_as_it_says_and_no_more(mount, options, user, tmp_path):
    # The folders of pytest can be entered by their owner only.
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_mode & 0o7777 == 0o700:
            parent.chmod(0o755)
    folder = mount(options)
    found = read(folder, user)
    assert (found["mountpoint"], found["is_mountpoint"], found["fstype"], found["read_only"]) == (
        str(folder),
        True,
        "ext4",
        False,
    )
    assert found["device"].startswith("/dev/loop")
    count = found["max_sectors"]
    assert allocate(folder, user, count)
    again = read(folder, user)
    assert existing_sectors(again["existing_plot_bytes"]) == count
    assert again["max_sectors"] in (count, count - 1)  # the extents' own blocks can cost the last one
    for path in folder.glob("*.bin"):
        path.unlink()
    assert not allocate(folder, user, count + 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_read_only(tmp_path):
    image, folder = tmp_path / "disk.img", tmp_path / "mnt"
    folder.mkdir()
    with image.open("wb") as handle:
        handle.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop,ro", str(image), str(folder)], check=False).returncode:
        pytest.skip("this machine does not let us mount a file")
    try:
        found = read(folder, "root")
        assert found["read_only"] and "ro" in found["options"]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_module_through_ansible(tmp_path):
    root = Path(__file__).parents[3]
    shown = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible")),
            "localhost",
            "-c",
            "local",
            "-m",
            "autonomys.cluster.disk_info",
            "--check",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            "-a",
            f"paths={tmp_path},relative",
        ],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "the path relative is not absolute" in shown.stdout
