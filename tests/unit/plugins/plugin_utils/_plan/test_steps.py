# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps come in the order in which site.yml takes them, in its batches, and say how long they take."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.steps import seconds
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster, program, steps


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
        "32 plot servers on 8 hosts stop or restart: the sectors that they are plotting are lost and start again."
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


def test_durations_of_nats_are_read():
    assert seconds("1m30s") == 90 and seconds("2m0.5s") == 120.5 and seconds(None) == 0
