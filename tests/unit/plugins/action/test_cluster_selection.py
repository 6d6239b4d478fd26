# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restart and stop take from a survey of AWX, which hands numbers and nothing in the place of texts."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.action import cluster_selection


class Task:
    """What the action plugin needs of a task."""

    def __init__(self, args):
        self.args, self.check_mode, self.async_val, self.diff = args, False, 0, False


@pytest.fixture
def choose(monkeypatch):
    """Run the action on a host with controller and plot servers; gives its result."""
    monkeypatch.setattr(cluster_selection.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})

    def run(**args):
        plugin = cluster_selection.ActionModule.__new__(cluster_selection.ActionModule)
        plugin._task = Task({"verb": "restart", **args})
        components = ["controller", "plot_server"]
        model = {
            "hosts": {"a": {"components": components, "settings": {}}},
            "components": {name: ["a"] if name in components else [] for name in ("controller", "plot_server", "nats")},
        }
        slots = {"programs": [{"name": "autonomys-plot-server-0"}, {"name": "autonomys-plot-server-2"}]}
        hostvars = {"a": {"__cluster_model": model, "__select_slots": slots}}
        return plugin.run(task_vars={"groups": {"all": ["a"]}, "hostvars": hostvars, "ansible_play_hosts_all": ["a"]})

    return run


@pytest.mark.parametrize(
    ("answers", "selection"),
    [
        ({"gpu_slots": 0}, {"plot_server": ["autonomys-plot-server-0"]}),
        ({"gpu_slots": "0,2"}, {"plot_server": ["autonomys-plot-server-0", "autonomys-plot-server-2"]}),
        ({"components": ["controller"], "programs": None, "gpu_slots": None}, {"controller": []}),
        ({"components": ["controller"], "programs": "", "gpu_slots": "", "everything": None}, {"controller": []}),
        ({"components": ["controller"], "everything": "false"}, {"controller": []}),
    ],
)
def test_answers_as_awx_hands_them_over(choose, answers, selection):
    assert choose(**answers)["selection"] == selection


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (
            {"components": None, "programs": None, "gpu_slots": None, "everything": False},
            "Say what to restart: -e restart_",
        ),
        ({"programs": 7}, "restart_programs has 7, which no host of this run has"),
        ({"programs": False}, "restart_programs has False, which no host of this run has"),
        ({"components": "off"}, "restart_components has off; components are nats, "),
        ({"gpu_slots": 493}, "restart_gpu_slots has 493, which no host of this run has"),
    ],
)
def test_what_cannot_be_meant_is_said(choose, answers, said):
    result = choose(**answers)
    assert result["failed"] and said in result["msg"]
