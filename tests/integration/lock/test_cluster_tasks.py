# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that take, renew and give back the cluster, as Ansible runs them; every host of the test is a folder."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import content_of, take
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.store import clock
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._lock.runs import run

ROOT = Path(__file__).parents[3]
TASKS = ROOT / "playbooks" / "tasks"
# Root has one folder of locks for the whole machine, any other user one among his temporary files.
USER = 65534 if os.geteuid() == 0 else os.geteuid()
SEED = int(os.environ.get("LOCK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
ROUNDS = int(os.environ.get("LOCK_ROUNDS", "3"))
DOWN = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


class Cluster:
    """Hosts of NATS on this machine, each with a folder of locks of its own."""

    def __init__(self, folder, count):
        self.folder = folder
        self.hosts = [f"node-{number}" for number in range(1, count + 1)]
        self.down = set()
        for host in self.hosts:
            self._make(folder / host)

    @staticmethod
    def _make(folder):
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, USER, USER)

    def record(self, host):
        return self.folder / host / f"autonomys.cluster-{USER}" / "cluster.json"

    def holders(self):
        """Return which run has the record of every host, None where nobody has."""
        found = {}
        for host in self.hosts:
            holder = json.loads(self.record(host).read_text())["holder"] if self.record(host).exists() else None
            found[host] = holder and holder["run"]
        return found

    def hold(self, name, *hosts, **more):
        """Let another run have the records of these hosts."""
        for host in hosts:
            path = self.record(host)
            if not path.parent.exists():
                self._make(path.parent)
            record = take(None, {**run(name), **more}, clock(), None, None, True).record
            path.write_text(content_of(record))
            os.chown(path, USER, -1)

    def start(self, *names, run="run", **settings):
        """Start a run of these tasks: files of playbooks/tasks without their ending, or commands."""
        play = {"name": "Run them", "hosts": "all", "gather_facts": False, "strategy": "linear"}
        # As in the plays that have them.
        play.update(any_errors_fatal=True, ignore_unreachable=True, timeout=0)
        play["vars_files"] = [str(ROOT / "playbooks" / "vars" / "from_model.yml")]
        play["tasks"] = [self._task(name) for name in names]
        after = {"name": "Next", "hosts": "all", "gather_facts": False, "strategy": "linear"}
        after["tasks"] = [{"name": "Say so", "ansible.builtin.debug": {"msg": "The run goes on."}, "run_once": True}]
        playbook, inventory = self.folder / f"{run}.json", self.folder / f"{run}.hosts.json"
        playbook.write_text(json.dumps([play, after]))
        inventory.write_text(json.dumps(self._inventory(settings)))
        return subprocess.Popen(
            [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, playbook],
            cwd=ROOT,
            env=dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), COLUMNS="1000"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(self, *names, **settings):
        """Run tasks in one run; return its status and its output in one line."""
        process = self.start(*names, **settings)
        output, _nothing = process.communicate(timeout=120)
        return process.returncode, " ".join(output.split())

    def script(self, name, text):
        """Make a command that a run can have among its tasks."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    @staticmethod
    def _task(name):
        if (TASKS / f"{name}.yml").exists():
            return {"name": name, "ansible.builtin.import_tasks": str(TASKS / f"{name}.yml")}
        return {"name": name, "ansible.builtin.command": name, "delegate_to": "localhost", "run_once": True}

    def _inventory(self, settings):
        settings = {"nats_cluster_name": "autonomys", "cluster_lock_take": False, **settings}
        model = {
            "components": {"nats": self.hosts},
            "hosts": {host: {"settings": settings} for host in self.hosts},
        }
        hosts = {host: dict(DOWN) if host in self.down else self._local(host) for host in self.hosts}
        hosts[self.hosts[0]]["__cluster_model"] = model
        return {"nats": {"hosts": hosts}}

    def _local(self, host):
        who = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []
        command = shlex.join(["env", f"TMPDIR={self.folder / host}", *who, os.path.realpath(sys.executable)])
        python = self.script(f"{host}.python", f'exec {command} "$@"')
        return {"ansible_connection": "local", "ansible_pipelining": True, "ansible_python_interpreter": python}


@pytest.fixture
def cluster():
    """Make a cluster with so many hosts of NATS."""
    # Whom the modules run as cannot look into the folders of pytest.
    folder = Path(tempfile.mkdtemp(prefix="autonomys-lock-"))
    folder.chmod(0o755)
    yield lambda count: Cluster(folder, count)
    shutil.rmtree(folder)


@pytest.mark.parametrize(("count", "down"), [(1, None), (3, "node-1")])
def test_a_run_takes_renews_and_gives_back(cluster, count, down):
    made = cluster(count)
    made.down = {down}
    status, output = made.play("take_cluster", "renew_cluster", "give_cluster_back")
    # One of three hosts that cannot be reached stops nothing.
    assert status == 0 and "The run goes on." in output, output
    assert all(made.record(host).exists() for host in made.hosts if host != down)
    assert made.holders() == dict.fromkeys(made.hosts)


def test_too_few_hosts_are_named_and_what_was_taken_is_given_back(cluster):
    made = cluster(2)
    made.down = {"node-2"}
    status, output = made.play("take_cluster")
    assert status and "that takes 2 of the 2 hosts in the group nats" in output, output
    assert "node-2: it cannot be reached" in output and "The run goes on." not in output
    assert made.holders() == {"node-1": None, "node-2": None}
    status, output = made.play("take_cluster", cluster_lock_take=True)
    assert status == 0, output


def test_after_the_first_host_that_another_run_has_none_is_taken(cluster):
    made = cluster(5)
    made.hold("bob", "node-2")
    status, output = made.play("take_cluster")
    assert status and "the cluster is held by bob on control-1" in output, output
    assert made.holders() == {**dict.fromkeys(made.hosts), "node-2": "bob"}
    # What was taken before it was given back, and nobody has touched the others.
    assert [made.record(host).exists() for host in made.hosts] == [True, True, False, False, False]


def test_a_run_that_ended_on_this_control_node_is_in_nobodys_way(cluster):
    made = cluster(3)
    status, output = made.play("take_cluster", "false")
    assert status and None not in made.holders().values(), output
    status, output = made.play("take_cluster", "give_cluster_back")
    assert status == 0, output
    assert made.holders() == dict.fromkeys(made.hosts)


def test_a_run_that_was_robbed_stops_and_leaves_nothing_behind(cluster):
    made = cluster(3)
    theirs = made.folder / "theirs.json"
    made.hold("bob", "node-2")
    made.record("node-2").rename(theirs)
    robbery = "; ".join(f"cp -p {theirs} {made.record(host)}" for host in made.hosts[1:])
    status, output = made.play("take_cluster", made.script("rob", robbery), "renew_cluster")
    assert status and "This run does not hold the cluster any more: the cluster is held by bob" in output, output
    assert made.holders() == {"node-1": None, "node-2": "bob", "node-3": "bob"}


@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_runs_at_once(cluster, number):
    """Two runs of three steps at any offset, every third time with the first one killed: no two at work at once."""
    chance, made = random.Random(SEED * 1000 + number), cluster(3)
    log = made.folder / "log"
    killed = number % 3 == 2

    def start(name):
        work = made.script(f"{name}.step", f"echo begin {name} >>{log}; sleep 0.3; echo end {name} >>{log}")
        steps = [task for _step in range(3) for task in ("renew_cluster", work)]
        return made.start("take_cluster", *steps, "give_cluster_back", run=name)

    first = start("first")
    time.sleep(chance.uniform(1, 12) if killed else chance.uniform(0, 6))
    if killed:
        # Its process alone, as when memory is short: those of its tasks go on.
        first.kill()
    second = start("second")
    said = {name: " ".join(run.communicate(timeout=180)[0].split()) for name, run in runs(first, second)}
    passed = {name for name, run in runs(first, second) if run.returncode == 0}
    print(f"LOCK_SEED={SEED} round {number}, killed: {killed}, passed: {sorted(passed)}")
    assert "second" in passed if killed else passed, said
    for name in {"first", "second"} - passed - ({"first"} if killed else set()):
        assert "the cluster is held by" in said[name], said
    told = log.read_text().split("\n")[:-1]
    whole = [(f"begin {name}", f"end {name}") for name in ("first", "second")]
    if killed:
        # The command that ran when its run was killed ends by itself.
        told = [line for line in told if "second" in line]
    assert all(pair in whole for pair in zip(told[::2], told[1::2])), told
    assert all(told.count(f"end {name}") == 3 for name in passed), told
    assert made.holders() == dict.fromkeys(made.hosts)


def runs(first, second):
    return ("first", first), ("second", second)
