# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: nvidia_topo
short_description: Read the matrix of nvidia-smi topo -m
version_added: 0.1.0
description:
  - Reads the text that C(nvidia-smi topo -m) prints, of any driver version, with tabs or blanks, colour codes, log
    prefixes or wrapped lines.
  - A value that is absent, blank, V(N/A) or damaged is null. A list is never guessed.
  - C(nvidia-smi) prints at most six ranges of a CPU list and drops the rest silently. To pin processes use
    M(autonomys.cluster.gpu_topology_info), which reads sysfs.
positional: _input
options:
  _input:
    description: The text.
    type: str
    required: true
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Show the CPUs near the first GPU
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', 'topo.txt') | autonomys.cluster.nvidia_topo).GPU0.cpu_affinity }}"
"""

RETURN = r"""
_value:
  description:
    - For each GPU its CPU affinity and NUMA affinity as printed, the GPU's own NUMA node (V(N/A) where the driver says
      so), and its link to every other device.
  type: dict
  sample:
    GPU0: {cpu_affinity: "0-23,48-71", numa_affinity: "0", gpu_numa_id: N/A, links: {GPU1: SYS}}
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_errors import NvidiaError
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_smi import Row, parse_topo


def nvidia_topo(text: Any) -> dict[str, Row]:
    """Return the matrix as data, with errors as Ansible reports them."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"nvidia_topo reads the text of nvidia-smi topo -m, not {type(text).__name__}")
    try:
        return parse_topo(text)
    except NvidiaError as error:
        raise AnsibleFilterError(f"nvidia_topo: {error}") from error


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"nvidia_topo": nvidia_topo}
