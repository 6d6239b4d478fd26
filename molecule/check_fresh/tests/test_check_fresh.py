# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`site.yml --check --diff` on empty hosts: it passes, changes nothing, and predicts what the run without --check then does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
HOSTS = ("node-1", "node-2", "node-3", "plotter-1", "plotter-2", "storage-1", "storage-2")
# apt cannot predict on a host without package lists, so another task tells what it would do.
TOLD_BY = {"Tell which packages would be installed": "Install supervisor and numactl"}


def site(*options):
    """Run site.yml as an operator does; its output."""
    environment = dict(os.environ, ANSIBLE_CONFIG=str(REPOSITORY / "ansible.cfg"))
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventories/demo", "--diff", *options, "site.yml"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def changes(output):
    """(host, task) of everything that an output calls changed."""
    found, task = set(), None
    for line in output.splitlines():
        if line.startswith("TASK ["):
            task = line[len("TASK [") : line.rindex("]")].rpartition(" : ")[2]
        elif line.startswith("changed: ["):
            found.add((line[len("changed: [") : line.index("]")], TOLD_BY.get(task, task)))
    return found


def added_lines(output):
    """Every line that a diff of the output adds."""
    return {line[1:].rstrip() for line in output.splitlines() if line.startswith("+")}


@pytest.fixture(scope="module")
def prediction(server):
    for name in HOSTS:
        server(name).run("touch /run/marker")
    return site("--check")


@pytest.fixture(scope="module")
def result(prediction):
    return site()


@pytest.mark.parametrize("name", HOSTS)
def test_the_check_leaves_the_host_alone(server, prediction, name):
    # Logging in writes the journal; Ansible makes its own folder.
    changed = server(name).run("find / -xdev -type f -newer /run/marker -not -path '/proc/*' -not -path '/sys/*' -not -path '/var/log/*'").split()
    assert changed == []
    assert server(name).host.run("command -v supervisord numactl").stdout == ""
    assert not server(name).host.user("autonomys").exists


def test_the_prediction_comes_true(prediction, result):
    assert changes(prediction) == changes(result)
    assert {host for host, _task in changes(result)} == set(HOSTS)


@pytest.mark.parametrize("name", HOSTS)
def test_the_predicted_files_are_the_files_that_came(server, prediction, result, name):
    files = [*server(name).run("ls /etc/supervisor/conf.d/*.conf").split(), *(["/etc/nats-server.conf"] if name.startswith("node") else [])]
    shown = added_lines(prediction)
    for path in files:
        missing = [line for line in server(name).run(f"cat {path}").splitlines() if line.rstrip() not in shown]
        assert missing == [], path


def test_a_check_afterwards_predicts_nothing(result):
    output = site("--check")
    assert changes(output) == set()
    assert set(re.findall(r"^(\S+) +: ok=\d+ +changed=0 ", output, re.MULTILINE)) == set(HOSTS)
