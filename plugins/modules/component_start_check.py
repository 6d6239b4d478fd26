# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: component_start_check
short_description: Check that programs that were started have stayed up
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Waits until each program has been up for its C(startsecs) with the process that it was started with, which
    M(autonomys.cluster.supervisor_program) leaves open with O(autonomys.cluster.supervisor_program#module:wait=none).
  - When one has ended meanwhile, the task fails with its exit status and the last lines of its log, also where
    supervisord has started it again.
  - So a first deployment waits once at its end, and not for one component after another.
options:
  programs:
    description: The programs. If left out, those that the roles of this run have started on the host.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name as in C(supervisorctl status).
        type: str
        required: true
      pid:
        description: ID of the process that was started.
        type: int
        required: true
      startsecs:
        description: Seconds that it must stay up.
        type: int
        required: true
attributes:
  check_mode:
    description: Changes no host.
extends_documentation_fragment:
  - autonomys.cluster.reads
  - autonomys.cluster.supervisor
seealso:
  - module: autonomys.cluster.supervisor_program
"""

EXAMPLES = r"""
- name: Start the controller
  autonomys.cluster.supervisor_program:
    name: autonomys-controller
    programs: "{{ controller_programs }}"
    wait: none
  register: controller_program

- name: Check that it has stayed up
  autonomys.cluster.component_start_check:
    programs: "{{ controller_program.started }}"
"""

RETURN = r"""
programs:
  description: The programs as supervisord has them at the end.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name as in C(supervisorctl status).
      type: str
    state:
      description: supervisord's state, or V(ABSENT) for a program that supervisord does not have any more.
      type: str
      sample: RUNNING
    pid:
      description: Process ID, null when there is no process.
      type: int
failed_programs:
  description: The programs that did not stay up, as M(autonomys.cluster.supervisor_program) returns them.
  returned: when a program failed
  type: list
  elements: dict
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._looking import STARTED
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import SupervisorError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.started import stayed_up

ARGUMENTS = {
    "programs": {**STARTED, "default": None},
    "config": {"type": "path", "default": "/etc/supervisor/supervisord.conf"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        found = stayed_up(os.path.abspath(module.params["config"]), module.params["programs"] or [])
    except (ConfError, SupervisorError) as error:
        module.fail_json(msg=str(error))
    if found.message:
        module.fail_json(msg=found.message, programs=found.programs, failed_programs=found.failed)
    module.exit_json(changed=False, programs=found.programs)


if __name__ == "__main__":
    main()
