# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of a host, in one shape, whatever went wrong."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.readings import reading

HOST, TOPOLOGY, DISKS = {"user": None}, {"gpus": []}, {"/mnt/a": {"exists": True}}
GPUS = {"topology": TOPOLOGY, "gpu_error": None, "warnings": []}


def test_a_host_that_answered():
    variables = {"__common_host": {"host": HOST}, "__preflight_gpus": GPUS, "__preflight_disks": {"disks": DISKS}}
    assert reading(variables) == {"reachable": True, "error": None, "host": HOST, "gpus": GPUS, "disks": DISKS}


def test_what_was_not_asked_is_none():
    assert reading({}) is None
    skipped = {"skipped": True, "changed": False}
    assert reading({"__preflight_gpus": skipped}) is None
    assert reading({"__common_host": {"host": HOST}, "__preflight_gpus": skipped}) == {
        "reachable": True,
        "error": None,
        "host": HOST,
        "gpus": None,
        "disks": None,
    }


def test_what_failed_is_none_and_said():
    found = reading(
        {
            "__common_host": {"host": HOST},
            "__preflight_gpus": {"failed": True, "msg": "no Python"},
            "__preflight_disks": {"failed": True},
        }
    )
    assert (found["host"], found["gpus"], found["disks"]) == (HOST, None, None)
    assert (found["reachable"], found["error"]) == (True, "no Python")
    assert reading({"__preflight_disks": {"failed": True}})["error"] == "no answer about disks"


def test_a_host_that_cannot_be_reached():
    found = reading({"__common_host": {"unreachable": True, "msg": "timed out"}})
    assert (found["reachable"], found["error"], found["host"]) == (False, "timed out", None)
