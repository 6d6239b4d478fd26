# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""restart, stop, status and maintenance on a running cluster: what is named is touched, and nothing else."""

from __future__ import annotations

import pytest

HOSTS = ("node-1", "node-2", "node-3", "plotter-1", "plotter-2", "storage-1", "storage-2")
RESTART, STOP, STATUS, SITE = "playbooks/restart.yml", "playbooks/stop.yml", "playbooks/status.yml", "site.yml"


@pytest.fixture(scope="module")
def cluster(operator):
    made = operator("inventories/demo")
    # What other tests killed is back, but maybe not healthy yet, and a controller ends once more with its node.
    made.passes(SITE)
    return made


@pytest.fixture
def touched(server):
    """The programs, as HOST/PROGRAM, that another process runs now, or none, than at the beginning of the test."""

    def processes():
        return {f"{name}/{program}": pid for name in HOSTS for program, pid in server(name).pids().items()}

    before = processes()

    def changed():
        now = processes()
        return {program for program in {*before, *now} if before.get(program) != now.get(program)}

    return changed


def test_restart_and_stop_want_to_be_told_what(cluster, touched):
    for playbook, verb in ((RESTART, "restart"), (STOP, "stop")):
        assert f"Say what to {verb}: -e {verb}_components=controller,node" in cluster.fails(playbook).text
    assert "restart_components has controler" in cluster.fails(RESTART, restart_components="controler").text
    assert touched() == set()


def test_a_check_restarts_nothing_and_a_restart_by_component_only_that(cluster, touched):
    controllers = {f"node-{number}/autonomys-controller" for number in (1, 2, 3)}
    assert sum(cluster.passes(RESTART, "--check", restart_components="controller").changes.values()) == len(controllers)
    assert touched() == set()
    cluster.passes(RESTART, restart_components="controller")
    assert touched() == controllers


def test_a_restart_of_one_gpu_slot_on_one_host_touches_one_plot_server(cluster, touched):
    cluster.passes(RESTART, "--limit", "plotter-1", restart_gpu_slots="2")
    assert touched() == {"plotter-1/autonomys-plot-server-2"}


def test_a_stop_that_the_cluster_cannot_bear_is_refused(cluster, touched):
    assert (
        "That would stop 3 of the 3 NATS servers, and JetStream with them"
        in cluster.fails(STOP, stop_components="nats").text
    )
    assert "That would stop plot_client on every host" in cluster.fails(STOP, stop_components="plot_client").text
    assert touched() == set()


def test_what_is_stopped_by_hand_is_seen_by_status_and_started_by_site(cluster, server, touched):
    cluster.passes(STOP, "--limit", "plotter-2", stop_programs="autonomys-full-piece")
    assert touched() == {"plotter-2/autonomys-full-piece"}
    assert server("plotter-2").programs()["autonomys-full-piece"] == "STOPPED"
    status = cluster.fails(STATUS)
    assert "plotter-2 caches autonomys-full-piece STOPPED NOT HEALTHY" in status.text
    assert (
        status.text.count("NOT HEALTHY") >= 1 and "plotter-1 caches autonomys-full-piece RUNNING healthy" in status.text
    )
    assert cluster.passes(SITE).changes == {name: int(name == "plotter-2") for name in HOSTS}
    assert touched() == {"plotter-2/autonomys-full-piece"}
    assert "NOT HEALTHY" not in cluster.passes(STATUS).text


def test_what_is_kept_stopped_for_maintenance_stays_stopped_until_the_inventory_says_otherwise(
    cluster, server, touched
):
    held = {"controller_state": "{{ 'stopped' if inventory_hostname == 'node-3' else 'started' }}"}
    cluster.passes(SITE, **held)
    assert touched() == {"node-3/autonomys-controller"}
    server("node-3").run("systemctl restart supervisor")
    assert cluster.passes(SITE, **held).changes == dict.fromkeys(HOSTS, 0)
    assert server("node-3").programs()["autonomys-controller"] == "STOPPED"
    assert "node-3 controller" in (text := cluster.passes(STATUS, **held).text) and "kept stopped" in text
    cluster.passes(SITE)
    assert set(server("node-3").programs().values()) == {"RUNNING"}
