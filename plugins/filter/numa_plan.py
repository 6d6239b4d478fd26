# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: numa_plan
short_description: Plan which CPUs each GPU's process gets
version_added: 0.1.0
description:
  - Computes a set of CPUs for each GPU of a machine, from what M(autonomys.cluster.gpu_topology_info) returns as
    C(topology).
  - Every physical core has one owner with all its usable threads. A GPU gets cores of its own NUMA node; all GPUs of
    a node get the same number, and as few L3 caches as possible are shared between GPUs. A set depends only on the
    GPUs of the same node.
positional: _input
options:
  _input:
    description: The topology.
    type: dict
    required: true
  reserve_cores:
    description: Physical cores per NUMA node that are kept back for the system and the other programs.
    type: int
    default: 2
  max_cpus:
    description: Largest number of logical CPUs that a GPU gets.
    type: int
  min_cpus:
    description: Logical CPUs below which a GPU's share is reported as a warning.
    type: int
    default: 30
  scope:
    description:
      - V(node) gives a GPU cores of its own NUMA node only.
      - V(package) may add nodes of the same socket that have no GPU.
    type: str
    choices: [node, package]
    default: node
  gpu_numa_nodes:
    description:
      - NUMA nodes of GPUs, by PCI address, UUID or index, that override those of the topology; null for unknown.
    type: dict
    default: {}
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Read the machine
  autonomys.cluster.gpu_topology_info:
  register: machine

- name: Show the sets with one core of each node kept back
  ansible.builtin.debug:
    msg: "{{ machine.topology | autonomys.cluster.numa_plan(reserve_cores=1) }}"
"""

RETURN = r"""
_value:
  description:
    - C(gpus) in PCI order. C(cores) is the number of physical cores. C(placement) is V(local) on the GPU's own node,
      V(remote) on the nearest node with CPUs, V(unknown) on one that was chosen because the GPU's is not known.
      C(exclusive) is false where more GPUs than cores share a node.
    - C(pool) is every other usable CPU. C(score) counts what is bad about the plan, the worst first.
  type: dict
  sample:
    gpus: [{index: 0, uuid: GPU-2bab36a3-0000-0000-0000-000000000000, bus_id: "0000:01:00.0", cpus: "1-23,97-119",
            cores: 23, numa_node: 0, placement: local, exclusive: true}]
    pool: "0,24,48,72,96,120,144,168"
    score: {gpus_off_node: 0, fewest_cores: 23, split_cores: 0, shared_l3: 0, l3_touched: 16, ranges: 8}
    warnings: []
"""

from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import NumaPlanError, Plan
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import numa_plan as plan


def numa_plan(
    topology: Any,
    reserve_cores: int = 2,
    max_cpus: int | None = None,
    min_cpus: int = 30,
    scope: str = "node",
    gpu_numa_nodes: Mapping[str, int | None] | None = None,
) -> Plan:
    """Return the plan, with errors as Ansible reports them."""
    if not isinstance(topology, dict):
        raise AnsibleFilterError(
            f"numa_plan needs the topology that gpu_topology_info returns, not {type(topology).__name__}"
        )
    try:
        return plan(topology, reserve_cores, max_cpus, min_cpus, scope, gpu_numa_nodes)
    except NumaPlanError as error:
        raise AnsibleFilterError(f"numa_plan: {error}") from error


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"numa_plan": numa_plan}
