# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marked secrets of an inventory, in every playbook on a real host: they are where programs need them and nowhere else.

The host has the node of this scenario already; here it gets a NATS server too, as one cluster.
"""

from __future__ import annotations

import json
import os
import textwrap

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

MARKS = {
    name: f"M4RK-{name}-4c1d"
    for name in ("environment", "vaulted", "argument", "query", "password", "foreign", "refused")
}
SETTINGS = {
    "ANSIBLE_INJECT_FACT_VARS": "false",
    "ANSIBLE_STRATEGY": "free",
    "ANSIBLE_ANY_ERRORS_FATAL": "true",
    "ANSIBLE_HASH_BEHAVIOUR": "merge",
    "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
    "ANSIBLE_FORKS": "1",
    "ANSIBLE_TASK_TIMEOUT": "250",
    "ANSIBLE_PRIVATE_ROLE_VARS": "true",
    "ANSIBLE_PIPELINING": "false",
}
ACCEPTED = ["DISK011", "HOST004", "HOST005", "HOST006", "HOST007", "INV001", "NATS002", "PROG005", "PROG009", "VAR007"]
# Where a program's environment and arguments must be; only root reads these.
NEEDED = {
    "/etc/supervisor/conf.d/autonomys-node.conf",
    "/etc/supervisor/conf.d/.autonomys-node.conf.previous",
    "/etc/supervisor/conf.d/nats-server.conf",
    "/etc/supervisor/conf.d/.nats-server.conf.previous",
}
# What the host keeps, apart from what the kernel makes up.
FILES = "grep -rlE --binary-files=text --exclude-dir=proc --exclude-dir=sys M4RK- / 2>/dev/null || true"
SEEN_BY_OTHERS = "for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do cat $file 2>/dev/null; echo; done"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An inventory of the scenario's host as a cluster whose variables hold secrets, and all that runs leave behind."""
    folder = tmp_path_factory.mktemp("secrets")
    secrets = [("default", VaultSecret(b"the password"))]
    (folder / "password").write_text("the password", encoding="utf-8")
    vaulted = VaultLib(secrets).encrypt(MARKS["vaulted"], secrets[0][1]).decode()
    variables = f"""\
cluster_accept: {json.dumps(ACCEPTED)}
node_environment:
  PUSH_TOKEN: {MARKS["environment"]}
  RUST_LOG: info
  PUSH_URL: "https://operator:{MARKS["password"]}@metrics.example.org/push?token={MARKS["query"]}"
  API_PASSWORD: !vault |
{textwrap.indent(vaulted, "    ")}
nats_extra_args: [--user, operator, --pass, {MARKS["argument"]}]
other_password: {MARKS["foreign"]}
"""
    groups = "all:\n  children: {nats: {hosts: {minimal: {}}}, node: {hosts: {minimal: {}}}}\n  vars:\n"
    (folder / "hosts.yml").write_text(groups + textwrap.indent(variables, "    "), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def said(operator, minimal, folder):
    """What every playbook says, whether it ends well or not."""
    runs = operator(folder / "hosts.yml")
    runs.environment.update(ANSIBLE_CACHE_PLUGIN="jsonfile", ANSIBLE_CACHE_PLUGIN_CONNECTION=str(folder / "cache"))
    options = ["-i", os.environ["MOLECULE_INVENTORY_FILE"], "--limit", "minimal", "-vvv", "--diff"]
    options += ["--vault-password-file", str(folder / "password")]
    files = {f"cluster_{name}_file": str(folder / name) for name in ("plan", "report", "findings", "drift")}
    output = {}

    def run(name, playbook, ends_well=True, **settings):
        done = runs.run(f"playbooks/{playbook}.yml", *options, **files, **settings)
        assert (done.status == 0) == ends_well, done
        output[name] = done.output

    run("plan of what comes", "plan")
    # The operator's own settings, all that go together but for the one that withholds everything.
    runs.environment.update(SETTINGS)
    run("deployment", "site")
    run("restart", "restart", restart_components="node")
    for name in SETTINGS:
        del runs.environment[name]
    refused = {"node_environment": {"PUSH_TOKEN": f"{MARKS['refused']} ;x"}}
    run("refused", "preflight", ends_well=False, **refused)
    minimal.run("sed -i 's/PUSH_TOKEN/PUSH_TOKEM/' /etc/supervisor/conf.d/autonomys-node.conf")
    run("drift", "drift", ends_well=False)
    run("stage", "stage")
    run("status", "status")
    return output


def marks_in(text):
    return {name for name, mark in MARKS.items() if mark in text}


def test_no_playbook_says_a_secret(said):
    shown = {name: [line for line in text.splitlines() if "M4RK-" in line][:3] for name, text in said.items()}
    assert {name: lines for name, lines in shown.items() if lines} == {}
    assert "changed=" in said["deployment"] and "PUSH_TOKEM" in said["drift"]


def test_no_file_on_the_control_node_has_one(said, folder):
    found = {path.name for path in folder.rglob("*") if path.is_file() and marks_in(path.read_text("utf-8", "replace"))}
    assert found == {"hosts.yml"}
    assert {"plan", "report", "findings", "drift"} <= {path.name for path in folder.iterdir()}


def test_the_host_has_them_where_programs_need_them_and_nowhere_else(said, minimal):
    found = set(minimal.run(FILES).split())
    assert found and found <= NEEDED
    for path in found:
        assert minimal.run(f"stat -c '%a %U' {path}").split() == ["640", "root"]
    journal = minimal.run("journalctl --no-pager --output=verbose").splitlines()
    assert journal and [line.strip() for line in journal if "M4RK-" in line] == []


def test_no_other_user_of_the_host_sees_one_but_as_an_argument(said, minimal):
    """That arguments can be seen by everybody is said by a finding."""
    seen = minimal.run(f"su nobody -s /bin/sh -c '{SEEN_BY_OTHERS}' | tr '\\0' '\\n'")
    assert marks_in(seen) == {"argument"}
    assert "PROG009" in said["refused"] and "--pass" in said["refused"]
