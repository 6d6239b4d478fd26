# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cache wrote since it was told to reinitialize, whatever happened to its log meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOGS = ("autonomys-sharded-cache.log", "autonomys-full-piece.log")

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars_files: ["{root}/roles/reinitialize_cache/vars/main.yml"]
  vars:
    cluster_log_dir: "{logs}"
    reinitialize_cache_wait: 2
    ansible_python_interpreter: "{python}"
  tasks:
    - ansible.builtin.include_tasks: "{root}/roles/reinitialize_cache/tasks/mark.yml"
    - ansible.builtin.command: sh {logs}/meanwhile
    - ansible.builtin.include_tasks: "{root}/roles/reinitialize_cache/tasks/evidence.yml"
    - ansible.builtin.copy:
        content: "{{{{ __reinitialize_cache_tails.results | map(attribute='stdout') | to_json }}}}"
        dest: "{logs}/seen"
"""


@pytest.fixture
def seen(tmp_path):
    """What the role sees when this happens to the two logs, or what it says."""

    def run(*cases):
        lines = []
        for name, (before, meanwhile) in zip(LOGS, cases):
            if before is not None:
                (tmp_path / name).write_text(before)
            lines.append(meanwhile.format(log=tmp_path / name) + "\n")
        (tmp_path / "meanwhile").write_text("".join(lines))
        (tmp_path / "play.yml").write_text(PLAY.format(root=ROOT, logs=tmp_path, python=sys.executable))
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), tmp_path / "play.yml"],
            env=dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg")),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if not (tmp_path / "seen").exists():
            return done.stdout
        return json.loads((tmp_path / "seen").read_text())

    return run


APPENDED = ("old\n", "echo new >>{log}")
MADE = (None, "echo new >{log}")
ROTATED = ("old and longer\n", "mv {log} {log}.1; echo new >{log}")
EMPTIED = ("old and longer\n", "cp {log} {log}.1; : >{log}; echo new >>{log}")
LONGER = ("o", "mv {log} {log}.1; echo new and longer >{log}")
FULL = ("old\n", "echo new >>{log}; mv {log} {log}.1; : >{log}")
AWAY = ("old\n", "mv {log} {log}.gz; : >{log}")
MUCH = ("old", "head -c 3000000 /dev/zero | tr '\\0' x >>{log}")


@pytest.mark.parametrize("cases", [(APPENDED, MADE), (ROTATED, EMPTIED)], ids=["appended, made", "rotated, emptied"])
def test_what_was_written_since_is_seen(seen, cases):
    assert seen(*cases) == ["new", "new"]


def test_much_is_not_read_whole(seen):
    longer, much = seen(LONGER, MUCH)
    assert (longer, len(much)) == ("new and longer", 65536)


def test_a_log_that_is_full_and_whose_successor_is_empty_was_written_to(seen):
    assert seen(FULL, AWAY) == ["old\nnew", ""]


def test_a_cache_that_wrote_nothing_stops_the_run(seen):
    assert "wrote nothing for 2 s after the command" in " ".join(seen(APPENDED, ("old\n", ":")).split())
