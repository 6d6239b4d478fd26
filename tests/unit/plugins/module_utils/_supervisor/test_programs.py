# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs need of a host."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import programs
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.programs import check_programs, user_of

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
