# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs need of a host."""

from __future__ import annotations

import os
import pwd

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import programs
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.programs import (
    check_logs,
    check_programs,
    user_of,
)

from .samples import program


def test_the_user_of_a_program():
    assert user_of(program()) is None
    assert user_of(program(user="root")).pw_uid == 0
    with pytest.raises(ProgramError, match="program p: there is no user nobody-here on this host"):
        user_of(program(user="nobody-here"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": "nobody-here"}, "there is no user nobody-here"),
        ({"command": ["/not/here"]}, "/not/here does not exist or is not executable"),
        ({"directory": "/not/here"}, "its directory /not/here does not exist"),
        ({"log": {"path": "/not/here/x.log"}}, "the folder of its log /not/here/x.log does not exist"),
        ({"cpus": "0"}, "cpus needs numactl"),
    ],
)
def test_what_is_missing_on_the_host_is_told(change, message, monkeypatch):
    which = programs.shutil.which
    monkeypatch.setattr(programs.shutil, "which", lambda name: None if name == "numactl" else which(name))
    with pytest.raises(ProgramError, match=f"program p: {message}"):
        check_programs([program(**change)], True)


def test_what_this_run_makes_or_does_not_start_need_not_be_there():
    made = program(directory="/not/here", log={"path": "/not/here/x.log"}, state_directories=["/not/here/"])
    check_programs([made], True)
    check_programs([program(command=["/not/here"])], False)
    check_programs([program(command=["/not/here"], autostart=False)], True)


def logging(path, **more):
    return program(log={"path": str(path)}, **more)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_log_where_only_root_writes_is_taken(tmp_path):
    check_logs([logging("/var/log/x.log"), logging(tmp_path / "x.log"), logging(tmp_path / "new" / "x.log"), program()])
    check_logs([logging(tmp_path / "data" / "x.log", state_directories=[f"{tmp_path}/data"])])
    check_logs([logging(tmp_path / "data" / "x.log", user="root", state_directories=[f"{tmp_path}/data"])])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_log_that_somebody_else_could_replace_is_refused(tmp_path):
    theirs, shared = tmp_path / "theirs", tmp_path / "shared"
    for folder in (theirs, theirs / "deeper", shared):
        folder.mkdir()
    os.chown(theirs, 1, -1)
    shared.chmod(0o1777)
    (tmp_path / "link").symlink_to(theirs)
    for path, reason in {
        theirs / "x.log": f"{theirs} belongs to daemon",
        theirs / "deeper" / "x.log": f"{theirs} belongs to daemon",
        shared / "x.log": f"everybody may write to {shared}",
        tmp_path / "link" / "x.log": f"{tmp_path}/link belongs to daemon",
    }.items():
        with pytest.raises(ProgramError, match="program p: supervisord would follow .* its log") as error:
            check_logs([logging(path)])
        assert reason in str(error.value)
    group = tmp_path / "group"
    group.mkdir()
    os.chown(group, 0, pwd.getpwnam("daemon").pw_gid)
    group.chmod(0o770)
    with pytest.raises(ProgramError, match="daemon may write to .*/group, as one of its group"):
        check_logs([logging(group / "x.log", user="daemon")])
    check_logs([logging(group / "x.log", user="nobody"), logging(group / "x.log", user="nobody-here")])
    mine = logging(tmp_path / "data" / "logs" / "x.log", user="daemon", state_directories=[f"{tmp_path}/data/"])
    with pytest.raises(ProgramError, match="data/logs belongs to daemon"):
        check_logs([mine])
