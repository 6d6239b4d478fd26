# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks between runs on one host."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import locks
from ansible_collections.autonomys.cluster.plugins.module_utils._host.locks import LockError, lock_folder, locked


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "run" / "autonomys"
    monkeypatch.setattr(locks, "lock_folder", lambda: str(folder))
    monkeypatch.setattr(locks, "POLL", 0.01)
    yield folder


def test_root_has_its_locks_in_run_and_others_a_folder_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert lock_folder() == "/run/autonomys"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("TMPDIR", "/tmp")
    assert lock_folder() == "/tmp/autonomys.cluster-1000"


def test_a_lock_is_held_named_and_given_back(folder: Path) -> None:
    with locked("x", "a test", 0):
        assert (folder / "x.lock").read_text() == f"process {os.getpid()}, a test"
        with pytest.raises(LockError, match=f"^process {os.getpid()}, a test, is not done after 0 s$"):
            with locked("x", "another", 0):
                pass
        with locked("y", "something else", 0):
            pass
    with locked("x", "another", 0):
        pass
    assert (folder / "x.lock").read_text() == ""


def test_nobody_but_root_can_open_a_lock(folder: Path) -> None:
    with locked("x", "a test", 0):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "x.lock")]
    assert modes == [0o700, 0o600]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_cannot_hold_it_up(folder: Path) -> None:
    with locked("x", "a test", 0):
        pass
    for path in (folder, *folder.parents):
        if path.name.startswith("pytest"):
            path.chmod(0o755)
    script = "import fcntl, os, sys; os.setuid(1); fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)"
    for path in (folder, folder / "x.lock"):
        tried = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
        assert "PermissionError" in tried.stderr
    with locked("x", "a test", 0):
        pass


def test_where_nothing_may_be_made_nobody_holds_what_is_not_there(folder: Path) -> None:
    with locked("x", "a look", 0, make=False):
        assert not folder.parent.exists()
    with locked("x", "a test", 0):
        with locked("y", "a look", 0, make=False):
            assert [path.name for path in folder.iterdir()] == ["x.lock"]
        with pytest.raises(LockError, match="a test, is not done"):
            with locked("x", "a look", 0, make=False):
                pass


def test_a_lock_is_waited_for(folder: Path) -> None:
    with locked("x", "a test", 0):
        pass
    script = (
        "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); "
        "print(flush=True); time.sleep(0.3)"
    )
    with subprocess.Popen([sys.executable, "-c", script, folder / "x.lock"], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        with locked("x", "a test", 60):
            assert other.wait(60) == 0


def test_a_holder_that_is_killed_holds_nothing(folder: Path) -> None:
    child = os.fork()
    if not child:
        with locked("x", "a child", 0):
            os._exit(0)
    os.waitpid(child, 0)
    with locked("x", "a test", 0):
        pass


def test_a_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(LockError, match="must belong to root, and nobody else may write to it"):
        with locked("x", "a test", 0):
            pass


def test_a_lock_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / "x.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(LockError, match="no lock in .*run/autonomys: "):
        with locked("x", "a test", 0):
            pass
    assert not (tmp_path / "victim").exists()
