# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes about a program is named, and what is secret is not."""

from __future__ import annotations

import json

import pytest
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster, program, steps


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
    assert changed["environment"]["GPU_CONCURRENCY"] == "12" and changed["environment"]["DB_PASSWORD"] == "********"
    assert "very-secret-text" not in json.dumps(plan) and "hunter22" not in json.dumps(plan)


def test_a_secret_that_changes_is_a_difference_and_one_that_stays_is_none():
    cluster = Cluster()
    cluster.set(
        "plotter-1",
        plot_server_extra_args=["--node-key", "s3cr3t-1", "--rpc", "wss://h?token=s3cr3t-2"],
        plot_server_environment={"DB_PWD": "s3cr3t-3", "MNEMONIC": "s3cr3t-4"},
    )
    cluster.everywhere()
    old = cluster.programs("plotter-1", "plot_server")
    cluster.answer("plotter-1", "plot_server", before=[dict(item, cpus="0-3") for item in old])
    plan = cluster.plan()
    assert program(plan, "plotter-1", "autonomys-plot-server-0")["reason"] == "CPUs 0-3 → 1-23,97-119"
    cluster.set(
        "plotter-1",
        plot_server_extra_args=["--node-key", "s3cr3t-5", "--rpc", "wss://h?token=s3cr3t-2"],
        plot_server_environment={"DB_PWD": "s3cr3t-3", "MNEMONIC": "s3cr3t-6"},
    )
    cluster.answer("plotter-1", "plot_server", before=old)
    plan = cluster.plan()
    changed = program(plan, "plotter-1", "autonomys-plot-server-0")
    assert changed["reason"] == "without ********, with ******** (changed); environment MNEMONIC"
    assert "--node-key ******** --rpc wss://h?********" in " ".join(changed["command"])
    assert "s3cr3t" not in json.dumps(plan)


def test_a_secret_that_is_in_a_command_too_is_hidden_there():
    cluster = Cluster()
    cluster.set("node-1", node_environment={"API_TOKEN": "s3cr3t-1"}, node_extra_args=["--name", "s3cr3t-1"])
    plan = cluster.everywhere().plan()
    assert program(plan, "node-1", "autonomys-node")["command"][-2:] == ["--name", "********"]
    assert "s3cr3t" not in json.dumps(plan)
