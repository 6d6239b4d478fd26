# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's own ansible.cfg changes nothing: plan.yml finds the same, and what is secret stays so."""

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
from ansible.parsing.vault import VaultLib, VaultSecret

ROOT = Path(__file__).parents[3]
SETTINGS = {
    "facts only below ansible_facts": {"ANSIBLE_INJECT_FACT_VARS": "false"},
    "strategy free": {"ANSIBLE_STRATEGY": "free"},
    "errors fatal": {"ANSIBLE_ANY_ERRORS_FATAL": "true"},
    "maps merged": {"ANSIBLE_HASH_BEHAVIOUR": "merge"},
    "unknown hosts an error": {"ANSIBLE_HOST_PATTERN_MISMATCH": "error"},
    "one fork": {"ANSIBLE_FORKS": "1"},
    "a limit per task": {"ANSIBLE_TASK_TIMEOUT": "250"},
    "no log": {"ANSIBLE_NO_LOG": "true"},
    "private variables of roles": {"ANSIBLE_PRIVATE_ROLE_VARS": "true"},
    "no pipelining": {"ANSIBLE_PIPELINING": "false"},
    "facts cached": {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": "{folder}/cached"},
}
TOGETHER = {name: value for settings in SETTINGS.values() for name, value in settings.items()}
MARKS = {
    "environment": "MARK-environment-1f2e",
    "argument": "MARK-argument-3d4c",
    "address": "MARK-address-5b6a",
    "vaulted": "MARK-vaulted-7988",
    "foreign": "MARK-foreign-a9b8",
}


class Cluster:
    """An inventory of a NATS server, a node and two storage hosts, all of them this machine or unreachable, and
    its runs.
    """

    def __init__(self, folder):
        self.folder = folder
        program = b"a program"
        (folder / "program").write_bytes(program)
        binary = {"src": str(folder / "program"), "checksum": "sha256:" + hashlib.sha256(program).hexdigest()}
        storage = {"plot_client_reward_address": "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1"}
        gone = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
        self.variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "cluster_version": "v1.0.0",
            "cluster_install_dir": str(folder / "opt"),
            "cluster_binaries": {"autonomys-farmer": binary, "autonomys-node": binary},
            "cluster_accept": ["DISK011", "HOST004", "HOST005", "HOST006", "INV001", "NATS002"],
        }
        data = str(folder / "data")
        self.groups = {
            "nats": {"node-1": {"ansible_host": "10.0.0.1", "nats_store_dir": data}},
            "node": {"node-1": {"node_base_path": data}},
            "plot_client": {
                "storage-1": dict(storage, ansible_host="10.0.0.6", plot_client_farms=[{"path": "/nonexistent/farm"}]),
                "storage-2": dict(storage, **gone, plot_client_farms=[{"path": "/mnt"}]),
            },
        }

    def run(self, playbook, *arguments, **environment):
        """Run a playbook and return what it said."""
        children = {name: {"hosts": hosts} for name, hosts in self.groups.items()}
        inventory = self.folder / "inventory.yml"
        inventory.write_text(to_yaml({"all": {"vars": self.variables, "children": children}}), encoding="utf-8")
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, f"autonomys.cluster.{playbook}"]
        done = subprocess.run(
            [*command, *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **self.filled(environment)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def filled(self, environment):
        """Variables of the environment with this cluster's folder."""
        return {name: value.replace("{folder}", str(self.folder)) for name, value in environment.items()}

    def plan(self, *arguments, **environment):
        """Run plan.yml and return the plan."""
        file = self.folder / "plan.json"
        status, output = self.run("plan", "-e", f"cluster_plan_file={file}", *arguments, **environment)
        assert status == 0, output
        return json.loads(file.read_text(encoding="utf-8"))


def to_yaml(data):
    """YAML with values that are encrypted already."""

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(Vaulted, lambda dumper, value: dumper.represent_scalar("!vault", value.text, style="|"))
    return yaml.dump(data, Dumper=Dumper)


class Vaulted:
    """A value as ansible-vault encrypt_string writes it."""

    def __init__(self, value, password):
        secrets = [("default", VaultSecret(password.encode()))]
        self.text = VaultLib(secrets).encrypt(value, secrets[0][1]).decode()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    return Cluster(tmp_path_factory.mktemp("settings"))


@pytest.fixture(scope="module")
def usual(cluster):
    """The plan with the project's own settings."""
    plan = cluster.plan()
    states = {name: host["state"] for name, host in plan["hosts"].items()}
    assert states == {"node-1": "ready", "storage-1": "left out", "storage-2": "unreachable"}
    assert plan["hosts"]["node-1"]["programs"]
    return plan


def comparable(plan):
    """The plan without what changes by itself.

    The room on a disk, and what SSH said, which is withheld where nothing is logged.
    """
    plan = json.loads(json.dumps(plan))
    for host in plan["hosts"].values():
        host["why"] = host["why"][:9]
        for farm in host["farms"]:
            del farm["available"]
    plan["findings"] = [[item[key] for key in ("severity", "rule", "hosts", "accepted")] for item in plan["findings"]]
    return plan


@pytest.mark.parametrize("settings", [*SETTINGS.values(), TOGETHER], ids=[*SETTINGS, "all together"])
def test_the_plan_is_the_same(cluster, usual, settings):
    plan = comparable(cluster.plan(**settings))
    if plan != comparable(usual):
        # This machine, which is looked at, may have changed since: what other tests do on it is seen too.
        usual, plan = cluster.plan(), comparable(cluster.plan(**settings))
    assert plan == comparable(usual)


def announced(cluster, **settings):
    """How site.yml ends where nothing may be changed: its status, its findings, and per host the tasks that change."""
    file = cluster.folder / "findings.json"
    file.unlink(missing_ok=True)
    status, output = cluster.run("site", "--check", "-e", f"cluster_findings_file={file}", **settings)
    recap = dict(re.findall(r"^(\S+) +: ok=\d+ +(changed=\d+ +unreachable=\d+ +failed=\d+)", output, re.MULTILINE))
    findings = [[item[key] for key in ("severity", "rule", "hosts")] for item in json.loads(file.read_text())]
    assert "PLAY RECAP" in output, output[-4000:]
    return status, findings, {host: " ".join(words.split()) for host, words in recap.items()}


def test_site_comes_to_the_same_under_all_of_them_together(tmp_path):
    cluster = Cluster(tmp_path)
    # What is wrong with the inventory itself would end it before it gets to the roles.
    cluster.groups["node"]["node-1"]["node_base_path"] = str(tmp_path / "node")
    cluster.groups["plot_client"]["storage-2"].update(
        plot_client_farms=[{"path": "/nonexistent/other"}], cluster_address="10.0.0.7"
    )
    # The temporary folder of a test is closed to the service user.
    cluster.variables["cluster_accept"] += ["DISK014"]
    usual = announced(cluster)
    changes = {host: int(words.split()[0].partition("=")[2]) for host, words in usual[2].items()}
    # It has got to the roles, as far as a machine without systemd lets it; molecule/node goes all the way.
    assert usual[1] and changes["node-1"] >= 3, usual
    assert announced(cluster, **TOGETHER) == usual


def test_secrets_are_neither_cached_nor_shown(tmp_path):
    cluster = Cluster(tmp_path)
    cluster.groups["nats"]["node-1"]["nats_environment"] = {"PUSH_TOKEN": MARKS["environment"]}
    cluster.groups["node"]["node-1"].update(
        node_extra_args=["--node-key", MARKS["argument"]],
        node_environment={"API_PASSWORD": Vaulted(MARKS["vaulted"], "the password")},
    )
    cluster.variables["cluster_proxy"] = f"http://user:{MARKS['address']}@10.0.0.9:3128"
    cluster.variables["other_password"] = MARKS["foreign"]
    password, cache = tmp_path / "password", tmp_path / "cache"
    password.write_text("the password", encoding="utf-8")
    caching = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache)}
    plan, report = tmp_path / "plan.json", tmp_path / "report.html"
    options = ["--vault-password-file", password, "-vvv", "--diff"]
    options += ["-e", f"cluster_plan_file={plan}", "-e", f"cluster_report_file={report}"]
    status, output = cluster.run("plan", *options, **caching)
    assert status == 0, output
    shown = {name for name, mark in MARKS.items() if mark in output}
    assert shown == set(), "\n".join(line for line in output.splitlines() if "MARK-" in line)
    for file in (plan, report, *cache.rglob("*")):
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        assert {name for name, mark in MARKS.items() if mark in text} == set(), file
