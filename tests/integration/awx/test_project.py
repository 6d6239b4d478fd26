# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This repository as a project of AWX: a checkout with the collection of its own requirements, in jobs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TOOLS = Path(sys.executable).parent
PLAYBOOKS = ["site.yml", *(f"playbooks/{path.name}" for path in sorted((ROOT / "playbooks").glob("*.yml")))]
# How AWX 24.6.1 finds what a job template can name (awx/main/utils/ansible.py): a line of a .yml file looks so, and the
# path is not one of these.
LOOKS_LIKE_A_PLAYBOOK = re.compile(
    r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?import_playbook|include):\s*?.*?$", re.MULTILINE
)
NEVER_A_PLAYBOOK = ("roles/", "tasks/", "group_vars/", "host_vars/")


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_awx_finds_the_playbook(name):
    assert LOOKS_LIKE_A_PLAYBOOK.search((ROOT / name).read_text(encoding="utf-8"))
    assert not name.startswith(NEVER_A_PLAYBOOK)


def test_every_playbook_works_with_the_collection_that_the_requirements_install(awx, tmp_path):
    project = awx.folder / "project"
    assert not (project / ".ansible").exists()
    (tmp_path / "hosts").write_text("here ansible_connection=local\n", encoding="utf-8")
    command = [TOOLS / "ansible-playbook", "-i", tmp_path / "hosts", "--syntax-check", *PLAYBOOKS]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "autonomys.cluster" in done.stderr, "it was found without the requirements"
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(awx.folder / "requirements_collections")
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_waits_for_a_person():
    for path in [*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/tasks/**/*.yml")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bpause:|vars_prompt:", text), path


def test_a_plan_is_handed_over_without_secrets_and_the_same_twice(awx, secret):
    first, second = awx.run("playbooks/plan.yml"), awx.run("playbooks/plan.yml")
    assert first.status == second.status == 0, first
    assert set(first.artifacts) == {"autonomys"} and set(first.results) == {"findings", "plan"}
    plan = first.results["plan"]
    assert plan["id"] == second.results["plan"]["id"] and plan["id"] in first.output
    assert plan["verdicts"]["node-1"]["nats-server"].startswith("start: is not defined yet #")
    for folder in awx.folder.glob("job-*"):
        for path in filter(Path.is_file, (folder / "artifacts").rglob("*")):
            assert secret not in path.read_text(encoding="utf-8", errors="replace"), path
        written = {path.relative_to(folder / "project") for path in (folder / "project").rglob("*")}
        assert written == {path.relative_to(awx.folder / "project") for path in (awx.folder / "project").rglob("*")}


def test_site_refuses_what_was_not_approved_and_names_it(awx):
    plan = awx.run("playbooks/plan.yml").results["plan"]
    refused = awx.run("site.yml", autonomys={"plan": plan}, nats_max_payload="5MB")
    assert refused.status == 2 and "is not what was approved" in refused.text
    assert "nats-server on node-1: start: is not defined yet, in another way" in refused.text
    by_hand = awx.run("site.yml", cluster_plan_id="plan-0123456789abcdef")
    assert "is not what was approved (plan-0123456789abcdef): what exactly differs is not at hand" in by_hand.text
    retyped = awx.run("site.yml", cluster_plan_id=7)
    assert "cluster_plan_id is 7, which is no plan's id" in retyped.text


def test_files_go_to_the_folder_that_a_variable_names(awx, tmp_path):
    job = awx.run("playbooks/drift.yml", cluster_results_dir=str(tmp_path / "results"))
    assert job.status == 2 and "would start: is not defined yet" in job.output
    assert {each["host"] for each in job.results["drift"]} == {"node-1", "storage-1"}
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["drift.json", "findings.json"]
    assert json.loads((tmp_path / "results/drift.json").read_text(encoding="utf-8")) == job.results["drift"]


def test_a_slice_is_refused_in_a_sentence(awx):
    for count in (7, "7"):
        job = awx.run("playbooks/status.yml", cluster_host_count=count)
        assert job.status == 2
        assert (
            "has 2 hosts, and cluster_host_count says 7. Nothing was changed. In AWX, give the job template" in job.text
        )
    assert "cluster_host_count says" not in awx.run("playbooks/status.yml", cluster_host_count=2).text


def test_a_jobs_window_is_not_full_of_what_is_skipped(awx):
    output = awx.run("playbooks/preflight.yml").output
    assert "skipping: [" not in output
    assert len(output.splitlines()) < 120


def test_the_requirements_name_the_checkout_and_nothing_else():
    assert yaml.safe_load((ROOT / "collections/requirements.yml").read_text()) == {
        "collections": [{"name": ".", "type": "dir"}]
    }
