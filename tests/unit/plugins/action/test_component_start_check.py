# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked at the end of a run: what its roles have started, on the hosts where they have."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.action import component_start_check

NATS = {"name": "nats-server", "pid": 5, "startsecs": 10}
NODE = {"name": "autonomys-node", "pid": 6, "startsecs": 10}


@pytest.fixture
def run(monkeypatch):
    """Run the action on a host with these variables; gives its result, and the arguments of the module if it ran."""
    monkeypatch.setattr(component_start_check.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})

    def start(variables, **args):
        asked = []
        plugin = component_start_check.ActionModule.__new__(component_start_check.ActionModule)
        plugin._task = type("Task", (), {"args": args})()
        plugin._execute_module = lambda module_name, module_args, task_vars: asked.append(module_args) or {"ran": True}
        return plugin.run(task_vars=variables), asked

    return start


def test_all_that_was_started_is_checked_in_one_execution(run):
    result, asked = run({"__node_program": {"started": [NODE]}, "__nats_program": {"started": [NATS]}})
    assert asked == [{"programs": [NATS, NODE]}] and result["ran"]


def test_a_host_that_started_nothing_is_not_asked(run):
    result, asked = run({"__node_program": {"started": []}})
    assert asked == [] and (result["changed"], result["programs"]) == (False, [])


def test_programs_may_be_given(run):
    _result, asked = run({"__node_program": {"started": [NODE]}}, programs=[NATS], config="/x.conf")
    assert asked == [{"programs": [NATS], "config": "/x.conf"}]
