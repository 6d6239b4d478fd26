# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX is given: of the schema, complete, and nothing that does not exist."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.filter.awx_assets import awx_assets
from ansible_collections.autonomys.cluster.plugins.plugin_utils._awx import assets, survey, templates
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files

ROOT = Path(__file__).parents[5]
API = yaml.safe_load((ROOT / "tests/awx/api.yml").read_text(encoding="utf-8"))
FULL = {
    "awx_project_url": "https://git.example.org/cluster.git",
    "awx_inventory_path": "inventories/ours/hosts.yml",
    "awx_host_count": 7,
    "awx_secrets": ["oula_token"],
    "awx_signature_credential": "The public key",
    "awx_project_credential": "Git",
    "awx_execution_environment": "Autonomys",
    "awx_notifications": [{"name": "On call", "notification_type": "email"}],
}
# By name where the API has a number or a list of its own, and what the collection infra.aap_configuration calls so.
BY_NAME = {"type": "string", "minLength": 1}
NAMES = {"type": "array", "items": BY_NAME}
KINDS = {
    "controller_credential_types": ("credential_types", {}),
    "controller_projects": ("projects", {}),
    "controller_inventories": ("inventories", {}),
    "controller_inventory_sources": ("inventory_sources", {"organization": BY_NAME}),
    "controller_notifications": ("notification_templates", {}),
    "controller_templates": (
        "job_templates",
        {
            "credentials": NAMES,
            "extra_vars": {"type": "object"},
            "notification_templates_error": NAMES,
            "survey_spec": {"type": "object", "additionalProperties": False, **API["survey_spec"]},
        },
    ),
    "controller_workflows": (
        "workflow_job_templates",
        {
            "notification_templates_error": NAMES,
            "notification_templates_approvals": NAMES,
            "simplified_workflow_nodes": {"type": "array", "minItems": 1, "items": {"type": "object"}},
        },
    ),
    "controller_schedules": ("schedules", {"organization": BY_NAME}),
}


def schema_of(kind):
    """The schema of an item of the data: the API's, with names in the place of numbers."""
    endpoint, more = KINDS[kind]
    fields = {
        name: BY_NAME if "integer" in field.get("type", "") and name not in NUMBERS else field
        for name, field in API[endpoint]["properties"].items()
    }
    return {"type": "object", "additionalProperties": False, "required": ["name"], "properties": {**fields, **more}}


NUMBERS = ("forks", "job_slice_count", "timeout")


@pytest.mark.parametrize("given", [{}, FULL], ids=["nothing", "everything"])
def test_the_data_is_what_the_api_takes(given):
    found = awx_assets(given)
    assert set(found) == set(KINDS)
    for kind, items in found.items():
        for item in items:
            jsonschema.validate(item, schema_of(kind))
    assert all(found.values()) or not given


def test_every_template_is_there_and_runs_a_playbook_of_the_project():
    found = awx_assets({})["controller_templates"]
    assert [item["name"] for item in found] == [f"Autonomys {name}" for name in templates.TEMPLATES]
    assert {item["playbook"] for item in found} == set(role_files.playbooks()) - {
        "playbooks/site.yml",
        "playbooks/awx.yml",
    }
    assert {item["job_slice_count"] for item in found} == {1}


def test_a_node_of_the_workflow_names_a_template_or_asks_for_an_approval_and_ends_somewhere():
    [workflow] = awx_assets({})["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    names = {item["name"] for item in awx_assets({})["controller_templates"]}
    for node in nodes.values():
        assert ("approval_node" in node) != (node.get("unified_job_template") in names)
        assert {*node["success_nodes"], *node["failure_nodes"]} <= set(nodes)
    assert nodes["site"]["failure_nodes"] == ["drift"] and nodes["approval"]["success_nodes"] == ["site"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"awx_surveys": {"stage": ["cluster_realeases_keep"]}},
            "nor playbooks/stage.yml knows. Did you mean cluster_rel",
        ),
        (
            {"awx_surveys": {"site": ["restart_components"]}},
            "restart_components, which neither a role nor site.yml knows.",
        ),
        (
            {"awx_surveys": {"site": ["cluster_plan_id"]}},
            "The survey of the template site asks twice for cluster_plan_id.",
        ),
        ({"awx_surveys": {"sight": []}}, "awx_surveys has sight; templates are preflight, plan, site,"),
        (
            {"awx_surveys": {"site": ["cluster_binaries"]}},
            "which is no text, number or list of texts: write it in the inv",
        ),
        (
            {"awx_notifications": [{"name": "a", "notification_type": "x"}] * 2},
            "controller_notifications has the name a twi",
        ),
        ({"awx_notifications": [{"name": "a"}]}, "awx_notifications has one without name or notification_type."),
        ({"awx_inventory": ""}, "awx_inventory is empty: AWX needs a name."),
        ({"awx_forks": "many"}, "awx_forks is 'many', which is no int"),
        ({"awx_secrets": ["a", "a"]}, "awx_secrets has a twice."),
        ({"awx_secrets": ["a-b"]}, "awx_secrets has a-b: a name has small letters, digits and underscores."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(AnsibleFilterError) as error:
        awx_assets(given)
    assert sentence in str(error.value)


def test_a_template_of_a_playbook_that_is_not_there_is_refused():
    sources = {"playbooks": {}, "specs": {}, "components": []}
    with pytest.raises(assets.AssetError, match="runs playbooks/x.yml, which this collection does not have"):
        assets.survey("x", templates.Template("playbooks/x.yml", ""), {"surveys": {}}, sources)


@pytest.mark.parametrize("name", [name for name, each in templates.TEMPLATES.items() if each.survey])
def test_answers_of_surveys_cannot_be_retyped_where_that_can_be_helped(name):
    found = {item["name"]: item for item in awx_assets({})["controller_templates"]}[f"Autonomys {name}"]
    for question in found["survey_spec"]["spec"]:
        if question["type"] == "text":
            # An id begins with a word, and the others are lists whose texts are converted.
            assert question["variable"] in ("cluster_plan_id", f"{name}_programs", f"{name}_gpu_slots"), question


def test_questions_are_made_from_specifications():
    whole = survey.question("a_b", {"type": "int", "default": 5, "description": ["Of C(x).", "More."]}, True)
    assert (whole["type"], whole["default"], whole["required"]) == ("integer", 5, True)
    assert whole["question_description"] == "Of x. More."
    assert survey.question("a_b", {"type": "bool"}, False)["choices"] == ["true", "false"]
    assert survey.question("a_b", {"choices": ["x", "y"], "default": "y"}, False)["default"] == "y"
    assert survey.question("a_b", {"type": "str", "default": "{{ x }}"}, False)["default"] == ""


def test_only_the_head_of_a_playbook_names_its_variables():
    assert survey.names_in_head("---\n# -e restart_everything=true\n\n- name: x\n  # stop_everything\n") == {
        "restart_everything"
    }
