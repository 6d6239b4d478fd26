# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status table shows what runs, and the plan wherever it is another."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._status import rows, table

HOSTS = {"plotter-1": {"components": ["plot_server"]}}
NAME = "autonomys-plot-server-0"
EXPECTED = {
    "name": NAME,
    "cpus": "1-23",
    "memory_policy": "local",
    "environment": {"CUDA_VISIBLE_DEVICES": "GPU-a", "GPU_CONCURRENCY": "12"},
    "connected_any": ["10.0.0.1:4222", "10.0.0.2:4222"],
}
PROGRAM = {
    "name": NAME,
    "state": "RUNNING",
    "connected": ["10.0.0.1:4222"],
    "listening": [9966],
    "gpus": ["GPU-a"],
    "cpus_allowed": "1-23",
    "memory_policy": "local",
    "environment": {"CUDA_VISIBLE_DEVICES": "GPU-a", "GPU_CONCURRENCY": "12"},
}


def row(healthy=True, expected=None, **seen):
    health = {"healthy": healthy, "evidence": {"programs": [dict(PROGRAM, **seen)]}, "expected": [expected or EXPECTED]}
    [only] = rows(
        HOSTS,
        {
            "plotter-1": {
                "plot_server": {"program": {"programs": [{"name": NAME, "state": "RUNNING"}]}, "health": health}
            }
        },
    )
    return only


def test_a_plot_server_as_planned():
    shown = row()
    assert shown["health"] == "healthy"
    assert shown["evidence"] == "NATS, port 9966, GPU-a, CPUs 1-23, memory local, GPU_CONCURRENCY=12"
    assert "GPU_CONCURRENCY=12" in table([shown])


def test_a_program_that_has_stayed_up_since_is_shown_as_it_is_now():
    health = {"healthy": True, "evidence": {"programs": [dict(PROGRAM, state="STARTING")]}, "expected": [EXPECTED]}
    start = {"programs": [{"name": NAME, "state": "RUNNING", "pid": 5}, {"name": "other", "state": "FATAL"}]}
    for more, state in (({"start": start}, "RUNNING"), ({}, "STARTING")):
        [only] = rows(HOSTS, {"plotter-1": {"plot_server": {"health": health, **more}}})
        assert (only["state"], only["health"]) == (state, "healthy")


@pytest.mark.parametrize(
    ("servers", "connected", "shown"),
    [
        (["10.0.0.1:7422"], ["10.0.0.1:7422"], "NATS"),
        # Somebody else's port of that number is no NATS server of the cluster.
        (["10.0.0.1:7422"], ["10.9.9.9:4222"], "connected"),
        ([], ["10.0.0.1:9944"], "connected"),
    ],
)
def test_nats_is_what_is_expected_to_be_nats(servers, connected, shown):
    evidence = row(expected=dict(EXPECTED, connected_any=servers), connected=connected)["evidence"]
    assert evidence.startswith(shown + ", ")


def test_no_text_of_a_host_forges_a_row_or_steers_the_terminal():
    chain = "Mars\nplotter-1  plot_server  x  RUNNING  healthy\x1b[2K\u202e"
    node = {"chain": chain, "peers": 1, "best": 7, "syncing": False}
    health = {"healthy": True, "evidence": {"node": node, "programs": [dict(PROGRAM, state="RUN\rNING")]}}
    shown = rows(HOSTS, {"plotter-1": {"plot_server": {"health": health}}})
    assert chain in shown[0]["evidence"]
    lines = table(shown).splitlines()
    assert len(lines) == 2
    assert lines[1].endswith(
        "Mars\\x0aplotter-1  plot_server  x  RUNNING  healthy\\x1b[2K\\u202e, 1 peer, best block 7"
    )
    assert "RUN\\x0dNING" in lines[1]


def test_a_nats_server_and_a_node_in_words():
    nats = {"version": "2.12.8", "routes": ["node-2"], "meta_leader": "node-2", "meta_size": 2}
    [shown] = rows(HOSTS, {"plotter-1": {"plot_server": {"health": {"healthy": True, "evidence": {"nats": nats}}}}})
    assert shown["evidence"] == "2.12.8, JetStream, routes to 1 peer, meta leader node-2 of 2"
    node = {"chain": "Mars", "peers": 12, "best": 7, "syncing": True}
    [shown] = rows(HOSTS, {"plotter-1": {"plot_server": {"health": {"healthy": True, "evidence": {"node": node}}}}})
    assert shown["evidence"] == "Mars, 12 peers, best block 7, syncing"


def test_what_differs_from_the_plan_stands_beside_it():
    shown = row(
        healthy=False, cpus_allowed="0-191", memory_policy="default", environment={"CUDA_VISIBLE_DEVICES": "GPU-b"}
    )
    assert shown["health"] == "NOT HEALTHY"
    for part in (
        "CPUs 0-191 (PLANNED 1-23)",
        "memory default (PLANNED local)",
        "CUDA_VISIBLE_DEVICES=GPU-b (PLANNED GPU-a)",
        "GPU_CONCURRENCY=None (PLANNED 12)",
    ):
        assert part in shown["evidence"]


def test_the_plot_server_of_a_missing_gpu_is_kept_stopped():
    stopped = {"name": NAME, "stopped": "its GPU GPU-a is missing"}
    shown = row(expected=stopped, state="STOPPED")
    assert (shown["state"], shown["health"], shown["evidence"]) == (
        "STOPPED",
        "kept stopped",
        "its GPU GPU-a is missing",
    )
    assert row(healthy=False, expected=stopped)["health"] == "NOT HEALTHY"


def test_a_component_without_a_check_is_not_called_healthy():
    [only] = rows(
        HOSTS, {"plotter-1": {"plot_server": {"program": {"programs": [{"name": NAME, "state": "RUNNING"}]}}}}
    )
    assert only["health"] == "not checked"
