# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan puts what the roles answered beside the model and what was read of the hosts."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster, program, steps


def test_on_an_empty_cluster_everything_starts_in_order():
    plan = Cluster().everywhere("ABSENT").plan()
    assert plan["summary"]["changes"] == {"stop": 0, "restart": 0, "start": 26, "reload": 0, "unknown": 0, "none": 0}
    nodes, plotters, storages = ["node-1", "node-2", "node-3"], ["plotter-1", "plotter-2"], ["storage-1", "storage-2"]
    order = [
        ("nats", nodes),
        ("node", nodes),
        ("controller", nodes),
        ("proof_server", nodes),
        ("caches", plotters),
        ("plot_server", plotters),
    ]
    assert steps(plan) == [(component, "start", [hosts]) for component, hosts in [*order, ("plot_client", storages)]]
    assert plan["steps"][0]["at_least_s"] == 10 and plan["steps"][0]["at_most_s"] == 610
    assert plan["steps"][0]["made_of"] == ["stay up for 10 s", "become healthy within 10 min"]
    assert program(plan, "node-1", "nats-server")["ports"] == [4222, 4248, 8222]
    assert program(plan, "plotter-2", "autonomys-plot-server-3")["ports"] == [9969]
    assert not any(host["errors"] for host in plan["hosts"].values())


def test_hosts_that_are_not_changed_stand_in_the_plan_with_the_reason():
    cluster = Cluster(storages=4).everywhere()
    cluster.facts["storage-1"].update(
        reachable=False, error="Failed to connect to the host via ssh", host=None, disks=None
    )
    cluster.left_out = {"storage-2": ["DISK001", "DISK001", "FARM003"]}
    del cluster.facts["storage-3"]
    cluster.variables["bastion"] = {"ansible_host": "10.0.9.9"}
    cluster.hosts.append("bastion")
    cluster.answers["node-1"]["release"] = {"error": "What would be installed is not known: no"}
    cluster.answers["storage-4"]["plot_client"] = {"error": "What would change about the plot_client is not known: no"}
    hosts = cluster.plan()["hosts"]
    assert (hosts["storage-1"]["state"], hosts["storage-1"]["why"]) == (
        "unreachable",
        "Failed to connect to the host via ssh",
    )
    assert (hosts["storage-2"]["state"], hosts["storage-2"]["why"]) == ("left out", "Errors: DISK001, FARM003.")
    assert hosts["storage-3"]["state"] == "not read" and hosts["bastion"]["state"] == "no component"
    # What would run there is known all the same.
    assert [item["change"] for item in hosts["storage-2"]["programs"]] == ["unknown"]
    assert hosts["node-1"]["errors"] == ["What would be installed is not known: no"]
    assert hosts["storage-4"]["errors"] == ["What would change about the plot_client is not known: no"]
    assert [item["change"] for item in hosts["storage-4"]["programs"]] == ["unknown"]


@pytest.mark.parametrize(
    "variables",
    [
        {"cluster_version": None, "cluster_install_dir": 7},
        {"plot_server_port": "many"},
        {"plot_server_extra_args": "--x"},
        {"plot_server_reserve_cores": -1},
        {"plot_client_farms": "all"},
        {"plot_client_farms": [{"sectors": "x"}, 5]},
        {"plot_server_roll": "many"},
        {"cluster_program_startsecs": "soon"},
    ],
)
def test_a_wrong_inventory_leaves_a_plan_that_says_what_it_cannot_tell(variables):
    cluster = Cluster()
    for host in cluster.hosts:
        cluster.set(host, **variables)
    plan = cluster.plan()
    assert set(plan["hosts"]) == set(cluster.hosts)
    json.dumps(plan)


def test_connections_are_counted_by_component():
    links = {
        (link["component"], link["to_component"], link["port"]): link["programs"]
        for link in Cluster().plan()["connections"]
    }
    assert (
        links[("plot_server", "nats", "4222")] == 8
        and links[("nats", "nats", "4248")] == 3
        and links[("controller", "node", "9944")] == 3
    )


def test_a_thousand_hosts_take_seconds():
    cluster = Cluster(nodes=5, plotters=195, storages=800)
    model = cluster.model()
    for component, hosts in cluster.groups.items():
        for host in hosts:
            cluster.answer(host, component, cluster.programs(host, component, model))
    cluster.model = lambda: model
    costs = []
    # The better of two: the processor may be busy with other things too.
    for _attempt in range(2):
        started = time.process_time()
        json.dumps(cluster.plan())
        costs.append(time.process_time() - started)
    assert min(costs) < 5
