# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles alone take values from the command line, which are texts, as what they mean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files

ROOT = Path(__file__).parents[3]
LOCAL = {"ansible_python_interpreter": sys.executable}
DROPIN = "/etc/systemd/system/supervisor.service.d/autonomys.conf"
HOST = {
    "files": {DROPIN: None, os.path.dirname(DROPIN): {}, "/var/log": {}},
    "user": {"name": "autonomys"},
    "packages": {"numactl": "2", "supervisor": None},
    "service": {"active": True, "enabled": True},
}


def run(folder, entry_point, variables, *arguments):
    """Run an entry point of role common in check mode on this machine; return what it said."""
    include = {"name": "autonomys.cluster.common", "tasks_from": entry_point}
    play = {"hosts": "localhost", "gather_facts": False, "vars": {**LOCAL, **variables}}
    play["tasks"] = [{"name": "Run it", "ansible.builtin.include_role": include}]
    playbook = folder / "play.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    command = [Path(sys.executable).parent / "ansible-playbook", "-C", "-i", "localhost,", "-c", "local", playbook]
    environment = dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), ANSIBLE_DISPLAY_SKIPPED_HOSTS="true")
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("text", "removes"), [("true", True), ("yes", True), ("false", False), ("no", False)])
def test_what_is_left_over_is_removed_where_that_is_wanted(tmp_path, text, removes):
    orphans = {"__preflight": {"orphans": {"localhost": ["no-such-program"]}}}
    status, output = run(tmp_path, "orphans", orphans, "-e", f"cluster_remove_orphans={text}")
    assert "Conditional result" not in output
    assert ("skipping: [localhost]" not in output) == removes, output


@pytest.mark.parametrize(("text", "refused"), [("true", True), ("no", False)])
def test_an_offline_host_installs_no_packages(tmp_path, text, refused):
    status, output = run(tmp_path, "prepare", {"__common_host": {"host": HOST}}, "-e", f"cluster_offline={text}")
    assert "Conditional result" not in output
    assert ("cluster_offline forbids" in " ".join(output.split())) == refused, output
    assert status != 0 or not refused


def test_the_settings_of_a_role_have_types(tmp_path):
    variables = {"controller_tmp": "false", "node_rpc_port": "19944", "plot_client_pieces_in_sector": "1000"}
    show = {
        "name": "Show",
        "ansible.builtin.debug": {"msg": "{{ given | autonomys.cluster.typed_variables | to_json }}"},
    }
    play = {"hosts": "localhost", "gather_facts": False, "vars": {"given": variables}, "tasks": [show]}
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", playbook]
    environment = dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"))
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    expected = '{"controller_tmp": false, "node_rpc_port": 19944, "plot_client_pieces_in_sector": 1000}'
    assert expected in " ".join(done.stdout.split()), done.stdout + done.stderr
    assert set(variables) <= set(role_files.all_options())
