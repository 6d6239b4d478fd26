# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import disks


def failing(function: Callable[..., Any], number: int, part: str = "") -> Callable[..., Any]:
    """The function, with an error for the paths that have ``part`` in them."""

    def fail(path: Any, *arguments: Any, **more: Any) -> Any:
        if part in str(path):
            raise OSError(number, os.strerror(number), str(path))
        return function(path, *arguments, **more)

    return fail


def nothing(_folder: Path | None, _disk: disks.Disk) -> None:
    return None


def answer(path: Path) -> disks.Disk:
    return disks.read_disks([str(path)], "root", nothing)[str(path)][0]


def test_too_many_files_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / str(number)).write_text("x")
    assert (disks.used_bytes(tmp_path) or 0) > 0
    monkeypatch.setattr(disks, "MAX_ENTRIES", 4)
    assert disks.used_bytes(tmp_path) is None


@pytest.mark.parametrize("number", [errno.EIO, errno.ENODEV, errno.ESTALE, errno.EUCLEAN, errno.ENOTCONN])
@pytest.mark.parametrize("call", ["stat", "statvfs", "scandir"])
def test_a_disk_with_an_error_is_not_taken_for_an_empty_one(
    call: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "farm").mkdir()
    if call == "scandir":
        monkeypatch.setattr(os, call, failing(os.scandir, number))
    else:
        monkeypatch.setattr(os, call, failing(getattr(os, call), number, "farm"))
    found = answer(tmp_path / "farm")
    assert os.strerror(number) in (found["error"] or "")
    assert (found["exists"], found["size"], found["available"]) == (None, None, None)


@pytest.mark.parametrize(
    ("number", "read_only", "error"),
    [
        (errno.EROFS, True, None),
        (errno.EOPNOTSUPP, False, None),
        (errno.ENOSPC, False, None),
        (errno.EACCES, False, None),
        (errno.EIO, None, "Input/output error"),
    ],
)
def test_whether_a_disk_is_read_only_is_tried(
    number: int, read_only: bool | None, error: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Any, flags: int, *more: Any, **others: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", refuse)
    found = answer(tmp_path)
    if error:
        assert error in (found["error"] or "")
    else:
        assert (found["read_only"], found["error"]) == (read_only, None)


def test_the_attempt_leaves_nothing_behind(tmp_path: Path) -> None:
    before = os.stat(tmp_path)
    assert disks.can_write(tmp_path) in (True, None)
    assert list(tmp_path.iterdir()) == []
    assert os.stat(tmp_path).st_mtime_ns == before.st_mtime_ns


def test_what_cannot_be_looked_into_is_not_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "stat", failing(os.stat, errno.EACCES, "farm"))
    found = answer(tmp_path / "farm")
    assert (found["exists"], found["error"]) == (None, f"Permission denied ({tmp_path}/farm)")


def test_a_folder_that_is_not_ours_to_read_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x" * 100_000)
    all_of_it = disks.used_bytes(tmp_path) or 0
    monkeypatch.setattr(os, "scandir", failing(os.scandir, errno.EACCES, "closed"))
    assert 0 < (disks.used_bytes(tmp_path) or 0) < all_of_it
    monkeypatch.setattr(os, "scandir", failing(os.scandir, errno.EIO, "closed"))
    with pytest.raises(OSError, match="Input/output error"):
        disks.used_bytes(tmp_path)


def test_the_table_of_mounts_is_read_after_the_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An automounter mounts the disk when somebody goes there."""
    automounted = f"60 22 0:40 / {tmp_path} rw - autofs systemd-1 rw,fd=61,direct\n"
    mounted = automounted + f"61 60 259:1 / {tmp_path} rw - ext4 /dev/nvme0n1 rw\n"
    table, statvfs = tmp_path / "mountinfo", os.statvfs
    table.write_text(automounted)

    def access(path: str) -> os.statvfs_result:
        table.write_text(mounted)
        return statvfs(path)

    monkeypatch.setattr(os, "statvfs", access)
    monkeypatch.setattr(disks, "MOUNTINFO", str(table))
    found = answer(tmp_path)
    assert (found["device"], found["fstype"], found["is_mountpoint"]) == ("/dev/nvme0n1", "ext4", True)
