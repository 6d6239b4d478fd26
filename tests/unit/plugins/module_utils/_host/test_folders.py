# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders in places where somebody else may have a hand.

Whatever a service user puts there, nothing outside changes.
"""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import folders
from ansible_collections.autonomys.cluster.plugins.module_utils._host.folders import (
    FolderError,
    Owner,
    Way,
    fault_of_data_folder,
    homes,
)

DAEMON = pwd.getpwnam("daemon")
OWNER = Owner(DAEMON.pw_uid, DAEMON.pw_gid)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")


def given(path: Path, uid: int = DAEMON.pw_uid) -> Path:
    """Make a folder that belongs to somebody else than root."""
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, uid, -1)
    return path


def link(path: Path, target: Path | str, uid: int = DAEMON.pw_uid) -> None:
    path.symlink_to(target)
    os.chown(path, uid, -1, follow_symlinks=False)


def make(path: Path, mode: int = 0o750) -> None:
    with Way(str(path), [OWNER.uid]) as way:
        if way.missing:
            way.make(mode, OWNER)
        else:
            way.give(OWNER)


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A folder of root's that must stay as it is."""
    folder = tmp_path / "victim"
    folder.mkdir(mode=0o755)
    (folder / "file").write_text("x")
    before = [(path.stat().st_uid, path.stat().st_mode) for path in (folder, folder / "file")]
    yield folder
    assert [(path.stat().st_uid, path.stat().st_mode) for path in (folder, folder / "file")] == before
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_folder_is_made_and_given_away_and_those_above_it_stay_roots(tmp_path: Path) -> None:
    path = tmp_path / "outer" / "middle" / "inner"
    make(path)
    found = [
        (each.stat().st_uid, stat.S_IMODE(each.stat().st_mode)) for each in (path, path.parent, path.parent.parent)
    ]
    assert found == [(DAEMON.pw_uid, 0o750), (0, 0o755), (0, 0o755)]
    assert path.stat().st_gid == DAEMON.pw_gid


def test_an_existing_folder_is_given_away_alone_with_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "existing"
    folder.mkdir(mode=0o755)
    (folder / "file").write_text("x")
    make(folder)
    assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (DAEMON.pw_uid, 0o755)
    assert (folder / "file").stat().st_uid == 0


@pytest.mark.parametrize("below", ["", "inner", "inner/deeper"])
def test_a_link_that_the_service_user_put_is_followed_at_no_level(tmp_path: Path, victim: Path, below: str) -> None:
    outer = given(tmp_path / "outer")
    link(outer / "base-path-0", victim)
    with pytest.raises(FolderError, match=r"outer/base-path-0 is a link, and daemon can choose where it leads"):
        make(outer / "base-path-0" / below)


@pytest.mark.parametrize("target", ["../victim", "/etc", ".", "nowhere"])
def test_no_kind_of_link_helps(tmp_path: Path, victim: Path, target: str) -> None:
    link(given(tmp_path / "outer") / "x", target)
    with pytest.raises(FolderError, match="is a link, and daemon can choose"):
        make(tmp_path / "outer" / "x")
    assert Path("/etc").stat().st_uid == 0


def test_a_link_in_a_folder_that_everybody_writes_to_is_not_followed(tmp_path: Path, victim: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    link(shared / "x", victim, uid=0)
    shared.chmod(0o777)
    with pytest.raises(FolderError, match="is a link, and everybody can choose"):
        make(shared / "x" / "new")
    shared.chmod(0o1777)
    link(shared / "y", victim)
    with pytest.raises(FolderError, match="is a link, and daemon can choose"):
        make(shared / "y" / "new")


def test_a_link_of_roots_is_followed(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    link(tmp_path / "absolute", disk, uid=0)
    link(tmp_path / "relative", "./x/../disk", uid=0)
    (tmp_path / "x").mkdir()
    make(tmp_path / "absolute" / "farm")
    with Way(str(tmp_path / "relative" / "farm"), [OWNER.uid]) as way:
        assert (way.real, way.missing, way.found.st_uid) == (f"{disk}/farm", [], DAEMON.pw_uid)


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    link(tmp_path / "a", "b", uid=0)
    link(tmp_path / "b", "a", uid=0)
    with pytest.raises(FolderError, match="leads through more than 40 links"):
        make(tmp_path / "a")


def test_a_way_through_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    given(tmp_path / "home", uid=pwd.getpwnam("nobody").pw_uid)
    with pytest.raises(
        FolderError, match=r"/home belongs to nobody, who can put anything in the place of .*/home/farm"
    ):
        make(tmp_path / "home" / "farm")
    assert list((tmp_path / "home").iterdir()) == []


def test_a_folder_of_the_service_user_may_hold_another_one(tmp_path: Path) -> None:
    """Clusters that were deployed when the outer folder was given away too."""
    given(tmp_path / "outer")
    make(tmp_path / "outer" / "base-path-0")
    assert (tmp_path / "outer" / "base-path-0").stat().st_uid == DAEMON.pw_uid


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    for name in ("file", "fifo", "file/below"):
        with pytest.raises(FolderError, match="is not a directory"):
            make(tmp_path / name)


@pytest.mark.parametrize("what", ["link", "folder"])
def test_a_folder_that_is_replaced_while_it_is_made_is_not_given_away(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    outer = given(tmp_path / "outer")
    given(tmp_path / "theirs")
    mkdir = os.mkdir

    def and_replace(name: str, mode: int, dir_fd: int) -> None:
        mkdir(name, mode, dir_fd=dir_fd)
        (outer / name).rename(outer / "aside")
        if what == "link":
            link(outer / name, victim)
        else:
            (tmp_path / "theirs").rename(outer / name)

    monkeypatch.setattr(os, "mkdir", and_replace)
    with pytest.raises(FolderError, match="was replaced"):
        make(outer / "x")


def test_a_folder_that_is_replaced_by_a_link_while_it_is_looked_at_is_not_followed(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = given(tmp_path / "outer")
    given(outer / "x")
    look = os.stat

    def and_replace(name: str, **more: int) -> os.stat_result:
        found = look(name, **more)
        if name == "x" and not (outer / "x").is_symlink():
            (outer / "x").rename(outer / "aside")
            link(outer / "x", victim)
        return found

    monkeypatch.setattr(folders.os, "stat", and_replace)
    with pytest.raises(FolderError, match="/outer/x was replaced while it was looked at"):
        make(outer / "x")
    monkeypatch.undo()


@pytest.mark.parametrize(
    "path",
    "/ // /. /etc /etc/autonomys /root /usr /usr/lib/x /home /home/ /var /var/lib "
    "/var/../etc /proc/1 /dev /dev/shm /boot/x "
    "/usr/local /mnt /opt /srv /tmp /lib64 /sbin/x".split(),
)
def test_folders_of_the_system_are_no_folders_of_data(path: str) -> None:
    assert "is a folder of the system" in (fault_of_data_folder(path) or "")


@pytest.mark.parametrize(
    "path",
    "/var/plot-server /var/lib/nats /mnt/farm-0 /mnt/disk/farm /home/farm "
    "/root/autonomys /opt/x /usr/local/x /dev/shm/x /etcetera "
    "/run/x".split(),
)
def test_folders_of_data(path: str) -> None:
    assert fault_of_data_folder(path) is None


def test_the_home_of_another_account_is_no_folder_of_data() -> None:
    known = {"/home/alice": ["alice"], "/opt/autonomys": ["autonomys", "operator"]}
    assert fault_of_data_folder("/home/alice", "autonomys", known) == (
        "/home/alice is the home of alice: choose a folder of its own for the data"
    )
    assert fault_of_data_folder("/home/alice/", None, known)
    assert fault_of_data_folder("/home/alice/farm", "autonomys", known) is None
    assert fault_of_data_folder("/opt/autonomys", "autonomys", known) is None
    assert "root" in homes()["/root"]
