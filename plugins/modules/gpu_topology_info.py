# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_topology_info
short_description: Read a host's GPUs, CPUs and NUMA nodes, and plan which CPUs each GPU's process gets
version_added: 0.1.0
description:
  - Reads CPUs, SMT siblings, caches and NUMA nodes from sysfs, the GPUs from C(nvidia-smi) (or NVML where C(pynvml)
    is installed) and each GPU's NUMA node and local CPUs from its PCI device in sysfs.
  - Where C(nvidia-smi) and sysfs disagree, sysfs is used and a warning is returned. C(nvidia-smi) prints at most six
    ranges of a CPU list and drops the rest silently.
  - A missing, failing or hanging C(nvidia-smi) is an answer in RV(gpu_error), not a failure of the module.
options:
  root:
    description:
      - The folder below which C(/sys), C(/proc) and C(/run) are read.
      - With another folder than V(/) a recorded tree is read, no command is run, and the GPUs are the display devices
        of its PCI bus.
    type: path
    default: /
  timeout:
    description: Seconds that each external command may take.
    type: int
    default: 30
  processes:
    description: Whether to return the processes that use a GPU too.
    type: bool
    default: false
  plan:
    description:
      - When given, RV(plan) is computed too. An empty dictionary plans with the defaults.
    type: dict
    suboptions:
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
          - V(node) gives a GPU cores of its own NUMA node only, V(package) may add nodes of the same socket that have
            no GPU.
        type: str
        choices: [node, package]
        default: node
      gpu_numa_nodes:
        description:
          - NUMA nodes of GPUs whose node the host does not report, or reports wrong, by PCI address, UUID or index.
        type: dict
        default: {}
extends_documentation_fragment:
  - autonomys.cluster.reads
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Read the topology
  autonomys.cluster.gpu_topology_info:
  register: machine

- name: Read the topology and plan the sets of CPUs
  autonomys.cluster.gpu_topology_info:
    plan:
      reserve_cores: 2
  register: machine

- name: Show the CPUs of each GPU
  ansible.builtin.debug:
    msg: "{{ machine.plan.gpus | items2dict(key_name='bus_id', value_name='cpus') }}"
"""

RETURN = r"""
topology:
  description:
    - The machine. Every set of CPUs is a string in the kernel's list format, sorted, with ranges merged.
  returned: success
  type: dict
  contains:
    gpus:
      description:
        - The GPUs by index, empty when there is none. C(numa_node) is null when it is unknown;
          C(cpus_source) is V(sysfs), V(nvml), V(nvidia-smi), or V(all) when no source says and any CPU is as near.
      type: list
      elements: dict
      sample:
        - index: 0
          uuid: GPU-2bab36a3-0000-0000-0000-000000000000
          name: NVIDIA GeForce RTX 4090
          bus_id: "0000:01:00.0"
          memory_mib: 24564
          driver_version: 550.54.14
          numa_node: 0
          cpus: "0-47,96-143"
          cpus_source: sysfs
          links: {GPU1: SYS, NIC0: NODE}
    nics:
      description: The network cards on the PCI bus; speed in Mbit/s, null when the link is down or does not report it.
      type: list
      elements: dict
      sample: [{name: eth0, bus_id: "0000:e1:00.0", numa_node: 0, speed_mbps: 25000}]
    cpus:
      description:
        - The CPUs. C(usable) are those that programs of supervisord may use (its affinity and cpuset) and that are
          online and not isolated. C(cores) are physical cores as sets of their online SMT siblings, C(l3) the groups
          that share the highest unified cache, C(nodes) the NUMA nodes by number, memory in MiB, C(package) null for
          a node without CPUs.
        - C(kinds) are the CPUs by kind of core, the fastest first, only where the kernel tells several kinds apart.
      type: dict
      sample:
        online: "0-3"
        usable: "0-3"
        isolated: ""
        cores: ["0,2", "1,3"]
        l3: ["0-3"]
        nodes: {"0": {cpus: "0-3", memory_mib: 15900, package: 0, distance: {"0": 10}}}
gpu_error:
  description: Why there is no GPU and what to do, null when there are GPUs.
  returned: success
  type: str
  sample: nvidia-smi was not found on this host; a host without a GPU needs none, else install the NVIDIA driver and
    its utilities
lost:
  description:
    - A sentence for each GPU that the driver names or that is on the PCI bus, and that cannot be used.
      They are in RV(warnings) too.
  returned: success
  type: list
  elements: str
  sample:
    - "nvidia-smi says of GPU1 (0000:41:00.0): [GPU is lost]; it is not used: look for Xid messages in dmesg, then
      reset it or reboot the host"
warnings:
  description: What is odd, such as sources that disagree.
  returned: when there is something
  type: list
  elements: str
processes:
  description:
    - The processes that use a GPU, as far as this user may see them. C(program) is the name of the supervised program
      that the process belongs to, V(null) when it belongs to none; C(command) the beginning of its command line.
  returned: when O(processes) is true
  type: list
  elements: dict
  sample: [{pid: 4711, gpu_uuids: [GPU-2bab36a3-0000-0000-0000-000000000000], program: null, command: ./miner --all}]
plan:
  description:
    - The sets of CPUs; see the filter P(autonomys.cluster.numa_plan#filter) for the meaning of its fields.
  returned: when O(plan) is given
  type: dict
  sample:
    gpus: [{index: 0, uuid: GPU-2bab36a3-0000-0000-0000-000000000000, bus_id: "0000:01:00.0", cpus: "1-23,97-119",
      cores: 23, numa_node: 0,
            placement: local, exclusive: true}]
    pool: "0,24,48,72,96,120,144,168"
    score: {gpus_off_node: 0, fewest_cores: 23, split_cores: 0, shared_l3: 0, l3_touched: 16, ranges: 8}
    warnings: []
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import NumaPlanError, numa_plan
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.users import read_gpus

ARGUMENT_SPEC: dict[str, Any] = {
    "root": {"type": "path", "default": "/"},
    "timeout": {"type": "int", "default": 30},
    "processes": {"type": "bool", "default": False},
    "plan": {
        "type": "dict",
        "options": {
            "reserve_cores": {"type": "int", "default": 2},
            "max_cpus": {"type": "int"},
            "min_cpus": {"type": "int", "default": 30},
            "scope": {"type": "str", "choices": ["node", "package"], "default": "node"},
            "gpu_numa_nodes": {"type": "dict", "default": {}},
        },
    },
}


def run_module(params: dict[str, Any]) -> dict[str, Any]:
    """Read the host, plan when asked to, and return the module's result."""
    result = read_gpus(params["root"], params["timeout"], params["processes"])
    if params["plan"] is not None:
        result["plan"] = numa_plan(result["topology"], **params["plan"])
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.params["timeout"] < 1:
        module.fail_json(msg=f"timeout must be at least 1 second, not {module.params['timeout']}")
    try:
        result = run_module(module.params)
    except NumaPlanError as error:
        module.fail_json(msg=f"The CPUs cannot be planned: {error}.")
    # Ansible shows these and puts them into the result.
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
