# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/awx.yml with the real collection awx.awx against a fake of AWX's API that refuses what AWX refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from collection import awx_awx
from fake_awx import TOKEN, FakeAwx, serve

ROOT = Path(__file__).parents[3]
PLAYBOOKS = {path.relative_to(ROOT).as_posix() for path in [ROOT / "site.yml", *ROOT.glob("playbooks/*.yml")]}
SETTINGS = {
    "awx_project_url": "https://git.example.org/cluster.git",
    "awx_inventory_path": "inventories/ours/hosts.yml",
    "awx_host_count": 7,
    "awx_credentials": ["The key"],
    "awx_secrets": ["oula_token"],
    "awx_surveys": {"stage": ["cluster_releases_keep", "cluster_chain", "cluster_offline"]},
    "awx_notifications": [
        {
            "name": "On call",
            "notification_type": "webhook",
            "notification_configuration": {"url": "https://chat.example.org/a-secret-path", "http_method": "POST"},
        }
    ],
}


class Place:
    """A fake AWX, and awx.yml run against it."""

    def __init__(self, folder):
        self.awx = FakeAwx(PLAYBOOKS)
        self.awx.create("credentials", {"name": "The key", "credential_type": 1})
        self.server = serve(self.awx)
        self.folder = folder

    def run(self, *arguments, **settings):
        """Run it: (status, output, changed tasks)."""
        command = [Path(sys.executable).with_name("ansible-playbook"), ROOT / "playbooks/awx.yml"]
        command += ["-e", json.dumps({**SETTINGS, **settings}), *arguments]
        environment = dict(
            os.environ,
            ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"),
            ANSIBLE_COLLECTIONS_PATH=f"{ROOT}/.ansible/collections:{awx_awx()}",
            CONTROLLER_HOST=f"http://127.0.0.1:{self.server.server_port}",
            CONTROLLER_OAUTH_TOKEN=TOKEN,
        )
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)
        changed = re.search(r"^localhost .* changed=(\d+)", done.stdout, re.MULTILINE)
        return done.returncode, done.stdout + done.stderr, int(changed[1]) if changed else None


@pytest.fixture
def place(tmp_path):
    """An empty AWX with an organization and a credential."""
    place = Place(tmp_path)
    yield place
    place.server.shutdown()


def test_an_empty_awx_gets_all_of_it_once(place):
    status, output, changed = place.run("--check")
    assert status == 0 and place.awx.writes == [], output
    assert "Would be made, since what they need does not exist yet: Autonomys preflight," in output
    status, output, changed = place.run()
    assert status == 0 and changed, output
    assert "a-secret-path" not in output
    made = place.awx.writes
    status, output, changed = place.run()
    assert (status, changed) == (0, 0) and place.awx.writes == made, output
    check_templates(place.awx)
    check_workflow(place.awx)
    # A check finds the one thing that somebody has changed by hand.
    place.awx.named("job_templates", "Autonomys drift")["job_slice_count"] = 4
    status, output, changed = place.run("--check")
    assert (status, changed) == (0, 1) and place.awx.writes == made, output


def check_templates(awx):
    """What a person finds in AWX."""
    templates = {item["name"]: item for item in awx.items["job_templates"].values()}
    assert len(templates) == 12 and {item["job_slice_count"] for item in templates.values()} == {1}
    assert {json.loads(item["extra_vars"])["cluster_host_count"] for item in templates.values()} == {7}
    [type_of_secrets] = awx.items["credential_types"].values()
    assert type_of_secrets["injectors"] == {"env": {"AUTONOMYS_OULA_TOKEN": "{{ oula_token }}"}}
    [schedule] = awx.items["schedules"].values()
    assert schedule["unified_job_template"] == templates["Autonomys drift"]["id"]
    for name in ("Autonomys drift", "Autonomys site"):
        assert len(awx.associations["job_templates", templates[name]["id"], "notification_templates_error"]) == 1
    questions = awx.surveys["job_templates", templates["Autonomys stage"]["id"]]["spec"]
    assert [(each["variable"], each["type"], each["choices"]) for each in questions] == [
        ("cluster_releases_keep", "integer", []),
        ("cluster_chain", "multiplechoice", ["mainnet", "taurus", "chronos"]),
        ("cluster_offline", "multiplechoice", ["true", "false"]),
    ]


def check_workflow(awx):
    """The way from the look to the approved change."""
    nodes = {item["id"]: item for item in awx.items["workflow_job_template_nodes"].values()}
    ways = {
        (nodes[node]["identifier"], part, nodes[follower]["identifier"])
        for (kind, node, part), followers in awx.associations.items()
        if kind == "workflow_job_template_nodes"
        for follower in followers
    }
    assert ways == {
        ("preflight", "success_nodes", "plan"),
        ("plan", "success_nodes", "approval"),
        ("approval", "success_nodes", "site"),
        ("site", "success_nodes", "status"),
        ("site", "failure_nodes", "drift"),
    }
    [approval] = awx.items["workflow_approval_templates"].values()
    assert awx.named("workflow_job_template_nodes", "approval")["unified_job_template"] == approval["id"]
    assert approval["timeout"] == 86400


def test_what_cannot_be_is_refused_before_anything_is_made(place):
    status, output, _changed = place.run(awx_surveys={"stage": ["cluster_realeases_keep"]})
    assert status == 2 and "asks for cluster_realeases_keep, which neither a role" in re.sub(r"\s+", " ", output), (
        output
    )
    assert place.awx.requests == []


def test_the_data_can_be_written_for_another_collection(place):
    file = place.folder / "assets.yml"
    status, output, _changed = place.run(awx_file=str(file))
    assert status == 0 and place.awx.requests == [], output
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert len(data["controller_templates"]) == 12 and place.run(awx_file=str(file))[2] == 0


def test_the_fake_refuses_what_awx_refuses():
    awx = FakeAwx(PLAYBOOKS)

    def post(path, **body):
        return awx.answer("POST", f"/api/v2/{path}", body)

    assert post("projects/", name="p", scm_tpye="git")[0] == 400
    assert post("projects/", name="p")[0] == 201
    assert post("projects/", name="p") == (
        400,
        {"__all__": ["projects with this name and organization already exists."]},
    )
    project = awx.named("projects", "p")["id"]
    wrong = post("job_templates/", name="t", project=project, playbook="playbooks/sight.yml")
    assert wrong == (400, {"playbook": ["Playbook not found for project."]})
    template = post("job_templates/", name="t", project=project, playbook="site.yml")[1]["id"]
    assert post(f"job_templates/{template}/survey_spec/", name="", description="", spec=[{"variable": "A B"}])[0] == 400
    workflow = post("workflow_job_templates/", name="w")[1]["id"]
    node = post("workflow_job_template_nodes/", workflow_job_template=workflow, unified_job_template=template)[1]["id"]
    assert post(f"workflow_job_template_nodes/{node}/create_approval_template/", name="a")[0] == 400
    assert post("workflow_approval_templates/", name="a")[0] == 405
    fields = awx.answer("OPTIONS", "/api/v2/job_templates/", None)[1]["actions"]["POST"]
    assert {"name", "playbook", "job_slice_count"} <= set(fields) and "slices" not in fields
    assert awx.answer("GET", "/api/v2/jobs/", None)[0] == 404
