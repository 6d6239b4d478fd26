# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`site.yml --check --diff` and `playbooks/plan.yml`.

On empty hosts and on running ones they change nothing, and predict what `site.yml` then does.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
HOSTS = ("node-1", "node-2", "node-3", "plotter-1", "plotter-2", "storage-1", "storage-2")
# apt cannot predict on a host without package lists, so another task tells what it would do.
TOLD_BY = {"Show which packages would be installed": "Install supervisor and numactl"}


# A change of each kind: NATS reads its configuration again, plot servers restart, plot clients stop.
CHANGE = {"nats_write_deadline": "11s", "plot_server_environment": {"RUST_LOG": "info"}, "plot_client_state": "stopped"}


def site(*options, playbook="site.yml"):
    """Run a playbook as an operator does; its output."""
    environment = dict(os.environ, ANSIBLE_CONFIG=str(REPOSITORY / "ansible.cfg"))
    command = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        "inventories/demo",
        "--diff",
        *options,
        playbook,
    ]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def plan(folder, *options):
    """What playbooks/plan.yml writes."""
    path = folder / "plan.json"
    output = site("-e", f"cluster_plan_file={path}", *options, playbook="playbooks/plan.yml")
    assert "Nothing was changed." in output
    return json.loads(path.read_text(encoding="utf-8"))


def planned(found, change):
    """(host, program) of what a plan says of some change."""
    return {
        (host, item["name"])
        for host, about in found["hosts"].items()
        for item in about["programs"]
        if item["change"] == change
    }


def pids(server):
    """(host, program) to the number of its process."""
    return {(name, program): pid for name in HOSTS for program, pid in server(name).pids().items()}


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
def first_plan(prediction, tmp_path_factory):
    return plan(tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def result(first_plan):
    return site()


@pytest.mark.parametrize("name", HOSTS)
def test_check_and_plan_leave_the_host_alone(server, first_plan, name):
    # Logging in writes the journal; Ansible makes its own folder.
    changed = (
        server(name)
        .run("find / -xdev -type f -newer /run/marker -not -path '/proc/*' -not -path '/sys/*' -not -path '/var/log/*'")
        .split()
    )
    assert changed == []
    assert server(name).host.run("command -v supervisord numactl").stdout == ""
    assert not server(name).host.user("autonomys").exists


def test_the_prediction_comes_true(prediction, result):
    assert changes(prediction) == changes(result)
    assert {host for host, _task in changes(result)} == set(HOSTS)


@pytest.mark.parametrize("name", HOSTS)
def test_the_predicted_files_are_the_files_that_came(server, prediction, result, name):
    files = [
        *server(name).run("ls /etc/supervisor/conf.d/*.conf").split(),
        *(["/etc/nats-server.conf"] if name.startswith("node") else []),
    ]
    shown = added_lines(prediction)
    for path in files:
        missing = [line for line in server(name).run(f"cat {path}").splitlines() if line.rstrip() not in shown]
        assert missing == [], path


def test_a_check_afterwards_predicts_nothing(result):
    output = site("--check")
    assert changes(output) == set()
    assert set(re.findall(r"^(\S+) +: ok=\d+ +changed=0 ", output, re.MULTILINE)) == set(HOSTS)


def test_the_plan_of_empty_hosts_comes_true(server, first_plan, result):
    assert planned(first_plan, "start") == set(pids(server))
    assert first_plan["summary"]["changes"]["start"] == first_plan["summary"]["programs"] == 26
    for name in ("node-1", "plotter-1", "storage-1"):
        for item in first_plan["hosts"][name]["programs"]:
            assert server(name).command(item["name"]) == item["command"]
    assert all(about["install"] and about["prepare"] for about in first_plan["hosts"].values())


def test_a_planned_change_comes_true(server, result, tmp_path):
    assert plan(tmp_path)["steps"] == []
    before = pids(server)
    options = ("-e", json.dumps(CHANGE))
    # Under --check it is the same.
    found = plan(tmp_path, "--check", *options)
    assert pids(server) == before
    site(*options)
    after = pids(server)
    assert (
        planned(found, "stop")
        == set(before) - set(after)
        == {("storage-1", "autonomys-plot-client"), ("storage-2", "autonomys-plot-client")}
    )
    assert planned(found, "restart") == {key for key in set(before) & set(after) if before[key] != after[key]}
    assert planned(found, "start") == set(after) - set(before) == set()
    assert planned(found, "reload") == {(name, "nats-server") for name in HOSTS[:3]}
    kinds = [(step["component"], step["kind"], len(step["batches"])) for step in found["steps"]]
    assert kinds == [("nats", "reload", 1), ("plot_server", "restart", 2), ("plot_client", "stop", 1)]
    assert plan(tmp_path, *options)["steps"] == []
    # And back, for the tests of the files that follow.
    site()
    assert set(pids(server)) == set(before)
