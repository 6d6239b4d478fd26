# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import time

from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import build_model


def cluster(nodes=3, plotters=2, storages=2):
    names = {
        "node": [f"node-{n}" for n in range(nodes)],
        "plotter": [f"plotter-{n}" for n in range(plotters)],
        "storage": [f"storage-{n}" for n in range(storages)],
    }
    groups = {"nats": names["node"], "node": names["node"], "controller": names["node"], "proof_server": names["node"]}
    groups.update(caches=names["plotter"], plot_server=names["plotter"], plot_client=names["storage"])
    hosts = [name for group in names.values() for name in group]
    variables = {name: {"other": 1} for name in hosts}
    defaults = {
        name: {
            "cluster_address": f"10.0.{n // 250}.{n % 250}",
            "nats_server_name": name,
            "nats_client_port": 4222,
            "nats_cluster_port": 4248,
            "node_rpc_port": 9944,
            "nats_roll": "1",
        }
        for n, name in enumerate(hosts)
    }
    return groups, variables, defaults


def test_what_crosses_hosts_is_derived():
    model = build_model(*cluster())
    servers = [f"nats://10.0.0.{n}:4222" for n in range(3)]
    assert model["hosts"]["storage-1"]["settings"]["plot_client_nats_servers"] == servers
    assert model["hosts"]["node-1"]["settings"]["controller_node_rpc_url"] == "ws://10.0.0.1:9944"
    assert model["hosts"]["node-0"]["components"] == ["nats", "node", "controller", "proof_server"]
    assert "other" not in model["hosts"]["node-0"]["settings"]


def test_the_inventory_wins_over_what_is_derived():
    groups, variables, defaults = cluster()
    variables["node-1"]["controller_node_rpc_url"] = "ws://10.0.0.2:9944"
    variables["node-1"]["node_rpc_port"] = 9000
    model = build_model(groups, variables, defaults)
    assert model["hosts"]["node-1"]["settings"]["controller_node_rpc_url"] == "ws://10.0.0.2:9944"
    assert model["hosts"]["node-0"]["settings"]["controller_node_rpc_url"] == "ws://10.0.0.0:9944"
    assert {
        "component": "controller",
        "host": "node-0",
        "to_component": "node",
        "to_host": "node-1",
        "port": 9000,
    } in model["connections"]


def test_controllers_without_a_node_of_their_own_are_spread_over_all():
    groups, variables, defaults = cluster()
    groups["controller"] = ["plotter-0", "plotter-1", "storage-0", "storage-1"]
    urls = [
        build_model(groups, variables, defaults)["hosts"][host]["settings"]["controller_node_rpc_url"]
        for host in groups["controller"]
    ]
    assert urls == [f"ws://10.0.0.{n}:9944" for n in (0, 1, 2, 0)]


def test_the_order_of_the_inventory_does_not_matter():
    groups, variables, defaults = cluster()
    model = build_model(groups, variables, defaults)
    shuffled = list(variables.items())
    random.Random(7).shuffle(shuffled)
    assert build_model({group: hosts[::-1] for group, hosts in groups.items()}, dict(shuffled), defaults) == model


def test_a_thousand_hosts_are_modelled_within_two_seconds():
    arguments = cluster(nodes=5, plotters=300, storages=695)
    started = time.process_time()
    model = build_model(*arguments)
    assert time.process_time() - started < 2
    assert len(model["hosts"]) == 1000


def test_settings_have_the_types_of_the_roles():
    groups, variables, defaults = cluster()
    variables["node-1"].update(node_rpc_port="9000", controller_tmp="false", cluster_accept="A,B", nats_max_lag="many")
    settings = build_model(groups, variables, defaults)["hosts"]["node-1"]["settings"]
    assert (settings["node_rpc_port"], settings["controller_tmp"], settings["cluster_accept"]) == (
        9000,
        False,
        ["A", "B"],
    )
    # What cannot have its type stays as it was written, for preflight to report.
    assert settings["nats_max_lag"] == "many"


def test_what_is_asked_of_hosts():
    groups, variables, defaults = cluster()
    variables["node-1"].update(nats_store_dir="/data/nats", node_base_path="relative", caches_sharded_path=["/x"])
    variables["storage-0"].update(
        plot_client_farms=[{"path": "/mnt/a"}, {"path": "/mnt/a"}, {"path": "b"}, {"path": 5}, "/mnt/c", {}],
        node_base_path="/data/nats",
    )
    variables["storage-1"].update(plot_client_farms="nonsense")
    variables["plotter-0"].update(plot_client_farms=[{"path": "/mnt/a"}])
    hosts = build_model(groups, variables, defaults)["hosts"]
    assert hosts["node-1"]["asked"] == {"gpus": True, "folders": ["/data/nats"], "farms": []}
    assert hosts["storage-0"]["asked"] == {"gpus": False, "folders": ["/data/nats"], "farms": ["/mnt/a"]}
    assert hosts["storage-1"]["asked"]["farms"] == hosts["plotter-0"]["asked"]["farms"] == []


def test_variables_without_a_value_are_kept_apart():
    groups, variables, defaults = cluster()
    model = build_model(groups, variables, defaults, {"node-1": {"cluster_user": "undefined"}})
    assert model["hosts"]["node-1"]["unresolved"] == {"cluster_user": "undefined"}
    assert "unresolved" not in model["hosts"]["node-0"]
