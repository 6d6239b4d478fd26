# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: piece_export
short_description: How large an export of pieces becomes, and what prevents it
version_added: 0.1.0
description:
  - Judges whether a node's history can be exported as pieces on a host, from what other modules read there.
positional: _input
options:
  _input:
    description: The node whose history is exported, RV(autonomys.cluster.node_info#module:node) with
      O(autonomys.cluster.node_info#module:archive).
    type: dict
    required: true
  node_url:
    description: URL of the node's RPC server.
    type: str
    required: true
  program:
    description: Path of the exporter.
    type: path
    required: true
  installed:
    description: Whether the exporter is there.
    type: bool
    required: true
  directory:
    description: Folder in which the export runs.
    type: path
    required: true
  disk:
    description: What M(autonomys.cluster.disk_info) says of that folder.
    type: dict
    required: true
  present_bytes:
    description: Bytes that are exported already.
    type: int
    required: true
  expected_mib:
    description: Size of the whole export in MiB; if V(0), it follows from the node's history.
    type: int
    required: true
  margin_mib:
    description: Space in MiB that must stay free in addition to the pieces.
    type: int
    required: true
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Stop where the export cannot work
  ansible.builtin.assert:
    that: outlook.problems | length == 0
    fail_msg: "{{ outlook.problems | join('; ') }}"
  vars:
    outlook: >-
      {{ answer.node | autonomys.cluster.piece_export(
           node_url='http://192.168.1.1:9944', program='/opt/autonomys/releases/v1.2.3/autonomys-export-piece',
           installed=true, directory='/var/autonomys-export', disk=disks.disks['/var/autonomys-export'],
           present_bytes=0, expected_mib=0, margin_mib=10240) }}
"""

RETURN = r"""
_value:
  description: The outlook.
  type: dict
  contains:
    expected_bytes:
      description: Bytes that the pieces take in the end.
      type: int
      sample: 274895732736
    problems:
      description: What prevents the export, one sentence per problem; empty when nothing does.
      type: list
      elements: str
      sample: ["the node at http://192.168.1.1:9944 cannot be reached: timed out"]
"""

from typing import Any, Callable

from ansible_collections.autonomys.cluster.plugins.plugin_utils._pieces import export_outlook


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"piece_export": export_outlook}
