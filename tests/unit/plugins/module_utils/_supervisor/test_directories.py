# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directories of programs."""

from __future__ import annotations

import os
import pwd
import stat

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import directories
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.directories import make_directories
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError

from .samples import program

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories away")


def wanting(*paths, user="daemon", name="p"):
    return program(name, user=user, state_directories=[str(path) for path in paths])


def test_what_is_missing_is_made_and_what_is_not_the_users_is_given(tmp_path):
    (tmp_path / "existing").mkdir(mode=0o750)
    wanted = [wanting(tmp_path / "new", tmp_path / "existing"), wanting(tmp_path / "new", user="nobody", name="q")]
    expected = (
        f"{tmp_path}/new: absent\n{tmp_path}/existing: owner root\n",
        f"{tmp_path}/new: owner daemon\n{tmp_path}/existing: owner daemon\n",
    )
    assert make_directories(wanted[:1], True) == expected
    assert [path.name for path in tmp_path.iterdir()] == ["existing"]
    assert make_directories(wanted, False) == expected
    assert make_directories(wanted[:1], False) == ("", "")
    assert [(tmp_path / name).owner() for name in ("new", "existing")] == ["daemon", "daemon"]


def test_a_directory_of_a_program_without_a_user_stays_with_whom_it_is(tmp_path):
    wanted = [wanting(tmp_path / "new", user=None)]
    assert make_directories(wanted, False) == (f"{tmp_path}/new: absent\n", f"{tmp_path}/new: created\n")
    os.chown(tmp_path / "new", pwd.getpwnam("daemon").pw_uid, -1)
    assert make_directories(wanted, False) == ("", "")


@pytest.mark.parametrize("user", ["daemon", None])
def test_what_is_there_is_closed_to_others_and_keeps_the_rest_of_its_mode(tmp_path, user):
    folder = tmp_path / "farm"
    folder.mkdir()
    folder.chmod(0o2775)
    os.chown(folder, pwd.getpwnam("daemon").pw_uid, -1)
    (folder / "identity.bin").write_text("a key")
    (folder / "identity.bin").chmod(0o644)
    changed = (f"{folder}: owner daemon, open to others\n", f"{folder}: owner daemon\n")
    assert make_directories([wanting(folder, user=user)], True) == changed
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2775
    assert make_directories([wanting(folder, user=user)], False) == changed
    assert (stat.S_IMODE(folder.stat().st_mode), folder.owner()) == (0o2770, "daemon")
    assert stat.S_IMODE((folder / "identity.bin").stat().st_mode) == 0o644
    assert make_directories([wanting(folder, user=user)], False) == ("", "")


def test_a_folder_that_is_read_only_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fstatvfs", lambda _handle: os.statvfs_result([0] * 8 + [os.ST_RDONLY, 255]))
    folder = tmp_path / "farm"
    folder.mkdir(mode=0o755)
    os.chown(folder, pwd.getpwnam("daemon").pw_uid, -1)
    assert make_directories([wanting(folder)], False) == ("", "")


def test_a_host_without_the_user_can_be_looked_at(tmp_path):
    assert make_directories([wanting(tmp_path / "new", user="nobody-here")], True)[1] == (
        f"{tmp_path}/new: owner nobody-here\n"
    )


@pytest.mark.parametrize("check", [True, False])
def test_nothing_is_made_when_one_of_all_cannot_be(tmp_path, check):
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "x").symlink_to("/etc")
    os.chown(outer, pwd.getpwnam("daemon").pw_uid, -1)
    with pytest.raises(ProgramError) as error:
        make_directories([wanting(tmp_path / "new"), wanting(outer / "x", name="q")], check)
    assert str(error.value).startswith(
        f"program q: state_directories: {outer}/x cannot be made ready: {outer}/x is a link, and daemon can choose"
    )
    assert not (tmp_path / "new").exists()
    assert os.stat("/etc").st_uid == 0


@pytest.mark.parametrize("path", ["/", "/root", "/etc", "/usr", "/home", "/mnt", "/etc/autonomys", "/var/../etc"])
def test_a_folder_of_the_system_is_refused_before_anything_is_made(tmp_path, path):
    before = [os.stat(each).st_uid for each in ("/", "/etc", "/root")]
    with pytest.raises(ProgramError, match="program q: state_directories: /.* is a folder of the system"):
        make_directories([wanting(tmp_path / "new"), wanting(path, name="q")], False)
    assert not (tmp_path / "new").exists()
    assert [os.stat(each).st_uid for each in ("/", "/etc", "/root")] == before


def test_a_link_of_roots_to_a_folder_of_the_system_is_refused(tmp_path):
    (tmp_path / "x").symlink_to("/etc")
    with pytest.raises(ProgramError, match="/etc is a folder of the system"):
        make_directories([wanting(tmp_path / "x")], False)


def test_the_home_of_another_account_is_refused(tmp_path, monkeypatch):
    home = tmp_path / "alice"
    home.mkdir(mode=0o750)
    monkeypatch.setattr(directories, "homes", lambda: {str(home): {"alice"}})
    with pytest.raises(ProgramError, match="is the home of alice"):
        make_directories([wanting(home)], False)
    # What belongs to the program's user already is not taken from anybody.
    os.chown(home, pwd.getpwnam("daemon").pw_uid, -1)
    assert make_directories([wanting(home)], False) == ("", "")


def test_a_relative_path_is_refused():
    with pytest.raises(ProgramError, match="program p: state_directories: 'x' is not an absolute path"):
        make_directories([wanting("x")], True)
