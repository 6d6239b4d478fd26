# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PRINT_MODEL = """
- hosts: all
  gather_facts: false
  tasks:
    - autonomys.cluster.cluster_model:
      register: built
      run_once: true
    - ansible.builtin.copy:
        content: "{{ built.model | to_json }}"
        dest: "{{ model_file }}"
        mode: "0600"
      delegate_to: localhost
      vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
      run_once: true
"""


def model_of(inventory, folder):
    """The model of an inventory, made by ansible-playbook as a user's run makes it; no host is contacted."""
    playbook, model = folder / "model.yml", folder / "model.json"
    playbook.write_text(PRINT_MODEL, encoding="utf-8")
    command = [
        Path(sys.executable).parent / "ansible-playbook",
        "-i",
        ROOT / inventory,
        "-e",
        f"model_file={model}",
        playbook,
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg")),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(model.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tutorial_model(tmp_path_factory):
    """The model of inventories/tutorial."""
    return model_of("inventories/tutorial", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def literal_model(tmp_path_factory):
    """The model of the tutorial with all its faults."""
    return model_of("tests/fixtures/tutorial/inventory.yml", tmp_path_factory.mktemp("literal"))
