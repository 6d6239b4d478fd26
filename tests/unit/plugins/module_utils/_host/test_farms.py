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
from ansible_collections.autonomys.cluster.plugins.module_utils._host import disks
from ansible_collections.autonomys.cluster.plugins.module_utils._host.farms import read_farms
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import SectorsError, farm_files, max_sectors


def answer(path, user="root", **arguments):
    options = {"pieces_in_sector": 1000, **arguments}
    return read_farms([str(path)], user, **options)[str(path)]


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

    monkeypatch.setattr(disks.os, "statvfs", lambda path: Space)
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
    for damage in ("", "{", "[1]", '{"v0": 1}', "{}", "[" * 60000, '{"v0": ' + "9" * 5000 + "}"):
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
    found = read_farms([str(dead), str(alive)], "root", 1000, seconds=3)
    # The disk itself would take a minute.
    assert time.monotonic() - start < 30
    assert found[str(dead)]["error"] == "it does not answer within 3 s"
    assert (found[str(dead)]["exists"], found[str(dead)]["max_sectors"], found[str(dead)]["size"]) == (None, None, None)
    assert found[str(dead)]["mountpoint"] == found[str(alive)]["mountpoint"]
    assert found[str(alive)]["error"] is None and found[str(alive)]["max_sectors"] >= 0
    assert set(found[str(dead)]) == set(found[str(alive)])


def test_a_disk_with_an_error(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "statvfs", fail)
    assert answer(tmp_path)["error"] == "Input/output error"


@pytest.mark.parametrize("name", ["identity.bin", "single_disk_farm.json", "plot.bin", "metadata.bin"])
def test_a_file_with_an_error_is_an_error_of_the_disk(name, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(b"{}")
    opened, builtin = os.open, open

    def refuse(function):
        def fail(path, *more, **others):
            if str(path).endswith(name):
                raise OSError(errno.EIO, "Input/output error", str(path))
            return function(path, *more, **others)

        return fail

    monkeypatch.setattr(os, "open", refuse(opened))
    monkeypatch.setattr("builtins.open", refuse(builtin))
    found = answer(tmp_path)
    assert found["error"] == f"Input/output error ({tmp_path / name})"
    assert (found["farm"], found["direct_io"], found["max_sectors"]) == (None, None, None)


def test_blocks_that_cannot_be_read_are_an_error_of_the_disk(tmp_path, monkeypatch):
    (tmp_path / "plot.bin").write_bytes(b"x" * 8192)

    def fail(descriptor, buffers, offset):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    if answer(tmp_path)["direct_io"] is not False:
        assert answer(tmp_path)["error"] == f"Input/output error ({tmp_path}/plot.bin)"


def test_a_farm_that_is_not_ours_to_read_is_there(tmp_path, monkeypatch):
    for name in ("identity.bin", "plot.bin"):
        (tmp_path / name).write_bytes(b"secret")
    opened, builtin = os.open, open

    def refuse(function):
        def fail(path, *more, **others):
            if str(path).endswith(".bin"):
                raise OSError(errno.EACCES, "Permission denied", str(path))
            return function(path, *more, **others)

        return fail

    monkeypatch.setattr(os, "open", refuse(opened))
    monkeypatch.setattr("builtins.open", refuse(builtin))
    found = answer(tmp_path)
    assert found["error"] is None and found["direct_io"] is None
    assert found["farm"] == {"id": None, "genesis_hash": None, "identity": None}
