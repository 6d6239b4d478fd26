# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The export of a node's history as pieces: how large it is, and what speaks against it."""

from __future__ import annotations

from typing import Any, Mapping, TypedDict

from ansible.module_utils.common.text.formatters import bytes_to_human

MIB = 1024 * 1024
SEGMENT = 256 * 1048672
"""Bytes of a segment of the history: 256 pieces of 1,048,672 bytes."""


class Outlook(TypedDict):
    """What an export will take, and why it cannot begin."""

    expected_bytes: int
    problems: list[str]


def export_outlook(
    node: Mapping[str, Any],
    *,
    node_url: str,
    program: str,
    installed: bool,
    directory: str,
    disk: Mapping[str, Any],
    present_bytes: int,
    expected_mib: int,
    margin_mib: int,
) -> Outlook:
    """Return how many bytes an export has in the end, and what speaks against it, one sentence per problem.

    ``node`` and ``disk`` are answers of node_info and disk_info; ``present_bytes`` are there already.
    """
    expected = expected_mib * MIB or (node["history_segments"] or 0) * SEGMENT
    problems = []
    if not installed:
        problems.append(f"{program} is not installed: name autonomys-export-piece in cluster_binaries and run site.yml")
    problems += node_problems(node, node_url)
    problems += room_problems(max(expected - present_bytes, 0), directory, disk, margin_mib)
    return {"expected_bytes": expected, "problems": problems}


def node_problems(node: Mapping[str, Any], url: str) -> list[str]:
    """Return why a node cannot give all pieces."""
    if not node["reachable"]:
        return [f"the node at {url} cannot be reached: {node['error']}"]
    problems = []
    if node["syncing"]:
        problems.append(
            f"the node at {url} is still syncing (block {node['best']} of {node['target']}): wait until it has finished"
        )
    if not node["archive"]:
        problems.append(
            f"the node at {url} does not have the first block of the chain (any more), as a node with --sync full and "
            "archive pruning has. Pruning is fixed when the database is created: set node_sync: full, "
            "node_blocks_pruning: archive, node_state_pruning: archive and a new node_base_path for it, run site.yml, "
            f"and wait until it has synced{' (' + node['error'] + ')' if node['error'] else ''}"
        )
    return problems


def room_problems(needed: int, directory: str, disk: Mapping[str, Any], margin_mib: int) -> list[str]:
    """Return why a disk cannot take so many bytes more, and a margin."""
    if disk["available"] >= needed + margin_mib * MIB:
        return []
    return [
        f"the export takes about {bytes_to_human(needed)} more and {margin_mib} MiB must stay free, but "
        f"{disk['mountpoint']}, where {directory} is, has only {bytes_to_human(disk['available'])} free: name a folder "
        "on another disk in export_pieces_directory, or another host in export_pieces_host"
    ]
