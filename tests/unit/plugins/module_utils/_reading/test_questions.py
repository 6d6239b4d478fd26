# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a component is asked is what its role's health check asks."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.questions import health_question
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files

ROLES = Path(__file__).parents[5] / "roles"
DERIVED = {"nats_peers": {"a": "10.0.0.1"}, "nats_held_peers": [], "cluster_version": "v1", "nats_server_name": "a"}


def settings_of(component):
    urls = {f"{component}_nats_servers": ["nats://10.0.0.1:4222"], "controller_node_rpc_url": "ws://10.0.0.1:9944"}
    return {**role_files.defaults("common"), **role_files.defaults(component), **DERIVED, **urls}


@pytest.mark.parametrize("component", ["nats", "node", "controller", "caches"])
def test_the_role_asks_the_same(component):
    tasks = yaml.safe_load((ROLES / component / "tasks" / "verify.yml").read_text(encoding="utf-8"))
    [asked] = [task["autonomys.cluster.component_health"] for task in tasks if "component_health" in str(task)]
    question = {name: value for name, value in health_question(component, settings_of(component), {}).items() if value}
    # Before a run nothing has been started by it.
    assert set(question) == set(asked) - {"timeout", "interval", "started"}
    assert (question["component"], question["name"]) == (asked["component"], asked["name"])
    for source in {"nats", "node"} & set(question):
        unsaid = {"synced"} if source == "node" else set()
        assert set(question[source]) - unsaid == set(asked[source])
        assert question[source]["url"].startswith("http://127.0.0.1:")


def test_every_component_can_be_asked():
    for component in COMPONENTS.values():
        assert component.application or component.nats_client
