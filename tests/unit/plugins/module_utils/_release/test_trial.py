# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a program is tried before it is installed."""

from __future__ import annotations

import os
import pwd
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release import trial
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import ReleaseError
from ansible_collections.autonomys.cluster.plugins.module_utils._release.trial import try_program

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def program(tmp_path):
    """Make a program of a shell's lines that everybody may run."""
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.getuid() and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o011)

    def make(lines):
        path = tmp_path / "tool"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return str(path)

    return make


def attempt(path, arguments=("--version",), output=None):
    try_program(path, "tool", list(arguments), output, NOBODY)


@pytest.mark.parametrize("lines", ["echo tool 1.2.3", "exit 2"])
def test_a_program_that_tells_its_version_or_knows_no_such_option(program, lines):
    attempt(program(lines))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            "echo 'cannot open libx.so' >&2; exit 127",
            "tool --version ended with status 127, so this machine cannot run it (cannot open libx.so)",
        ),
        ("kill -ILL $$", "tool --version was killed by signal 4, so this machine cannot run it"),
        ("exit 1", "tool --version ended with status 1, so this machine cannot run it"),
    ],
)
def test_a_program_that_this_machine_cannot_run(program, lines, words):
    with pytest.raises(ReleaseError) as error:
        attempt(program(lines))
    assert str(error.value) == f"{words}; nothing was installed"


def test_a_file_that_is_no_program(tmp_path):
    (tmp_path / "tool").write_bytes(b"\0\1\2")
    (tmp_path / "tool").chmod(0o755)
    with pytest.raises(
        ReleaseError, match="tool cannot be run as nobody: (Exec format error|Permission denied); nothing was"
    ):
        attempt(str(tmp_path / "tool"))


def test_another_version_is_refused(program):
    path = program("echo tool 1.2.4")
    attempt(path, output="1.2.4")
    with pytest.raises(
        ReleaseError, match=r"tool --version does not tell 1.2.3, so it is another version .tool 1.2.4.; no"
    ):
        attempt(path, output="1.2.3")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_it_has_no_rights_and_an_empty_folder_and_no_input(program, capfd):
    path = program("""
    test "$(id -u):$(id -g):$(id -G)" = "65534:65534:65534" || exit 11
    test -z "$(ls -A)" || exit 12
    read line && exit 13
    test "$HOME" = "$PWD" || exit 14
    touch made || exit 15
    test -z "$SECRET" || exit 16
    """)
    os.environ["SECRET"] = "x"
    try:
        before = os.listdir()
        attempt(path)
        assert os.listdir() == before
    finally:
        del os.environ["SECRET"]


@pytest.mark.parametrize(
    "lines", ["sleep 1000", "(sleep 1000 &) ; sleep 1000", "trap '' TERM; while :; do sleep 1; done"]
)
def test_a_program_that_begins_to_work_is_ended(program, monkeypatch, lines):
    monkeypatch.setattr(trial, "TIMEOUT", 0.5)
    begun = time.monotonic()
    with pytest.raises(ReleaseError, match="tool --version did not end within 0.5 s; nothing was installed"):
        attempt(program(lines))
    assert time.monotonic() - begun < 10


def test_what_it_leaves_behind_ends_with_it(program, tmp_path):
    attempt(program("sleep 4321 & exit 0"))
    time.sleep(0.2)
    running = [pid for pid in os.listdir("/proc") if pid.isdigit() and _command(pid) == b"sleep\0004321\0"]
    assert running == []


def _command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as handle:
            return handle.read()
    except OSError:
        return b""


def test_endless_output_is_cut_off(program):
    with pytest.raises(ReleaseError, match="tool --version was killed by signal|ended with status"):
        attempt(program("exec cat /dev/zero"))
