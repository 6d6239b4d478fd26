# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: max_sectors
short_description: How many sectors fit into a number of bytes
version_added: 0.1.0
description:
  - Computes how many sectors a farm can have, from the bytes that its user may still write to the disk.
positional: _input
options:
  _input:
    description: Bytes available to the farm's user.
    type: int
    required: true
  existing_plot_bytes:
    description: Bytes that the farm's own C(plot.bin) and C(metadata.bin) already take.
    type: int
    default: 0
  pieces_in_sector:
    description: Pieces in a sector of the chain.
    type: int
    default: 1000
  margin_bytes:
    description: Bytes to leave free.
    type: int
    default: 0
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Show how many sectors fit
  ansible.builtin.debug:
    msg: "{{ 7535681126400 | autonomys.cluster.max_sectors }}"
"""

RETURN = r"""
_value:
  description: The number of sectors, at most 65534.
  type: int
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import SectorsError
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import max_sectors as count


def max_sectors(
    available_bytes: int, existing_plot_bytes: int = 0, pieces_in_sector: int = 1000, margin_bytes: int = 0
) -> int:
    """Return the number, with errors as Ansible reports them."""
    try:
        return count(available_bytes, existing_plot_bytes, pieces_in_sector, margin_bytes)
    except SectorsError as error:
        raise AnsibleFilterError(f"max_sectors: {error}") from error


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"max_sectors": max_sectors}
