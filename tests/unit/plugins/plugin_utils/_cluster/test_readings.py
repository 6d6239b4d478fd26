# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of a host, in one shape, whatever went wrong."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import changes, reading, records

HOST, TOPOLOGY, DISKS = {"user": None}, {"gpus": []}, {"/mnt/a": {"exists": True}}
GPUS = {"topology": TOPOLOGY, "gpu_error": None, "warnings": []}
TOLD = {
    "host": HOST,
    "gpus": GPUS,
    "disks": DISKS,
    "prepare": {"changes": ["create the user autonomys"]},
    "release": {"changed": False},
    "components": {"node": {"error": "it is broken"}},
    "monitoring": None,
    "lock": None,
}


def told(**parts):
    return {"__host_reading": {"changed": False, "reading": {**TOLD, **parts}}}


def test_a_host_that_answered():
    known = {"reachable": True, "error": None, "host": HOST, "gpus": GPUS, "disks": DISKS}
    # What a run would not end with is no finding: the plan says what is not known.
    assert reading(told()) == {**known, "refused": {}}
    assert reading(told(gpus=None, disks=None))["error"] is None


def test_what_a_run_would_end_with():
    refused = {"error": "supervisord runs as nobody", "refused": True}
    assert reading(told(components={"node": refused}))["refused"] == {"node": "supervisord runs as nobody"}


def test_a_host_that_was_not_asked():
    assert reading({}) is None and changes({}) is None
    assert reading({"__host_reading": {"skipped": True, "changed": False}}) is None


def test_a_part_that_failed_is_none_and_said():
    found = reading(told(gpus={"error": "no answer within 120 s"}))
    assert (found["host"], found["gpus"], found["disks"]) == (HOST, None, DISKS)
    assert (found["reachable"], found["error"]) == (True, "no answer within 120 s")


def test_a_host_whose_module_failed():
    found = reading({"__host_reading": {"failed": True, "msg": "no Python"}})
    assert (found["reachable"], found["error"], found["host"]) == (True, "no Python", None)
    assert reading({"__host_reading": {"failed": True}})["error"] == "no answer"


def test_a_host_that_cannot_be_reached():
    answer = {"__host_reading": {"unreachable": True, "msg": "timed out"}}
    found = reading(answer)
    assert (found["reachable"], found["error"], found["host"]) == (False, "timed out", None)
    assert changes(answer) is None


def test_what_would_change():
    assert changes(told()) == {
        "prepare": ["create the user autonomys"],
        "release": {"changed": False},
        "components": {"node": {"error": "it is broken"}},
        "monitoring": [],
        "lock": None,
    }
    # What is not known is done.
    assert changes(told(prepare={"error": "no answer"}))["prepare"] == ["no answer"]


def test_what_monitoring_needs():
    assert changes(told(monitoring={"changes": ["write /x"], "missing": []}))["monitoring"] == ["write /x"]
    assert changes(told(monitoring={"error": "no answer"}))["monitoring"] == [
        "what monitoring needs is not known: no answer"
    ]


def test_who_holds_the_cluster_is_told_by_the_hosts_of_nats():
    lock = {"generation": "b/1", "holder": None}
    assert records([("a", changes(told(lock=lock))), ("b", changes(told())), ("c", None)]) == {"a": lock}
