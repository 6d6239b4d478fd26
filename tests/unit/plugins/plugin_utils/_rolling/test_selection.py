# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restart.yml and stop.yml act on."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.selection import (
    There,
    last_ones,
    programs_there,
    selection,
)

PLOT_SERVERS = {"autonomys-plot-server-0", "autonomys-plot-server-1", "autonomys-plot-server-3"}
THERE = There(PLOT_SERVERS | {"autonomys-full-piece", "nats-server"}, True)


def choose(components=(), programs=(), gpu_slots=(), everything=False, there=THERE):
    return selection("restart", list(components), list(programs), list(gpu_slots), everything, there)


def test_programs_and_slots_belong_to_components():
    assert choose(["nats"], ["autonomys-full-piece", "autonomys-plot-server-1"], [3]) == {
        "nats": [],
        "caches": ["autonomys-full-piece"],
        "plot_server": ["autonomys-plot-server-1", "autonomys-plot-server-3"],
    }
    assert choose(["plot_server"], ["autonomys-plot-server-1"]) == {"plot_server": []}
    assert choose(everything=True) == dict.fromkeys(COMPONENTS, [])
    assert choose(["node"], everything=True) == {"node": []}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({}, "Say what to restart: -e restart_components=controller,node"),
        ({"components": ["controler"]}, "restart_components has controler; components are nats, node,"),
        (
            {"programs": ["nginx"]},
            "restart_programs has nginx, which no host of this run has; its programs are autonomys-f",
        ),
        ({"programs": ["autonomys-plot-server-x"]}, "restart_programs has autonomys-plot-server-x, which no host"),
        ({"programs": ["autonomys-node"]}, "restart_programs has autonomys-node, which no host of this run has"),
        (
            {"gpu_slots": [0, -99, 2]},
            "restart_gpu_slots has -99, 2, which no host of this run has; its programs are .*-3,",
        ),
        ({"gpu_slots": [0], "there": There(set(), True)}, "restart_gpu_slots has 0, .*; its programs are none"),
        ({"programs": ["nginx"], "there": There(set(), False)}, "restart_programs has nginx"),
    ],
)
def test_what_names_nothing_is_refused(what, message):
    with pytest.raises(ValueError, match="^" + message):
        choose(**what)


def test_a_host_that_did_not_answer_may_have_what_others_have_not():
    assert choose(gpu_slots=[7], there=There({"nats-server"}, False)) == {"plot_server": ["autonomys-plot-server-7"]}


def test_the_programs_of_the_hosts(tutorial_model):
    nodes, plotters = tutorial_model["components"]["node"], tutorial_model["components"]["plot_server"]
    there = programs_there(tutorial_model, nodes, {})
    assert there.complete and {"nats-server", "autonomys-node", "autonomys-controller"} <= there.names
    assert "autonomys-full-piece" not in there.names
    seen = {host: ["autonomys-plot-server-0"] for host in plotters}
    assert programs_there(tutorial_model, plotters, seen) == There(
        {"autonomys-full-piece", "autonomys-sharded-cache", "autonomys-plot-server-0"}, True
    )
    assert not programs_there(tutorial_model, plotters, {**seen, plotters[0]: None}).complete


def test_a_stop_of_what_would_be_missed_is_refused(tutorial_model):
    nodes, storage = tutorial_model["components"]["node"], tutorial_model["components"]["plot_client"]
    assert last_ones(tutorial_model, {"controller": []}, nodes[:-1]) == []
    assert last_ones(tutorial_model, {"controller": []}, nodes) == ["That would stop controller on every host"]
    assert last_ones(tutorial_model, {"nats": []}, nodes[:1]) == []
    assert last_ones(tutorial_model, {"nats": []}, nodes[:2]) == [
        "That would stop 2 of the 3 NATS servers, and JetStream with them"
    ]
    assert last_ones(tutorial_model, {"controller": []}, storage) == []
    assert (
        last_ones(
            tutorial_model, {"plot_server": ["autonomys-plot-server-0"]}, tutorial_model["components"]["plot_server"]
        )
        == []
    )
