# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reading of a host, with readers that hang and break."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._reading import read as reading
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files

HOST = {"architecture": "x86_64", "files": {}, "packages": {}, "user": None, "programs": []}
LOOKED = {"healthy": True, "problems": [], "waited_s": 0, "evidence": {}, "expected": []}
PART = {
    "components": ["node", "controller"],
    "settings": {
        name: value
        for role in ("common", "node", "controller", "plot_client")
        for name, value in role_files.defaults(role).items()
    },
    "asked": {"gpus": True, "folders": ["/var/a"], "farms": ["/mnt/a"]},
    "packages": ["numactl"],
    "nats_checksums": {},
}


@pytest.fixture(autouse=True)
def host(monkeypatch):
    """A host of which everything can be read, and nothing would change."""
    for name, value in {
        "host_facts": HOST,
        "read_gpus": {"topology": {}, "gpu_error": None, "processes": [{"pid": 7, "gpu_uuids": ["GPU-a"]}]},
        "read_farms": {"/mnt/a": {"exists": True}},
        "preparations": [],
        "release_changes": {"changed": False},
        "program_changes": {"changed": False, "restart_required": False},
        "look": dict(LOOKED),
    }.items():
        monkeypatch.setattr(reading, name, lambda *args, value=value, **options: value)
    monkeypatch.setattr(reading, "health_question", lambda component, settings, facts: {"component": component})
    monkeypatch.setattr(reading, "PATIENCE_S", dict.fromkeys(reading.PATIENCE_S, 20))


def test_everything_is_told():
    found = reading.read(PART, set().update)
    assert found["host"] == HOST and found["prepare"] == {"changes": []} and found["release"] == {"changed": False}
    assert found["gpus"]["topology"] == {} and found["disks"] == {"/mnt/a": {"exists": True}}
    component = {"program": {"changed": False, "restart_required": False}, "health": LOOKED}
    assert found["components"] == {"node": component, "controller": component}


def test_what_does_not_matter_is_not_read():
    found = reading.read({**PART, "asked": {"gpus": False, "folders": [], "farms": []}}, set().update)
    assert (found["gpus"], found["disks"]) == (None, None)


def test_what_is_kept_stopped_is_not_asked():
    stopped = {**PART, "settings": {**PART["settings"], "node_state": "stopped"}}
    assert "health" not in reading.read(stopped, set().update)["components"]["node"]


def fails(*args, **options):
    raise OSError("Input/output error")


def test_a_driver_that_hangs_costs_only_its_part(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(reading, "read_gpus", lambda **options: gate.wait())
    monkeypatch.setitem(reading.PATIENCE_S, "gpus", 0.1)
    found = reading.read(PART, set().update)
    gate.set()
    assert found["gpus"] == {"error": "no answer within 0.1 s"}
    assert found["host"] == HOST and found["components"]["node"]["health"]["healthy"]


def test_one_component_that_breaks_spoils_no_other(monkeypatch):
    def compare(component, *args):
        return fails() if component == "node" else {"changed": False}

    monkeypatch.setattr(reading, "program_changes", compare)
    components = reading.read(PART, set().update)["components"]
    assert components["node"] == {"error": "Input/output error", "health": LOOKED}
    assert components["controller"]["program"] == {"changed": False}


def test_what_a_run_would_end_with_is_marked(monkeypatch):
    def refuse(*args):
        raise ProgramError("supervisord runs as nobody")

    monkeypatch.setattr(reading, "program_changes", refuse)
    node = reading.read(PART, set().update)["components"]["node"]
    assert (node["error"], node["refused"]) == ("supervisord runs as nobody", True)


def test_a_supervisord_that_hangs_leaves_the_rest_known(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(reading, "program_changes", lambda *args: gate.wait())
    monkeypatch.setitem(reading.PATIENCE_S, "programs", 0.1)
    found = reading.read(PART, set().update)
    gate.set()
    assert found["components"]["node"] == {"error": "no answer within 0.1 s", "health": LOOKED}
    assert found["release"] == {"changed": False}


def test_health_that_cannot_be_asked_is_a_problem(monkeypatch):
    monkeypatch.setattr(reading, "look", fails)
    health = reading.read(PART, set().update)["components"]["node"]["health"]
    assert (health["healthy"], health["problems"]) == (False, ["Input/output error"])


def test_what_rests_on_a_host_that_cannot_be_read_says_so(monkeypatch):
    monkeypatch.setattr(reading, "host_facts", fails)
    found = reading.read(PART, set().update)
    assert found["host"] == {"error": "Input/output error"}
    assert found["prepare"] == found["release"] == {"error": "the host could not be read: Input/output error"}


def test_who_uses_a_gpu_is_asked_once():
    assert reading._gpu_users({"gpus": None}) is None
    assert reading._gpu_users({"gpus": {"gpu_error": "it hangs", "processes": []}}) is None
    processes = [{"pid": 7, "gpu_uuids": ["a"]}]
    assert reading._gpu_users({"gpus": {"gpu_error": None, "processes": processes}}) == {7: ["a"]}
