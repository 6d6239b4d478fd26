#!/usr/bin/python
# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_reading_info
short_description: Read everything about a host that a run begins with, in one execution
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Reads what the host is (M(autonomys.cluster.host_info)), its GPUs (M(autonomys.cluster.gpu_topology_info)) and the
    disks of its farms (M(autonomys.cluster.disk_info)), compares it with what the inventory describes, and asks
    its applications whether they are healthy (M(autonomys.cluster.component_health)).
  - It compares with the code that would change the host (M(autonomys.cluster.release),
    M(autonomys.cluster.supervisor_program)) in check mode, so what it announces is what a run then does.
  - The playbooks of this collection begin with it. What is wrong with one part is an answer and spoils no other; each
    part has a limit of time.
options:
  part:
    description:
      - The host's part of the model that M(autonomys.cluster.cluster_model) builds. If left out, it is taken from
        there.
      - It holds all variables of the roles, also secret ones; no log of the host and no output has it.
    type: dict
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.preflight
  - module: autonomys.cluster.plan
"""

EXAMPLES = r"""
- name: Build the cluster's model from the inventory
  ansible.builtin.import_tasks: tasks/model.yml

- name: Read the host
  autonomys.cluster.host_reading_info:
  register: __host_reading
"""

RETURN = r"""
reading:
  description: What was read. A part that could not be read is a map with C(error), which says why.
  returned: always
  type: dict
  contains:
    host:
      description: What M(autonomys.cluster.host_info) returns as C(host).
      type: dict
    gpus:
      description:
        - What M(autonomys.cluster.gpu_topology_info) returns with
          O(autonomys.cluster.gpu_topology_info#module:processes), and its warnings.
        - V(null) where no component of the host uses GPUs.
      type: dict
    disks:
      description: What M(autonomys.cluster.disk_info) returns as C(disks), V(null) where there are no farms.
      type: dict
    prepare:
      description: What must be prepared before programs can run.
      type: dict
      contains:
        changes:
          description: A phrase for each; none on a host that is prepared.
          type: list
          elements: str
          sample: [install numactl and supervisor, create the user autonomys]
    release:
      description: What M(autonomys.cluster.release) would return in check mode.
      type: dict
    components:
      description: For each component of the host what would change, and how healthy it is.
      type: dict
      contains:
        program:
          description: What M(autonomys.cluster.supervisor_program) would return in check mode with
            O(autonomys.cluster.supervisor_program#module:restart=never).
          type: dict
        configuration:
          description: For C(nats), whether its configuration file would change or be read again (C(changed)), and how
            (C(diff)).
          type: dict
        health:
          description: What M(autonomys.cluster.component_health) returns after one look; missing where the component
            is kept stopped.
          type: dict
        error:
          description: Why it is not known what would change; missing where it is.
          type: str
"""

from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.read import read


class Module(AnsibleModule):
    """The module, whose argument holds secrets and is in no log and no result."""

    def __init__(self) -> None:
        super().__init__(argument_spec={"part": {"type": "dict"}}, supports_check_mode=True)

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        """Write nothing to the host's log; C(no_log) of a module is overruled by that of its task."""

    def exit_json(self, **result: Any) -> NoReturn:
        """Return the result."""
        super().exit_json(**result, invocation={"module_args": {}})


def main() -> None:
    """Run the module."""
    module = Module()
    part = module.params["part"]
    if not part:
        module.fail_json(msg="part is missing: build the model first, as playbooks/tasks/model.yml does")
    module.exit_json(changed=False, reading=read(part, module.no_log_values.update))


if __name__ == "__main__":
    main()
