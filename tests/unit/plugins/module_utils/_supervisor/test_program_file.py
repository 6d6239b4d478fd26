# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of programs, what is kept beside it, and the files of other people."""

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.program_file import (
    OtherFiles,
    ProgramFile,
    check_names,
    other_files,
    read_text,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import parse


@pytest.fixture
def file(tmp_path):
    return ProgramFile("app", str(tmp_path), ".conf")


def test_both_files_are_written_read_and_removed(file, tmp_path):
    file.load()
    assert (file.text, file.kept) == (None, None)
    assert file.write("new\n", "old\n", os.replace)
    again = ProgramFile("app", str(tmp_path), ".conf")
    again.load()
    assert (again.text, again.kept) == ("new\n", "old\n")
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "app.conf": 0o640,
        ".app.conf.previous": 0o640,
    }
    assert again.write(None, None, os.replace)
    assert list(tmp_path.iterdir()) == []


def test_what_is_the_same_is_not_written(file):
    file.write("text\n", None, os.replace)

    def refuse(_source, _target):
        raise AssertionError("written")

    assert not file.write("text\n", None, refuse)


def test_the_mode_of_an_existing_file_stays_and_is_that_of_what_is_kept(file):
    file.write("one\n", "zero\n", os.replace)
    os.chmod(file.path, 0o600)
    file.write("two\n", "one\n", os.replace)
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (file.path, file.previous)] == [0o600, 0o600]


def test_a_write_that_fails_leaves_everything_as_it_was(file, tmp_path):
    file.write("one\n", None, os.replace)

    def fail(_source, _target):
        raise OSError(28, "No space left on device")

    with pytest.raises(ProgramError, match="cannot be written: No space left on device; it is as before"):
        file.write("two\n", "one\n", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["app.conf"]
    assert read_text(file.path) == "one\n"


def test_a_full_disk_leaves_no_litter(file, tmp_path, monkeypatch):
    file.write("one\n", None, os.replace)
    room = iter([None])

    def sync(_number):
        if next(room, "full") == "full":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(ProgramError, match="it is as before"):
        file.write("two\n", "one\n", os.replace)
    assert [path.name for path in tmp_path.iterdir()] == ["app.conf"]


def test_a_text_is_read_or_told_why_not(tmp_path):
    assert read_text(str(tmp_path / "none")) is None
    with pytest.raises(ProgramError, match="cannot be read: it is not a regular file"):
        read_text(str(tmp_path))


def test_other_files_are_read_and_broken_ones_named(file, tmp_path):
    config = tmp_path / "supervisord.conf"
    config.write_text("[supervisord]\n")
    file.write("[program:own]\ncommand=/x\n", None, os.replace)
    (tmp_path / "other.conf").write_text("[program:other]\ncommand=/x\n")
    (tmp_path / "broken.conf").write_text("no section\n")
    found = other_files(file.path, str(config), [f"{tmp_path}/*.conf"])
    assert sorted(os.path.basename(path) for path in found.sections) == ["other.conf", "supervisord.conf"]
    assert list(found.broken) == [f"{tmp_path}/broken.conf"]


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        ("[program:a]\ncommand=/x\n", "program a is defined twice, in /own and in /theirs"),
        ("[group:a]\nprograms=b\n", "the group a is defined twice, in /own and in /theirs"),
        ("[group:g]\nprograms=a\n", "program a of /own is put into the group g by /theirs"),
    ],
)
def test_names_that_another_file_has_are_refused(theirs, message):
    own = parse("[program:a]\ncommand=/x\n")
    with pytest.raises(ProgramError, match=message):
        check_names("/own", own, OtherFiles({"/theirs": parse(theirs)}, {}))
    check_names("/own", own, OtherFiles({"/theirs": parse("[program:b]\ncommand=/x\n")}, {}))
