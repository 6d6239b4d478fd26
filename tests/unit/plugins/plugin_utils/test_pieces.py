# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outlook of an export of pieces: its size, and every sentence that speaks against it."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._pieces import MIB, SEGMENT, export_outlook

URL = "http://192.0.2.1:9944"
NODE = {
    "reachable": True,
    "error": None,
    "syncing": False,
    "best": 700,
    "target": 700,
    "archive": True,
    "history_segments": 4,
}
DISK = {"mountpoint": "/var", "available": 10 * 1024**3}


def outlook(node=(), disk=(), **more):
    """The outlook of an export for which all is well, but for what is given."""
    arguments = {
        "node_url": URL,
        "program": "/opt/autonomys/releases/v1/autonomys-export-piece",
        "installed": True,
        "directory": "/var/export",
        "present_bytes": 0,
        "expected_mib": 0,
        "margin_mib": 1024,
    }
    return export_outlook(dict(NODE, **dict(node)), disk=dict(DISK, **dict(disk)), **dict(arguments, **more))


def test_the_size_follows_from_the_history():
    assert outlook() == {"expected_bytes": 4 * SEGMENT, "problems": []}
    assert outlook(node={"history_segments": None})["expected_bytes"] == 0


def test_a_size_that_the_operator_knows_counts():
    assert outlook(expected_mib=8)["expected_bytes"] == 8 * MIB


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"installed": False},
            "/opt/autonomys/releases/v1/autonomys-export-piece is not installed: "
            "name autonomys-export-piece in cluster_binaries and run site.yml",
        ),
        (
            {"node": {"reachable": False, "error": "timed out", "archive": None, "history_segments": None}},
            f"the node at {URL} cannot be reached: timed out",
        ),
        (
            {"node": {"syncing": True, "target": 900}},
            f"the node at {URL} is still syncing (block 700 of 900): wait until it has finished",
        ),
        (
            {"node": {"archive": False}},
            f"the node at {URL} does not have the first block of the chain (any more), as a node with --sync full and "
            "archive pruning has. Pruning is fixed when the database is created: set node_sync: full, "
            "node_blocks_pruning: archive, node_state_pruning: archive and a new node_base_path for it, run site.yml, "
            "and wait until it has synced",
        ),
        (
            {"disk": {"available": 1024**3}},
            "the export takes about 1.00 GB more and 1024 MiB must stay free, but /var, where /var/export is, has only "
            "1.00 GB free: name a folder on another disk in export_pieces_directory, or "
            "another host in export_pieces_host",
        ),
    ],
    ids=["not installed", "unreachable", "syncing", "pruned", "no room"],
)
def test_what_speaks_against_an_export(changes, words):
    assert outlook(**changes)["problems"] == [words]


def test_why_the_first_block_is_not_known_is_said():
    [problem] = outlook(node={"archive": None, "error": "chain_getBlock: discarded (code 4003)"})["problems"]
    assert problem.endswith("and wait until it has synced (chain_getBlock: discarded (code 4003))")


def test_all_problems_are_said_at_once():
    assert (
        len(outlook(installed=False, node={"syncing": True, "archive": False}, disk={"available": 0})["problems"]) == 4
    )


@pytest.mark.parametrize(("present", "fits"), [(0, False), (2 * SEGMENT, True), (9 * SEGMENT, True)])
def test_what_is_there_needs_no_room_again(present, fits):
    available = 1024 * MIB + 2 * SEGMENT
    assert (not outlook(disk={"available": available}, present_bytes=present)["problems"]) == fits
