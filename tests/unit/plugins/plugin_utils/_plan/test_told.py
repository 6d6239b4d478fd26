# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a run, from what its hosts told."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan import told as plan

PROGRAM = {"reasons": [], "programs": []}
NOTHING = {"changes": []}


def answer(release=None, **components):
    return {"prepare": [], "release": release or {"installed": []}, "components": components, "monitoring": []}


@pytest.mark.parametrize(
    ("component", "planned"),
    [
        ({"program": PROGRAM}, {"program": PROGRAM, "configuration": False}),
        ({"program": PROGRAM, "configuration": {"changed": True}}, {"program": PROGRAM, "configuration": True}),
        (
            {"error": "it is broken"},
            {"error": "What would change about the node is not known: it is broken", "configuration": False},
        ),
    ],
)
def test_what_a_host_would_change(component, planned):
    assert plan.answers(answer(node=component), ["node"])["node"] == planned


def test_a_host_that_told_nothing_has_no_answer():
    assert plan.answers(None, ["node"]) == {"node": {"configuration": False}}


def test_what_would_be_installed_or_why_that_is_not_known():
    assert plan.answers(answer({"installed": ["/x"]}), []) == {"prepare": NOTHING, "release": {"installed": ["/x"]}}
    assert plan.answers(answer({"error": "no such file"}), []) == {
        "prepare": NOTHING,
        "release": {"error": "What would be installed is not known: no such file"},
    }


def test_who_leads_is_what_the_server_said():
    nats = {"meta_leader": "a"}
    assert plan.leader_seen(answer(nats={"program": PROGRAM, "health": {"evidence": {"nats": nats}}})) == nats
    assert plan.leader_seen(answer(node={"program": PROGRAM})) is None
    assert plan.leader_seen(None) is None


def test_without_preflight_there_is_no_plan():
    variables = {"hostvars": {"a": {"__cluster_model": {}}}, "groups": {"all": ["a"]}, "ansible_play_hosts_all": ["a"]}
    with pytest.raises(AnsibleActionFail, match="run playbooks/plan.yml"):
        plan.planned(variables)
