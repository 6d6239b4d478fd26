# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of AWX on empty hosts and on a running cluster: the workflow's way, drift, limits, two jobs at once."""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
sys.path.insert(0, str(REPOSITORY / "tests/awx"))
HAND_MADE = "/etc/supervisor/conf.d/autonomys-controller.conf"


@pytest.fixture(scope="module")
def awx(tmp_path_factory):
    from runner import Awx, of_test_hosts

    inventory = of_test_hosts(REPOSITORY / "molecule/inventory")
    return Awx(tmp_path_factory.mktemp("awx"), inventory, image=os.environ.get("AWX_IMAGE"))


@pytest.fixture(scope="module")
def approved(awx):
    """What the plan of the empty hosts hands over."""
    looked = awx.run("playbooks/preflight.yml")
    assert looked.status == 0 and set(looked.results) == {"findings"}, looked
    planned = awx.run("playbooks/plan.yml")
    assert planned.status == 0 and set(planned.results) == {"findings", "plan"}, planned
    assert planned.results["plan"]["summary"]["changes"]["start"] > 9
    return planned.results


@pytest.fixture(scope="module")
def deployed(awx, approved):
    """The job that does it."""
    job = awx.run("site.yml", autonomys=approved, awx_user_name="ada", awx_job_id=41)
    assert job.status == 0, job
    return job


def drift(awx):
    job = awx.run("playbooks/drift.yml")
    assert (job.status == 0) == (job.results["drift"] == []), job
    return job


def test_what_was_approved_is_done_and_handed_over(deployed):
    assert set(deployed.changed) == {"node-1", "node-2", "node-3"}
    assert {"findings", "table"} <= set(deployed.results)
    assert {row["health"] for row in deployed.results["table"]} == {"healthy"}
    # The table is the last that somebody sees in the job's window.
    assert re.search(r"^HOST +COMPONENT .*\Z", deployed.output, re.MULTILINE | re.DOTALL)


def test_again_nothing_changes_and_the_approval_is_spent(awx, approved, deployed):
    spent = awx.run("site.yml", autonomys=approved)
    assert spent.status == 2 and "start: is not defined yet was approved, and now it is nothing" in spent.text, spent
    again = awx.run("site.yml")
    assert (again.status, again.changed) == (0, {}), again
    assert awx.run("playbooks/status.yml").status == 0


def test_drift_names_what_somebody_has_edited_and_passes_after_site(awx, deployed, server):
    assert drift(awx).results["drift"] == []
    server("node-2").run(f"sed -i 's/stdout_logfile_backups=2/stdout_logfile_backups=3/' {HAND_MADE}")
    job = drift(awx)
    assert {(each["host"], each["what"]) for each in job.results["drift"]} == {("node-2", "autonomys-controller")}
    assert "Drift: 1 difference on 1 host (node-2)." in job.text
    assert set(awx.run("site.yml", "--check").changed) == {"node-2"}
    assert awx.run("site.yml").status == 0
    assert drift(awx).results["drift"] == []


def test_a_limited_approval_is_for_these_hosts(awx, deployed, server):
    server("node-3").run(f"sed -i 's/stdout_logfile_backups=2/stdout_logfile_backups=3/' {HAND_MADE}")
    plan = awx.run("playbooks/plan.yml", "--limit", "node-3").results["plan"]
    for_all = awx.run("site.yml", cluster_plan_id=plan["id"])
    assert for_all.status == 2 and "is not what was approved" in for_all.text, for_all
    done = awx.run("site.yml", "--limit", "node-3", cluster_plan_id=plan["id"])
    assert done.status == 0 and set(done.changed) == {"node-3"}, done


def test_of_two_jobs_at_once_one_names_the_other(awx, deployed):
    def restart(number):
        return awx.run("playbooks/restart.yml", restart_components="controller", awx_user_name="ada", awx_job_id=number)

    with ThreadPoolExecutor(2) as pool:
        jobs = list(pool.map(restart, (51, 52)))
    assert sorted(job.status for job in jobs) == [0, 2], jobs
    refused = next(number for number, job in zip((51, 52), jobs) if job.status)
    assert f"ada (AWX job {103 - refused})" in next(job for job in jobs if job.status).text, jobs
