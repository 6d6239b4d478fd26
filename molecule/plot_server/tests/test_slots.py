# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs that go, come back and are replaced, and plot servers that leave the plan.

What restarts, what is refused, what is reported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
FILE = "/etc/supervisor/conf.d/autonomys-plot-server.conf"


def name(slot):
    return f"autonomys-plot-server-{slot}"


def ansible(program, *arguments):
    environment = dict(
        os.environ,
        ANSIBLE_CONFIG=str(REPOSITORY / "ansible.cfg"),
        MOLECULE_SCENARIO_NAME="plot_server",
        ANSIBLE_FORCE_COLOR="false",
    )
    command = [Path(sys.executable).with_name(program), "-i", os.environ["MOLECULE_INVENTORY_FILE"], *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def converge(host, **variables):
    """Run the role again on one host."""
    return ansible("ansible-playbook", "--limit", host, "-e", json.dumps(variables), "molecule/common/converge.yml")


def verify(host):
    """Run the role's health check alone."""
    role = "name=autonomys.cluster.plot_server tasks_from=verify"
    return ansible(
        "ansible", host, "-e", "plot_server_health_timeout=2", "-m", "ansible.builtin.include_role", "-a", role
    )


def read_gpus(server):
    return json.loads(server.run("cat /etc/autonomys-fakes/gpus.json"))


def write_gpus(server, gpus):
    server.run(f"echo '{json.dumps(gpus)}' >/etc/autonomys-fakes/gpus.json")


def pids(server):
    return {program: server.pid(program) for program, state in server.programs().items() if state == "RUNNING"}


@pytest.fixture
def slots(server):
    return server("slots")


@pytest.fixture
def restored(request):
    """Put a host's GPUs, switches and definitions back after a test that changes them."""
    changed = []

    def remember(server):
        changed.append((server, read_gpus(server)))
        return changed[-1][1]

    yield remember
    for server, gpus in changed:
        write_gpus(server, gpus)
        server.run("rm -rf /run/autonomys-fakes/*.json")
        done = converge(server.name)
        assert done.returncode == 0, done.stdout[-4000:]


def test_seven_of_eight_keep_their_pids_when_one_gpu_goes_comes_back_or_is_replaced(slots, restored):
    gpus = restored(slots)
    before = pids(slots)
    definition = slots.definition(name(3))
    assert {program for program in before if program.startswith("autonomys-plot-server-")} == {
        name(slot) for slot in range(8)
    }
    others = {program: pid for program, pid in before.items() if program != name(3)}

    write_gpus(slots, gpus[:3] + gpus[4:])
    done = converge("slots")
    assert done.returncode == 0, done.stdout[-4000:]
    assert pids(slots) == others
    assert slots.programs()[name(3)] == "STOPPED"
    assert slots.definition(name(3)) == dict(definition, autostart="false")
    assert "changed=0" in converge("slots").stdout

    write_gpus(slots, gpus)
    assert converge("slots").returncode == 0
    assert {program: pid for program, pid in pids(slots).items() if program != name(3)} == others
    assert slots.definition(name(3)) == definition

    new = "GPU-00000000-0000-4000-8000-000000000003"
    write_gpus(slots, [dict(gpu, uuid=new) if number == 3 else gpu for number, gpu in enumerate(gpus)])
    listed = [new if number == 3 else gpu["uuid"] for number, gpu in enumerate(gpus)]
    done = converge("slots", plot_server_gpus=listed)
    assert done.returncode == 0, done.stdout[-4000:]
    assert {program: pid for program, pid in pids(slots).items() if program != name(3)} == others
    assert slots.environment(name(3))["CUDA_VISIBLE_DEVICES"] == new
    assert {key: value for key, value in slots.definition(name(3)).items() if key != "environment"} == {
        key: value for key, value in definition.items() if key != "environment"
    }


def test_a_plot_server_of_a_missing_gpu_that_runs_is_reported(slots, restored):
    gpus = restored(slots)
    write_gpus(slots, gpus[:7])
    done = verify("slots")
    assert done.returncode != 0
    assert f"{name(7)} runs, though its GPU {gpus[7]['uuid']} is missing" in done.stdout


def test_without_a_list_renumbering_is_refused_before_anything_changes(minimal, restored):
    gpus = restored(minimal)
    before, text = pids(minimal), minimal.run(f"cat {FILE}")
    write_gpus(minimal, gpus[1:])
    done = converge("minimal")
    assert done.returncode != 0
    assert f"Plot servers would be renumbered: GPU {gpus[1]['uuid']} from 1 to 0" in done.stdout
    assert "plot_server_gpus: [" in done.stdout and gpus[0]["uuid"] in done.stdout
    assert pids(minimal) == before
    assert minimal.run(f"cat {FILE}") == text


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="with one CPU there is no mask to widen")
def test_a_plot_server_that_widens_its_own_mask_is_reported(custom, restored, until):
    restored(custom)
    [planned] = custom.masks(name(0))
    custom.run(f"mkdir -p /run/autonomys-fakes && echo '{{\"widen_mask\": true}}' >/run/autonomys-fakes/{name(0)}.json")
    assert until(lambda: custom.masks(name(0)) != {planned})
    done = verify("custom")
    assert done.returncode != 0
    assert f"{name(0)} may run on the CPUs 0-{os.cpu_count() - 1}, planned are {planned}" in done.stdout
    # A process keeps the mask that it gave itself.
    custom.run(f"rm /run/autonomys-fakes/{name(0)}.json && supervisorctl restart {name(0)}")


@pytest.mark.parametrize(
    "edit, problem",
    [
        ('s/DEVICES="GPU/DEVICES="OTHER-GPU/', "runs with CUDA_VISIBLE_DEVICES=OTHER-GPU"),
        ("s/GPU_CONCURRENCY/X_CONCURRENCY/", "runs without GPU_CONCURRENCY, planned is 14"),
        ("s/ -l / --interleave=all /", "has the memory policy interleave"),
    ],
    ids=["GPU", "concurrency", "memory policy"],
)
def test_a_plot_server_that_runs_otherwise_than_planned_is_reported(custom, restored, until, edit, problem):
    restored(custom)
    if "interleave" in edit and not custom.host.file(f"/proc/{custom.pid(name(0))}/numa_maps").exists:
        pytest.skip("this kernel tells no memory policy")
    custom.run(f"sed -i '/^.program:{name(0)}/,/^$/{edit}' {FILE} && supervisorctl update")
    # The update begins a restart. Until that is over, the check has another problem to tell.
    assert until(lambda: custom.programs().get(name(0)) == "RUNNING")
    done = verify("custom")
    assert done.returncode != 0
    assert f"{name(0)} {problem}" in done.stdout
