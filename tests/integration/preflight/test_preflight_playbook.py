# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/preflight.yml as a user runs it, on hosts that are this machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
REWARD_ADDRESS = "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1"

# As site.yml goes on after preflight.
THEN = """
- ansible.builtin.import_playbook: {preflight}
  vars:
    preflight_strict: false
- hosts: plot_client:&cluster_ready
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "goes on: {{{{ inventory_hostname }}}}"
"""


class Inventory:
    """An inventory of one NATS server and two storage hosts, all of them this machine."""

    def __init__(self, folder):
        self.folder = folder
        binary = b"a program"
        (folder / "farmer").write_bytes(binary)
        self.all = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "cluster_version": "v1.0.0",
            "cluster_binaries": {
                "autonomys-farmer": {"src": "farmer", "checksum": "sha256:" + hashlib.sha256(binary).hexdigest()}
            },
            # Nothing is wrong with this machine; these are about what stands in for a cluster.
            "cluster_accept": ["DISK011", "HOST004", "HOST005", "INV001", "NATS002"],
        }
        self.hosts = {
            "node-1": {"ansible_host": "10.0.0.1"},
            "storage-1": {
                "ansible_host": "10.0.0.6",
                "plot_client_reward_address": REWARD_ADDRESS,
                "plot_client_farms": [],
            },
            "storage-2": {
                "ansible_host": "10.0.0.7",
                "plot_client_reward_address": REWARD_ADDRESS,
                "plot_client_farms": [],
            },
        }
        self.groups = {"nats": ["node-1"], "plot_client": ["storage-1", "storage-2"]}

    def run(self, *arguments, playbook=ROOT / "playbooks" / "preflight.yml"):
        """Run a playbook on it: (status, output)."""
        children = {group: {"hosts": {host: {} for host in hosts}} for group, hosts in self.groups.items()}
        inventory = {"all": {"vars": self.all, "hosts": self.hosts, "children": children}}
        path = self.folder / "inventory.yml"
        path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(path), str(playbook)] + list(
            arguments
        )
        environment = dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"))
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def findings(self, *arguments):
        """Run preflight: (status, output, findings)."""
        file = self.folder / "findings.json"
        status, output = self.run("-e", f"cluster_findings_file={file}", *arguments)
        return status, output, json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture
def inventory(tmp_path):
    """A good inventory, to break."""
    return Inventory(tmp_path)


def lines(found):
    return [(item["severity"], item["rule"], ",".join(item["hosts"])) for item in found if not item["accepted"]]


def test_a_good_inventory_passes_and_accepted_findings_are_shown(inventory):
    status, output, found = inventory.findings("--check")
    assert (status, lines(found)) == (0, [("warning", "FARM007", "storage-1,storage-2")]), output
    # Without a terminal the table is as narrow as Ansible's own lines, and its cells may take several lines.
    assert re.search(r"^warning +NATS002  node-1 .*\n\(accepted\) ", output, re.MULTILINE)
    assert "; 3 hosts." in output and "changed=0" in output


def test_mistakes_of_all_kinds_are_reported_at_once(inventory):
    del inventory.all["cluster_version"]
    inventory.all["cluster_user"] = "{{ nobody_defined_this }}"
    inventory.all["nats_max_paylod"] = "4MB"
    inventory.groups["plot_cleint"] = inventory.groups.pop("plot_client")
    inventory.all["cluster_binaries"]["autonomys-farmer"]["checksum"] = "sha256:" + "0" * 64
    inventory.hosts["node-1"].update(
        ansible_host="node-1.example.org", nats_client_port="four", ansible_python_interpreter="/usr/bin/python3"
    )
    inventory.groups["caches"] = ["node-1"]
    status, output, found = inventory.findings()
    assert status == 2 and "Traceback" not in output
    assert lines(found) == [
        ("error", "INV004", "node-1"),
        ("error", "REL005", "node-1"),
        ("error", "VAR001", "node-1"),
        ("error", "VAR002", "node-1"),
        ("error", "VAR003", "node-1,storage-1,storage-2"),
        ("error", "VAR004", "node-1,storage-1,storage-2"),
        ("error", "INV002", "storage-1,storage-2"),
        ("info", "ROLL002", "node-1"),
    ], output
    assert "Did you mean nats_max_payload?" in output and "Rename it to plot_client." in output
    assert (
        "7 errors in the table above (INV002, INV004, REL005, VAR001, VAR002, VAR003, VAR004). Nothing was changed."
        in output
    )


def test_a_storage_host_with_an_error_is_left_out_and_the_rest_goes_on(inventory):
    inventory.hosts["storage-1"]["plot_client_farms"] = [{"path": "/nonexistent/farm"}]
    inventory.hosts["storage-2"]["plot_client_farms"] = []
    playbook = inventory.folder / "site.yml"
    playbook.write_text(THEN.format(preflight=ROOT / "playbooks" / "preflight.yml"), encoding="utf-8")
    status, output = inventory.run(playbook=playbook)
    assert status == 0, output
    assert "DISK001" in output and "Left out of this run: storage-1." in output
    assert "goes on: storage-2" in output and "goes on: storage-1" not in output
    assert inventory.run()[0] == 2


def test_an_unreachable_host_is_asked_once_and_left_out(inventory):
    inventory.hosts["storage-1"].update(
        ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=9, cluster_address="10.0.0.6"
    )
    inventory.hosts["storage-1"]["plot_client_farms"] = [{"path": "/mnt/farm"}]
    playbook = inventory.folder / "site.yml"
    playbook.write_text(THEN.format(preflight=ROOT / "playbooks" / "preflight.yml"), encoding="utf-8")
    status, output = inventory.run(playbook=playbook)
    assert status == 0, output
    assert "HOST001  storage-1" in output and output.count("UNREACHABLE") == 1
    assert "goes on: storage-2" in output and "goes on: storage-1" not in output


def test_an_error_of_a_host_that_all_need_stops_the_run(inventory):
    inventory.hosts["node-1"].update(
        ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=9, cluster_address="10.0.0.1"
    )
    playbook = inventory.folder / "site.yml"
    playbook.write_text(THEN.format(preflight=ROOT / "playbooks" / "preflight.yml"), encoding="utf-8")
    status, output = inventory.run(playbook=playbook)
    assert status == 2 and "1 error in the table above (HOST001). Nothing was changed." in output
    assert "goes on" not in output


def test_findings_are_reported_when_no_host_can_be_read_and_secrets_are_not_told(inventory):
    inventory.all["ansible_python_interpreter"] = "/nonexistent/python"
    inventory.all.update(
        ansible_become_password="hunter2",
        proxy_password="{{ lookup('ansible.builtin.env', 'HOME') }}",
        api_token_file="/run/token",
    )
    inventory.hosts["node-1"]["nats_environment"] = {"PUSH_TOKEN": "hunter3"}
    status, output, found = inventory.findings("-e", "other_password=hunter4")
    assert status == 2 and "hunter" not in output
    assert [(item["rule"], item["hosts"]) for item in found if item["rule"] in ("HOST002", "VAR007")] == [
        ("HOST002", ["node-1", "storage-1", "storage-2"]),
        ("VAR007", ["node-1"]),
        ("VAR007", ["node-1", "storage-1", "storage-2"]),
    ], output
    said = " ".join(item["message"] for item in found)
    assert "nats_environment holds a secret" in said and "ansible_become_password holds a secret" in said


def test_limit_says_what_was_not_read(inventory):
    inventory.hosts["storage-1"]["plot_client_farms"] = [{"path": "/nonexistent/farm"}]
    inventory.hosts["storage-1"]["plot_client_reward_address"] = "nonsense"
    status, output, found = inventory.findings("--limit", "storage-2")
    assert status == 2 and "rules about hosts saw 1 of 3 hosts" in output
    assert lines(found) == [("error", "FARM001", "storage-1"), ("warning", "FARM007", "storage-2")]


def test_a_query_selects(inventory):
    status, output = inventory.run(
        "-e", json.dumps({"cluster_findings_query": "[?severity=='warning'].rule | sort(@)[-1]"})
    )
    assert status == 0 and '\n"NATS002"\n' in output
    status, output = inventory.run("-e", json.dumps({"cluster_findings_query": "[?"}))
    assert status == 2 and "cluster_findings_query is not a JMESPath expression" in output
