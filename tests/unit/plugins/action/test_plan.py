# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the task ``plan`` makes of what the plays registered."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.autonomys.cluster.plugins.action import plan

PROGRAM = {"reasons": [], "programs": []}


@pytest.mark.parametrize(
    ("variables", "answer"),
    [
        ({}, {"configuration": False}),
        ({"__node_program": PROGRAM}, {"program": PROGRAM, "configuration": False}),
        (
            {"__node_program": PROGRAM, "__node_configuration": {"changed": True}},
            {"program": PROGRAM, "configuration": True},
        ),
        (
            {"__node_program": dict(PROGRAM, failed=True), "__plan_errors": {"node": "it is broken"}},
            {"error": "What would change about the node is not known: it is broken", "configuration": False},
        ),
        (
            {"__node_program": {"unreachable": True}},
            {"error": "What would change about the node is not known: the host did not answer", "configuration": False},
        ),
    ],
)
def test_what_a_role_answered(variables, answer):
    assert plan.answers(variables, ["node"]) == {"node": answer}


def test_what_would_be_installed_or_why_that_is_not_known():
    assert plan.answers({"__common_release": {"installed": ["/x"]}}, []) == {"release": {"installed": ["/x"]}}
    assert plan.answers({"__plan_errors": {"release": "no such file"}}, []) == {
        "release": {"error": "What would be installed is not known: no such file"}
    }


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    plan.write(str(tmp_path / "plan.json"), "→ \ud800")
    assert (tmp_path / "plan.json").read_text(encoding="utf-8") == "→ ?"
    with pytest.raises(AnsibleActionFail, match="cannot be written"):
        plan.write(str(tmp_path), "x")


def test_without_preflight_there_is_no_plan():
    variables = {"hostvars": {"a": {"__cluster_model": {}}}, "groups": {"all": ["a"]}, "ansible_play_hosts_all": ["a"]}
    with pytest.raises(AnsibleActionFail, match="run playbooks/plan.yml"):
        plan.planned(variables)
