# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restart.yml and stop.yml act on."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling.selection import last_ones, selection


def choose(components=(), programs=(), gpu_slots=(), everything=False):
    return selection("restart", list(components), list(programs), list(gpu_slots), everything)


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
        ({"programs": ["nginx"]}, "restart_programs has nginx, which no component has"),
    ],
)
def test_what_names_nothing_is_refused(what, message):
    with pytest.raises(ValueError, match="^" + message.replace("[", r"\[")):
        choose(**what)


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
