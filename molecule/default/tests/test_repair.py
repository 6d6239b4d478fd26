# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on a running cluster: what it costs, what it repairs, and what comes back without it."""

from __future__ import annotations

import re
import subprocess
from collections import Counter

import pytest

HOSTS = ("node-1", "node-2", "node-3", "plotter-1", "plotter-2", "storage-1", "storage-2")


@pytest.fixture(scope="module")
def cluster(operator):
    return operator("inventories/demo")


def pids(server, names):
    return {name: server(name).pids() for name in names}


def test_a_run_without_changes_changes_nothing_and_stays_within_the_budget(cluster, server):
    before = pids(server, HOSTS)
    done = cluster.passes("site.yml", "-vvv")
    assert done.changes == dict.fromkeys(HOSTS, 0)
    assert pids(server, HOSTS) == before
    # One look per host (docs/architecture.md).
    executions = Counter(re.findall(r"^<([0-9.]+)> SSH: EXEC", done.output, re.MULTILINE))
    assert sorted(executions.values()) == [1] * len(HOSTS)


def test_a_stopped_supervisord_is_started_again_and_nothing_else_restarts(cluster, server):
    others = [name for name in HOSTS if name != "plotter-1"]
    before = pids(server, others)
    server("plotter-1").run("systemctl stop supervisor")
    assert cluster.passes("site.yml").changes == {name: int(name == "plotter-1") for name in HOSTS}
    assert pids(server, others) == before
    assert set(server("plotter-1").programs().values()) == {"RUNNING"}


@pytest.mark.parametrize("order", [HOSTS[::-1]], ids=["storage first, NATS last"])
def test_a_cluster_that_lost_power_comes_back_by_itself(cluster, server, until, order):
    containers = [server(name).container for name in order]
    subprocess.run(["docker", "kill", *containers], check=True, capture_output=True)
    for container in containers:
        subprocess.run(["docker", "start", container], check=True, capture_output=True)
    for name in order:
        host = server(name)
        assert until(lambda host=host: set(host.programs().values()) == {"RUNNING"}, 300), (name, host.programs())
    # Healthy again by the collection's own checks, with nothing left to do.
    assert cluster.passes("site.yml").changes == dict.fromkeys(HOSTS, 0)
