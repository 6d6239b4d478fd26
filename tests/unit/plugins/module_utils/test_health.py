# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every health check fails for the right reason, and only then."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._health import (
    at_work_problems,
    nats_problems,
    nats_stop_problems,
    node_problems,
    program_problems,
)

EXPECTED = {
    "name": "autonomys-plot-server-0",
    "cpus": "1-23,97-119",
    "memory_policy": "local",
    "environment": {"CUDA_VISIBLE_DEVICES": "GPU-a", "GPU_CONCURRENCY": "12"},
    "listening": [9966],
    "connected_any": ["10.0.0.1:4222", "10.0.0.2:4222"],
    "connected_all": ["10.0.0.1:9944"],
    "gpus": ["GPU-a"],
    "open_under": ["/mnt/nvme0n1"],
}
PROGRAM = {
    "name": "autonomys-plot-server-0",
    "state": "RUNNING",
    "pid": 7,
    "cpus_allowed": "1-23,97-119",
    "memory_policy": "local",
    "environment": {"CUDA_VISIBLE_DEVICES": "GPU-a", "GPU_CONCURRENCY": "12", "CUDA_HOME": "/usr/local/cuda"},
    "listening": [9966, 40000],
    "connected": ["10.0.0.2:4222", "10.0.0.1:9944"],
    "gpus": ["GPU-a"],
    "open_files": ["/mnt/nvme0n1/plot.bin"],
}
NATS_EXPECTED = {
    "peers": {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"},
    "version": "2.12.8",
    "max_payload": 3145728,
}
NATS = {
    "reachable": True,
    "server_name": "a",
    "healthy": True,
    "health_error": None,
    "jetstream": True,
    "version": "2.12.8",
    "max_payload": 3145728,
    "routes": ["b", "c"],
    "meta_leader": "b",
    "meta_size": 3,
    "meta_replicas": [],
}
NODE_EXPECTED = {"chain": "mainnet", "min_peers": 1}
NODE = {"reachable": True, "chain": "Autonomys Mainnet", "peers": 12}


def test_a_healthy_program_has_no_problem():
    assert program_problems(EXPECTED, PROGRAM) == []


@pytest.mark.parametrize(
    "seen, problem",
    [
        ({"state": "BACKOFF"}, "autonomys-plot-server-0 is BACKOFF, not RUNNING"),
        (
            {"connected": ["10.0.0.1:9944"]},
            "has no connection to NATS (10.0.0.1:4222, 10.0.0.2:4222); it is connected to 10.0.0.1:9944",
        ),
        ({"connected": ["10.0.0.1:4222"]}, "has no connection to 10.0.0.1:9944"),
        ({"listening": []}, "does not listen on port 9966; it listens on nothing"),
        ({"cpus_allowed": "0-191"}, "may run on the CPUs 0-191, planned are 1-23,97-119"),
        ({"memory_policy": "default"}, "has the memory policy default, planned is local"),
        ({"memory_policy": "bind:0,local"}, "has the memory policy bind:0,local, planned is local"),
        (
            {"environment": {"CUDA_VISIBLE_DEVICES": "GPU-b", "GPU_CONCURRENCY": "12"}},
            "autonomys-plot-server-0 runs with CUDA_VISIBLE_DEVICES=GPU-b, planned is GPU-a",
        ),
        (
            {"environment": {"CUDA_VISIBLE_DEVICES": "GPU-a"}},
            "autonomys-plot-server-0 runs without GPU_CONCURRENCY, planned is 12",
        ),
        ({"gpus": []}, "holds the GPUs nothing, expected are GPU-a"),
        ({"gpus": ["GPU-b"]}, "holds the GPUs GPU-b, expected are GPU-a"),
        (
            {"gpus": None},
            "it is not known which GPUs autonomys-plot-server-0 holds: nvidia-smi does not answer (look at dmesg)",
        ),
        ({"open_files": ["/mnt/nvme0n10/plot.bin"]}, "has no file open in /mnt/nvme0n1"),
    ],
)
def test_a_sick_program_is_named_with_what_was_seen(seen, problem):
    problems = program_problems(EXPECTED, dict(PROGRAM, **seen))
    assert len(problems) == 1
    assert problem in problems[0]


def test_a_kernel_without_numa_tells_no_memory_policy():
    assert program_problems(EXPECTED, dict(PROGRAM, memory_policy=None)) == []


def test_a_program_whose_gpu_is_missing_must_not_run():
    expected = {"name": "p", "stopped": "its GPU GPU-a is missing"}
    assert program_problems(expected, dict(PROGRAM, state="STOPPED", pid=None)) == []
    assert program_problems(expected, None) == []
    assert program_problems(expected, PROGRAM) == ["p runs, though its GPU GPU-a is missing"]


def test_a_program_that_supervisord_does_not_know():
    assert program_problems(EXPECTED, None) == ["autonomys-plot-server-0 is not known to supervisord"]


def test_the_number_of_gpus_counts_where_no_uuid_is_known():
    expected = {"name": "p", "gpu_count": 1}
    assert program_problems(expected, PROGRAM) == []
    assert program_problems(expected, dict(PROGRAM, gpus=[])) == ["p holds the GPUs nothing, expected is 1"]


def test_a_healthy_nats_server_has_no_problem():
    assert nats_problems(NATS_EXPECTED, NATS) == []


@pytest.mark.parametrize(
    "seen, problem",
    [
        ({"reachable": False, "error": "connection refused"}, "does not answer: connection refused"),
        ({"healthy": False, "health_error": "JetStream is not current"}, "is not healthy: JetStream is not current"),
        ({"jetstream": False}, "without JetStream"),
        ({"version": "2.10.26"}, "runs version 2.10.26, wanted is 2.12.8"),
        ({"max_payload": 1048576}, "max_payload 1048576, wanted is 3145728"),
        ({"routes": ["b"]}, "has no route to c"),
        ({"meta_leader": None}, "no meta leader"),
        ({"meta_size": 2}, "has 2 members, the inventory has 3 NATS servers"),
        (
            {
                "meta_size": 4,
                "meta_replicas": [{"name": n, "current": True, "offline": False} for n in ("a", "c", "old")],
            },
            "has 4 members, the inventory has 3 NATS servers; not in the inventory: old. If "
            "it will not come back, take it "
            "out of the group with nats server raft peer-remove NAME, as docs/operations.md says under "
            "Take a NATS server out",
        ),
        (
            {"meta_size": 2, "meta_replicas": [{"name": "a", "current": True, "offline": False}]},
            "has 2 members, the inventory has 3 NATS servers; a restart of nats-server on c lets it join",
        ),
        (
            {"meta_replicas": [{"name": "b", "current": False, "offline": False}]},
            "nats-server b is not current in the JetStream meta group",
        ),
        (
            {"meta_replicas": [{"name": "a", "current": True, "offline": True}]},
            "nats-server a is not current in the JetStream meta group",
        ),
    ],
)
def test_a_sick_nats_server_is_named_with_what_was_seen(seen, problem):
    problems = nats_problems(NATS_EXPECTED, dict(NATS, **seen))
    assert len(problems) == 1
    assert problem in problems[0]


def test_a_nats_server_that_is_kept_stopped_is_not_missed():
    held = dict(NATS_EXPECTED, held=["c"])
    assert (
        nats_problems(held, dict(NATS, routes=["b"], meta_replicas=[{"name": "c", "current": False, "offline": True}]))
        == []
    )
    assert nats_problems(held, dict(NATS, routes=["c"])) == ["nats-server a has no route to b"]


def test_any_version_will_do_where_none_is_expected():
    assert nats_problems({"peers": NATS_EXPECTED["peers"]}, NATS) == []


def test_a_single_nats_server_needs_no_routes_and_no_meta_group():
    alone = dict(NATS, routes=[], meta_leader=None, meta_size=0)
    assert nats_problems(dict(NATS_EXPECTED, peers={"a": "10.0.0.1"}), alone) == []


def test_a_nats_server_that_the_others_need_may_not_stop():
    assert nats_stop_problems(dict(NATS, safe_to_stop=True, reasons=[])) == []
    needed = dict(NATS, safe_to_stop=False, reasons=["b is not routed"])
    assert nats_stop_problems(needed) == ["nats-server a may not stop now: b is not routed"]
    assert nats_stop_problems({"reachable": False, "error": "refused"}) == ["nats-server does not answer: refused"]


def test_a_healthy_node_has_no_problem():
    assert node_problems(NODE_EXPECTED, NODE) == []


def test_a_node_that_syncs_is_healthy_unless_it_was_synced_before():
    syncing = dict(NODE, syncing=True, best=5, target=9)
    assert node_problems(NODE_EXPECTED, syncing) == []
    assert node_problems(dict(NODE_EXPECTED, synced=True), syncing) == ["the node is not synced: it is at block 5 of 9"]
    assert node_problems(dict(NODE_EXPECTED, synced=True), dict(NODE, syncing=False)) == []


@pytest.mark.parametrize(
    "seen, problem",
    [
        ({"reachable": False, "error": "timed out"}, "the node's RPC does not answer: timed out"),
        ({"chain": "Autonomys Taurus"}, "is on the chain Autonomys Taurus, wanted is mainnet"),
        ({"chain": None, "peers": None}, "does not tell its chain and peers"),
        ({"peers": 0}, "has 0 peers, at least 1 are wanted"),
    ],
)
def test_a_sick_node_is_named_with_what_was_seen(seen, problem):
    problems = node_problems(NODE_EXPECTED, dict(NODE, **seen))
    assert len(problems) == 1
    assert problem in problems[0]


def controller(**more):
    return dict({"name": "autonomys-controller", "state": "RUNNING", "connected": ["10.0.0.1:4222"]}, **more)


@pytest.mark.parametrize(
    ("programs", "problems"),
    [
        ([controller()], []),
        ([controller(), controller(name="slot", state="STOPPED", connected=[])], []),
        ([controller(connected=["10.0.0.9:4222"])], ["autonomys-controller has no connection to NATS"]),
        ([controller(), controller(name="slot", state="BACKOFF", connected=[])], ["slot is BACKOFF"]),
        ([controller(state="STOPPED", connected=[])], ["none of its programs runs"]),
        ([], ["none of its programs runs"]),
    ],
)
def test_at_work_is_what_runs_and_is_connected(programs, problems):
    assert at_work_problems(["10.0.0.1:4222", "10.0.0.2:4222"], programs) == problems
