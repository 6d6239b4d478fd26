# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan says what the roles answered, in the order in which site.yml does it, and why."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.build import batches, between, duration, seconds
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster, machine


def steps(plan):
    return [(step["component"], step["kind"], step["batches"]) for step in plan["steps"]]


def program(plan, host, name):
    return next(item for item in plan["hosts"][host]["programs"] if item["name"] == name)


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
    assert plan["steps"][0]["made_of"] == ["stay up for 10 s", "until healthy (≤ 10 min)"]
    assert program(plan, "node-1", "nats-server")["ports"] == [4222, 4248, 8222]
    assert program(plan, "plotter-2", "autonomys-plot-server-3")["ports"] == [9969]
    assert not any(host["errors"] for host in plan["hosts"].values())


def test_where_nothing_changes_there_are_no_steps():
    plan = Cluster().everywhere().plan()
    assert plan["steps"] == [] and plan["notes"] == [] and plan["versions"] == []
    assert plan["summary"]["changes"]["none"] == plan["summary"]["programs"] == 26


def test_a_new_version_restarts_host_by_host_and_says_how_long_versions_are_mixed():
    cluster = Cluster(plotters=8).upgrade()
    plan = cluster.plan()
    by_component = {step["component"]: step["batches"] for step in plan["steps"]}
    assert "nats" not in by_component
    assert by_component["node"] == [["node-1"], ["node-2"], ["node-3"]]
    assert by_component["plot_server"] == [
        ["plotter-1", "plotter-2"],
        ["plotter-3", "plotter-4"],
        ["plotter-5", "plotter-6"],
        ["plotter-7", "plotter-8"],
    ]
    assert program(plan, "node-1", "autonomys-node")["reason"] == "version v1.0.0 → v1.1.0"
    [version] = plan["versions"]
    assert (version["what"], version["from"], version["to"]) == ("Autonomys", ["v1.0.0"], ["v1.1.0"])
    assert version["components"] == ["node", "controller", "proof_server", "caches", "plot_server", "plot_client"]
    assert version["at_least_s"] == sum(step["at_least_s"] for step in plan["steps"]) == 10 * (3 + 3 + 3 + 4 + 4 + 2)
    # A plot server may take 300 s to stop, 10 s to stay up and 300 s to be healthy, in four batches.
    assert next(step for step in plan["steps"] if step["component"] == "plot_server")["at_most_s"] == 4 * (
        300 + 10 + 300
    )
    assert plan["notes"] == [
        "32 plot servers on 8 hosts stop or restart: the sectors in work there are lost and plotted again from the start."
    ]


def test_the_meta_leader_restarts_last_and_takes_its_lame_duck_time():
    cluster = Cluster().everywhere()
    for host in cluster.groups["nats"]:
        old = cluster.programs(host, "nats")
        cluster.answer(host, "nats", before=[dict(old[0], environment={"NATS_SETTINGS_DIGEST": "other"})])
    cluster.nats = {"node-1": {"meta_leader": None}, "node-2": {"meta_leader": "node-1"}}
    plan = cluster.plan()
    assert plan["meta_leader"] == "node-1"
    assert steps(plan) == [("nats", "restart", [["node-2"], ["node-3"], ["node-1"]])]
    assert program(plan, "node-1", "nats-server")["reason"] == "settings that nats-server reads only when it starts"
    assert plan["steps"][0]["at_least_s"] == 3 * (30 + 10)


@pytest.mark.parametrize(
    "roll, sizes",
    [
        ("1", [1] * 5),
        (2, [2, 2, 1]),
        ("25%", [1] * 5),
        ("50%", [2, 2, 1]),
        ("100%", [5]),
        ("9", [5]),
        ("0", [5]),
        ("1%", [1] * 5),
    ],
)
def test_batches_are_those_of_serial(roll, sizes):
    hosts = ["d", "b", "a", "e", "c"]
    assert [len(batch) for batch in batches(hosts, roll)] == sizes
    assert [host for batch in batches(hosts, roll, "a") for host in batch] == ["b", "c", "d", "e", "a"]


def test_what_is_held_stops_at_once_and_what_is_no_longer_wanted_with_the_restarts():
    cluster = Cluster()
    cluster.set("plot_client", plot_client_state="stopped")
    cluster.everywhere()
    old = cluster.programs("plotter-1", "plot_server")
    cluster.answer("plotter-1", "plot_server", before=[*old, dict(old[0], name="autonomys-plot-server-4")])
    cluster.answers["node-1"]["nats"]["configuration"] = True
    plan = cluster.plan()
    assert steps(plan) == [
        ("nats", "reload", [["node-1"]]),
        ("plot_server", "restart", [["plotter-1"]]),
        ("plot_client", "stop", [["storage-1", "storage-2"]]),
    ]
    gone = program(plan, "plotter-1", "autonomys-plot-server-4")
    assert (gone["change"], gone["reason"], gone["ports"]) == ("stop", "runs but is no longer wanted", [9970])
    assert plan["summary"]["changes"]["stop"] == 3


@pytest.mark.parametrize("remove", [True, False])
def test_programs_of_a_component_that_the_host_has_left_go_last_where_that_is_wanted(remove):
    cluster = Cluster().everywhere()
    cluster.set("storage-2", cluster_remove_orphans=remove)
    left = {
        "name": "autonomys-plot-server-0",
        "file": "/etc/supervisor/conf.d/autonomys-plot-server.conf",
        "cpus": None,
        "gpu": None,
    }
    cluster.facts["storage-2"]["host"]["programs"] = [
        left,
        dict(left, name="autonomys-plot-client", file="/etc/supervisor/conf.d/autonomys-plot-client.conf"),
    ]
    cluster.orphans = {"storage-2": ["autonomys-plot-server"]}
    plan = cluster.plan()
    assert steps(plan) == ([("left over", "stop", [["storage-2"]])] if remove else [])
    assert plan["summary"]["changes"]["stop"] == int(remove)


def test_the_plot_server_of_a_missing_gpu_stops_and_keeps_its_cores():
    cluster = Cluster()
    topology = cluster.facts["plotter-1"]["gpus"]["topology"]
    uuids = [gpu["uuid"] for gpu in topology["gpus"]]
    before = cluster.programs("plotter-1", "plot_server")
    cluster.set("plotter-1", plot_server_gpus=uuids)
    cluster.facts["plotter-1"]["host"]["programs"] = [
        {"name": item["name"], "gpu": item["environment"]["CUDA_VISIBLE_DEVICES"], "cpus": item["cpus"], "file": "x"}
        for item in before
    ]
    del topology["gpus"][2]
    cluster.everywhere()
    result = cluster.answers["plotter-1"]["plot_server"]["program"]
    result["programs"][2]["restart_required"] = True
    result["reasons"] = ["autonomys-plot-server-2 runs but should not"]
    plan = cluster.plan()
    stopped = program(plan, "plotter-1", "autonomys-plot-server-2")
    assert (stopped["change"], stopped["reason"], stopped["cpus"]) == ("stop", "runs but should not", "49-71,145-167")
    why = plan["hosts"]["plotter-1"]["gpus"]["gpus"][2]["why"]
    assert why.startswith(f"The missing GPU {uuids[2]} would use CPUs 49-71,145-167") and "is missing now" in why
    assert plan["hosts"]["plotter-1"]["gpus"]["slots_fixed"] is True


def test_differences_of_a_command_are_named_and_secrets_are_not():
    cluster = Cluster().everywhere()
    old = cluster.programs("plotter-1", "plot_server")
    environment = {"GPU_CONCURRENCY": 12, "DB_PASSWORD": "hunter22"}
    cluster.set(
        "plotter-1", plot_server_extra_args=["--api-token", "very-secret-text"], plot_server_environment=environment
    )
    cluster.answer("plotter-1", "plot_server", before=[dict(item, cpus="0-3") for item in old])
    plan = cluster.plan()
    changed = program(plan, "plotter-1", "autonomys-plot-server-0")
    assert (
        changed["reason"]
        == "CPUs 0-3 → 1-23,97-119; with --api-token ********; environment DB_PASSWORD, GPU_CONCURRENCY"
    )
    assert changed["environment"]["GPU_CONCURRENCY"] == "12" and changed["environment"]["DB_PASSWORD"] == "…"
    assert "very-secret-text" not in json.dumps(plan) and "hunter22" not in json.dumps(plan)


def test_hosts_that_are_not_changed_stand_in_the_plan_with_the_reason():
    cluster = Cluster(storages=4).everywhere()
    cluster.facts["storage-1"].update(
        reachable=False, error="Failed to connect to the host via ssh", host=None, disks=None
    )
    cluster.left_out = {"storage-2": ["DISK001", "DISK001", "FARM003"]}
    del cluster.facts["storage-3"]
    cluster.variables["bastion"] = {"ansible_host": "10.0.9.9"}
    cluster.hosts.append("bastion")
    cluster.answers["storage-4"]["plot_client"] = {"error": "What would change of the plot_client cannot be told: no"}
    hosts = cluster.plan()["hosts"]
    assert (hosts["storage-1"]["state"], hosts["storage-1"]["why"]) == (
        "unreachable",
        "Failed to connect to the host via ssh",
    )
    assert (hosts["storage-2"]["state"], hosts["storage-2"]["why"]) == ("left out", "Errors: DISK001, FARM003.")
    assert hosts["storage-3"]["state"] == "not read" and hosts["bastion"]["state"] == "no component"
    # What would run there is known all the same.
    assert [item["change"] for item in hosts["storage-2"]["programs"]] == ["unknown"]
    assert hosts["storage-4"]["errors"] == ["What would change of the plot_client cannot be told: no"]
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


def gpus(cluster, host="plotter-1"):
    return cluster.plan()["hosts"][host]["gpus"]


def test_which_cores_a_gpu_uses_and_why():
    assert gpus(Cluster())["gpus"][2]["why"] == (
        "GPU 2 uses CPUs 49-71,145-167: 23 cores (46 CPUs) of NUMA node 1, the node that the GPU is attached to. Of 48 usable cores there 2 are kept "
        "back for the system (plot_server_reserve_cores), and the 2 GPUs get (48 − 2) ÷ 2 = 23 each. Kept free there: CPUs 48,72,144,168. "
        "It shares no L3 cache with another GPU."
    )


@pytest.mark.parametrize(
    "name, words",
    [
        ("uneven-3gpu-2+1", "and the only GPU gets"),
        ("more-gpus-than-cores", "so they all share them."),
        ("mixed-known-and-NA", "the machine does not tell where the GPU is attached"),
        ("odd-cores-3gpu", "left over stay"),
    ],
)
def test_other_machines_are_explained_too(name, words):
    found = gpus(Cluster(plotter_machine=name))["gpus"]
    assert any(words in gpu["why"] for gpu in found), [gpu["why"] for gpu in found]


def test_a_gpu_whose_node_has_no_cpus_is_explained():
    cluster = Cluster()
    topology = cluster.facts["plotter-1"]["gpus"]["topology"]
    topology["cpus"]["nodes"]["2"] = {
        "cpus": "",
        "memory_mib": 0,
        "package": 1,
        "distance": {"0": 32, "1": 12, "2": 10},
    }
    topology["gpus"][3]["numa_node"] = 2
    why = gpus(cluster)["gpus"][3]["why"]
    assert "of NUMA node 1, because the GPU's own node 2 has no usable CPUs and this one is the nearest." in why


def test_a_limit_is_named():
    cluster = Cluster()
    cluster.set("plotter-1", plot_server_max_cpus=32)
    assert (
        "Of 48 usable cores each of the 2 GPUs would get 23; plot_server_max_cpus (32) limits that to 16."
        in gpus(cluster)["gpus"][0]["why"]
    )


def test_the_proof_server_is_explained():
    cluster = Cluster()
    assert gpus(cluster, "node-1")["proof_server"]["why"].endswith(
        "bound to no CPUs: there is one NUMA node, or the GPU's is unknown."
    )
    cluster.facts["node-1"]["gpus"]["topology"] = machine("seed-2x48c-4gpu")
    assert "runs on CPUs 0-47,96-143, all usable ones of NUMA node 0" in gpus(cluster, "node-1")["proof_server"]["why"]
    cluster.set("node-1", proof_server_cpus="all")
    assert "as proof_server_cpus says" in gpus(cluster, "node-1")["proof_server"]["why"]


def test_the_block_to_paste_is_the_variable():
    found = gpus(Cluster())
    assert yaml.safe_load(found["block"]) == {"plot_server_gpus": [gpu["uuid"] for gpu in found["gpus"]]}
    assert "# 2: port 9968, NVIDIA GeForce RTX 4090, 0000:21:00.0" in found["block"]


def test_farms_tell_planned_there_and_free():
    cluster = Cluster()
    cluster.facts["storage-1"]["disks"]["/mnt/nvme0"].update(
        existing_plot_bytes=1_000_000_000_000, available=6_236_000_000_000
    )
    farms = cluster.plan()["hosts"]["storage-1"]["farms"]
    assert (farms[0]["wanted"], farms[0]["sectors"], farms[0]["sectors_there"]) == ("6000", 6000, 946)
    assert (farms[1]["wanted"], farms[1]["sectors"], farms[1]["sectors_there"]) == ("auto", 6845, 0)
    assert (
        farms[0]["planned_bytes"] == 6000 * 1_057_027_180 + 1024 * 1024 + 2816 + 3328
        or farms[0]["planned_bytes"] % 4096 == 0
    )


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


def test_time_in_words():
    assert [duration(value) for value in (0, 119, 120, 3600, 7200, 8700)] == [
        "0 s",
        "119 s",
        "2 min",
        "60 min",
        "2 h",
        "2 h 25 min",
    ]
    assert between(10, 610) == "10 s to 10 min" and between(30, 30) == "30 s"
    assert seconds("1m30s") == 90 and seconds("2m0.5s") == 120.5 and seconds(None) == 0


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
