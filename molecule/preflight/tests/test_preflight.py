# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of preflight finds every planted fault, and changes nothing on any host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SCENARIO = "molecule/preflight/"
HOSTS = ("node-1", "node-2", "plotter-1", "storage-1", "storage-2")

# Rule, the hosts that it must name.
FAULTS = [
    ("NATS014", ["node-1"]),
    ("NODE008", ["node-1"]),
    ("NODE001", ["node-1"]),
    ("GPU001", ["node-2"]),
    ("PORT001", ["node-2"]),
    ("NATS001", ["node-2"]),
    ("GPU002", ["plotter-1"]),
    ("GPU009", ["plotter-1"]),
    ("NUMA010", ["plotter-1"]),
    ("CACHE001", ["plotter-1"]),
    ("PROG002", ["plotter-1"]),
    ("PROG003", ["plotter-1"]),
    ("PROG004", ["plotter-1"]),
    ("DISK001", ["storage-1"]),
    ("DISK002", ["storage-1"]),
    ("DISK006", ["storage-1"]),
    ("FARM001", ["storage-1"]),
    ("FARM009", ["storage-1"]),
    ("PROG001", ["storage-1"]),
    ("REL008", ["node-1", "storage-1"]),
    ("FARM010", ["storage-1", "storage-2"]),
    ("FARM008", ["storage-2"]),
    ("DISK005", ["storage-2"]),
    ("DISK007", ["storage-2"]),
    ("VAR003", ["storage-2"]),
    ("VAR007", ["storage-2"]),
    ("HOST001", ["storage-3"]),
]

SAID = {
    "NATS014": (
        "nats_server_name is node-1, but JetStream knows this server and its data in /var/lib/nats as former-name"
    ),
    "NUMA010": "Plot server 0 and plot server 1 both have the CPUs 0",
    "PROG002": "its log ends with: no GPU",
    "GPU009": "is used by sleep 36000 (pid",
    "DISK007": "sectors of /mnt/c is 5, but its files hold 22",
    "FARM009": "plot_client_farms lacks /mnt/c, which is deployed with 30 sectors",
}

# Files with time, owner, mode and size; of folders only what they are. Left out is what logging in writes, and what is
# no disk.
FILES = r"""find / /mnt/*/ -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run \
-o -path /var/log -o -path /var/lib/systemd \) -prune -o \
\( -type d -printf 'd %m %U:%G %p\n' -o -printf '%y %m %U:%G %s %T@ %C@ %p %l\n' \) | sort"""
PROCESSES = (
    "ps -eo pid,lstart,args --no-headers | "
    r"grep -Ev 'sshd|systemd --user|\(sd-pam\)|systemd-logind|dbus-daemon| ps -eo| sh -c | grep | sort$'"
)


def playbook(*arguments):
    """Run ansible-playbook as an operator does: (status, output)."""
    environment = dict(os.environ, ANSIBLE_CONFIG=str(REPOSITORY / "ansible.cfg"))
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", SCENARIO + "inventory", *arguments]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    return done.returncode, done.stdout + done.stderr


def state(server):
    """Everything on the hosts' disks, and all their processes."""
    return {name: (server(name).run(FILES).splitlines(), server(name).run(PROCESSES).splitlines()) for name in HOSTS}


@pytest.fixture(scope="module")
def run(server, tmp_path_factory):
    """One run: its output, its findings, and the hosts before and after."""
    file = tmp_path_factory.mktemp("findings") / "findings.json"
    before = state(server)
    status, output = playbook(
        "-i", SCENARIO + "unreachable", "playbooks/preflight.yml", "-vvv", "-e", f"cluster_findings_file={file}"
    )
    assert status == 2, output[-8000:]
    return {"output": output, "findings": json.loads(file.read_text()), "before": before, "after": state(server)}


@pytest.mark.parametrize("rule, hosts", FAULTS, ids=[rule for rule, _hosts in FAULTS])
def test_the_fault_is_reported(run, rule, hosts):
    found = [item for item in run["findings"] if item["rule"] == rule]
    assert sorted({host for item in found for host in item["hosts"]} & set(hosts)) == hosts, found
    assert any(SAID.get(rule, "") in item["message"] for item in found), found
    assert rule in run["output"]


def test_many_different_faults_are_planted():
    assert (
        len({rule for rule, _hosts in FAULTS}) >= 20
        and len({host for _rule, hosts in FAULTS for host in hosts}) == len(HOSTS) + 1
    )


@pytest.mark.parametrize("name", HOSTS)
def test_nothing_has_changed(run, name):
    for before, after in zip(run["before"][name], run["after"][name]):
        assert before and sorted(set(before) ^ set(after)) == []


def test_a_host_is_asked_four_times_at_most(run):
    executions = Counter(re.findall(r"^<([0-9.]+)> SSH: EXEC", run["output"], re.MULTILINE))
    print("SSH executions by host:", dict(executions))
    assert len(executions) == len(HOSTS) + 1 and max(executions.values()) <= 4, executions


def test_the_run_does_not_tell_secrets(run):
    assert "hunter2" not in json.dumps(run["findings"])


def test_left_over_programs_are_removed_where_that_is_wanted(server, tmp_path):
    plotter, play = server("plotter-1"), tmp_path / "orphans.yml"
    tasks = [{"ansible.builtin.include_role": {"name": "autonomys.cluster.common", "tasks_from": "orphans"}}]
    play.write_text(json.dumps([{"hosts": "plotter-1", "gather_facts": False, "tasks": tasks}]))
    orphans = json.dumps({"__preflight": {"orphans": {"plotter-1": ["autonomys-plot-client"]}}})
    for wanted, there in ((False, True), (True, False)):
        status, output = playbook(str(play), "-e", orphans, "-e", json.dumps({"cluster_remove_orphans": wanted}))
        assert status == 0, output
        assert plotter.host.file("/etc/supervisor/conf.d/autonomys-plot-client.conf").exists == there
    assert set(plotter.programs()) == {"autonomys-plot-server-0", "autonomys-plot-server-1", "autonomys-full-piece"}
