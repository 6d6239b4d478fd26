# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.commands import (
    CommandError,
    run_command,
)


def script(tmp_path, text):
    path = tmp_path / "nvidia-smi"
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_children_of_a_hanging_command_are_ended(tmp_path):
    pid_file = tmp_path / "pid"
    with pytest.raises(CommandError):
        run_command([script(tmp_path, f"sleep 600 & echo $! > {pid_file}; wait\n")], 3)
    status = Path(f"/proc/{int(pid_file.read_text(encoding='utf-8'))}/status")

    def ended():
        try:
            # In a container without an init the ended process stays as a zombie.
            return "State:\tZ" in status.read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return True

    end = time.monotonic() + 30
    while not ended():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    "text",
    [
        "trap '' TERM HUP INT\nwhile :; do sleep 0.2; done\n",
        "kill -STOP $$\n",
        "sleep 600 &\n",
        "exec >&- 2>&-; sleep 600\n",
    ],
    ids=["ignores signals", "stopped", "a child that keeps its output open", "closes its output"],
)
def test_what_does_not_end_is_ended(tmp_path, text):
    begun = time.monotonic()
    with pytest.raises(CommandError, match=r"nvidia-smi did not end within 0\.5 s"):
        run_command([script(tmp_path, text)], 0.5)
    assert time.monotonic() - begun < 5


def test_what_writes_without_end_is_ended(tmp_path):
    begun = time.monotonic()
    with pytest.raises(CommandError, match="nvidia-smi wrote more than 100000 bytes"):
        run_command([script(tmp_path, "exec yes\n")], 60, most=100000)
    assert time.monotonic() - begun < 30


def test_both_outputs_come_whole(tmp_path):
    text = (
        "i=0\nwhile [ $i -lt 3000 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done\nprintf 'a\\r\\nb\\377'\nexit 3\n"
    )
    status, out, errors = run_command([script(tmp_path, text)], 60)
    assert (status, out) == (3, "".join(f"out{i}\n" for i in range(3000)) + "a\nb\ufffd")
    assert errors == "".join(f"err{i}\n" for i in range(3000))


def test_command_that_cannot_be_run(tmp_path):
    with pytest.raises(CommandError, match="cannot be run: No such file or directory"):
        run_command([str(tmp_path / "missing")], 1)
