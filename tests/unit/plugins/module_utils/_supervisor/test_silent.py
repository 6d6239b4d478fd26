# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a supervisord that runs and cannot be asked, from processes and sockets as /proc shows them."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.silent import (
    configuration_of,
    fault_of_user,
    running,
    why_silent,
)

CONFIG, SOCKET = "/etc/supervisor/supervisord.conf", "/run/supervisor.sock"
HEAD = "Num       RefCount Protocol Flags    Type St Inode Path\n"


@pytest.mark.parametrize(
    ("line", "configuration"),
    [
        ("/usr/bin/python3 /usr/bin/supervisord -n -c /etc/supervisor/supervisord.conf", CONFIG),
        ("/usr/bin/python3 -u /usr/bin/supervisord --configuration=/x.conf", "/x.conf"),
        ("python3.11 -m supervisor.supervisord -c/x.conf -n", "/x.conf"),
        ("/opt/venv/bin/supervisord --configuration /x.conf", "/x.conf"),
        ("supervisord -n", ""),
        ("supervisord -c", ""),
        ("vi /usr/bin/supervisord -c x", None),
        ("/usr/bin/python3 /usr/bin/supervisorctl -c x", None),
        ("", None),
    ],
)
def test_the_configuration_in_a_command_line(line, configuration):
    assert configuration_of(line.split()) == configuration


def proc(folder, *lines, sockets=()):
    """A /proc with processes of these command lines, the first of which listens on these sockets."""
    for pid, line in enumerate(lines, 10):
        (folder / str(pid) / "fd").mkdir(parents=True)
        (folder / str(pid) / "cmdline").write_bytes(b"\0".join(word.encode() for word in line.split()) + b"\0")
        (folder / str(pid) / "net").mkdir()
        (folder / str(pid) / "net" / "unix").write_text(HEAD)
    table = HEAD + "0: 00000002 00000000 00010000 0001 01 99 /run/of-another.sock\n"
    for inode, path in enumerate(sockets, 70):
        table += f"0: 00000002 00000000 00010000 0001 01 {inode} {path}\n"
        (folder / "10" / "fd" / str(inode)).symlink_to(f"socket:[{inode}]")
    (folder / "10" / "net" / "unix").write_text(table)
    return str(folder)


def test_what_runs_with_a_configuration(tmp_path):
    root = proc(tmp_path, "supervisord -c /other.conf", "bash", "python3 /usr/bin/supervisord -n -c /etc/mine.conf")
    assert running("/etc/mine.conf", root) == 12
    assert running("/other.conf", root) == 10
    assert running("/elsewhere/mine.conf", root) is None


def test_one_without_a_configuration_has_the_usual_one(tmp_path):
    root = proc(tmp_path, "supervisord -n")
    assert (running(CONFIG, root), running("/x.conf", root)) == (10, None)


def test_one_that_was_started_in_the_folder_of_its_configuration(tmp_path):
    root = proc(tmp_path, "supervisord -c supervisord.conf")
    assert (running(CONFIG, root), running("/etc/my-supervisord.conf", root)) == (10, None)


@pytest.mark.parametrize(
    ("sockets", "words"),
    [
        ([SOCKET], "its socket /run/supervisor.sock was removed or replaced since it was started. Restart"),
        # supervisord binds a name of its own first, and gives it the other one then.
        ([SOCKET + ".10"], "its socket /run/supervisor.sock was removed"),
        (["/tmp/other.sock"], "listens on /tmp/other.sock and not on /run/supervisor.sock, as /etc/"),
        ([], "listens on no socket, though /etc/supervisor/supervisord.conf names /run/supervisor.sock"),
    ],
)
def test_why_it_cannot_be_asked(tmp_path, sockets, words):
    why = why_silent(CONFIG, SOCKET, proc(tmp_path, f"supervisord -c {CONFIG}", sockets=sockets))
    assert why.startswith("supervisord runs (process 10), but ") and words in why


def test_none_that_runs_is_none_that_is_silent(tmp_path):
    assert why_silent(CONFIG, SOCKET, proc(tmp_path, "bash")) is None


def test_who_listens(tmp_path, monkeypatch):
    path = str(tmp_path / "s")
    assert fault_of_user(path) is None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        assert fault_of_user(path) is None
        own = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)
        assert bool(fault_of_user(path)) == (own != 0)
