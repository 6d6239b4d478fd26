# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release import archive as archives
from ansible_collections.autonomys.cluster.plugins.module_utils._release.archive import extract_member
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import ReleaseError
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._release.releases import archive


def test_extract_from_tar_and_zip(tmp_path):
    tar = archive(tmp_path / "a.tgz", dir__bin=b"binary")
    extract_member(tar, "dir/bin", tmp_path / "one", "src")
    assert (tmp_path / "one").read_bytes() == b"binary"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as handle:
        handle.writestr("dir/bin", b"zipped")
    extract_member(tmp_path / "a.zip", "dir/bin", tmp_path / "two", "src")
    assert (tmp_path / "two").read_bytes() == b"zipped"


def test_extract_finds_a_member_with_a_leading_dot(tmp_path):
    info = tarfile.TarInfo("./dir/bin")
    info.size = 2
    with tarfile.open(tmp_path / "a.tar", "w") as handle:
        handle.addfile(info, io.BytesIO(b"ok"))
    extract_member(tmp_path / "a.tar", "dir/bin", tmp_path / "one", "src")
    assert (tmp_path / "one").read_bytes() == b"ok"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_regular_file_is_refused(tmp_path, kind):
    info = tarfile.TarInfo("bin")
    info.type = kind
    info.linkname = "/etc/shadow"
    with pytest.raises(ReleaseError, match="bin in src is no regular file; nothing was installed"):
        extract_member(archive(tmp_path / "a.tgz", bin=info), "bin", tmp_path / "one", "src")
    assert not (tmp_path / "one").exists()


def test_a_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("bin")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as handle:
        handle.writestr(info, "/etc/shadow")
    with pytest.raises(ReleaseError, match="bin in src is no regular file"):
        extract_member(tmp_path / "a.zip", "bin", tmp_path / "one", "src")


def test_missing_member_and_broken_archives(tmp_path):
    tar = archive(tmp_path / "a.tgz", other=os.urandom(100_000))
    with pytest.raises(ReleaseError, match="src has no bin in it; nothing was installed"):
        extract_member(tar, "bin", tmp_path / "one", "src")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as handle:
        handle.writestr("x", b"")
    with pytest.raises(ReleaseError, match="src has no bin in it"):
        extract_member(tmp_path / "a.zip", "bin", tmp_path / "one", "src")
    broken = tmp_path / "broken"
    whole = tar.read_bytes()
    for data, message in (
        (b"no archive", "src is no tar or zip archive; nothing was installed"),
        (b"", "src is no tar or zip archive; nothing was installed"),
        (whole[:50_000], "src cannot be unpacked: .*; nothing was installed"),
        (whole[:50_000] + b"\0" * 50_000, "src cannot be unpacked: .*; nothing was installed"),
    ):
        broken.write_bytes(data)
        with pytest.raises(ReleaseError, match=message):
            extract_member(broken, "other", tmp_path / "one", "src")


def test_an_unpacked_file_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_SIZE", 10)
    with pytest.raises(ReleaseError, match="bomb in src is larger than"):
        extract_member(archive(tmp_path / "a.tgz", bomb=b"0" * 1000), "bomb", tmp_path / "one", "src")


def test_a_damaged_lzma_zip_is_a_sentence(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as handle:
        handle.writestr("bin", os.urandom(1000))
    whole = bytearray(path.read_bytes())
    for position in range(34, 60):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            extract_member(path, "bin", tmp_path / "one", "src")
        except ReleaseError as error:
            assert str(error).endswith("; nothing was installed")
