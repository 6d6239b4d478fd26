# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: supervisor_program_info
short_description: Show what supervised programs really do
version_added: 0.1.0
description:
  - Gathers, for each program, what supervisord says and what the kernel says about its process and all descendants.
    With that evidence a health check can tell a program that works from one that only runs.
  - The CPU mask is the union over all threads of all processes, because a program may widen the mask that it was
    started with.
extends_documentation_fragment:
  - autonomys.cluster.reads
  - autonomys.cluster.supervisor
options:
  name:
    description: Name of a file of programs, as in M(autonomys.cluster.supervisor_program), for all its programs.
    type: str
  programs:
    description: Names of programs, as in C(supervisorctl status).
    type: list
    elements: str
seealso:
  - module: autonomys.cluster.supervisor_program
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Look at the plot servers
  autonomys.cluster.supervisor_program_info:
    name: autonomys-plot-server
  register: plot_servers

- name: Require that the node listens on its RPC port
  autonomys.cluster.supervisor_program_info:
    programs: [autonomys-node]
  register: node
  failed_when: 9944 not in node.programs[0].listening
"""

RETURN = r"""
programs:
  description: One entry per program, in the order of the file or of O(programs).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the program.
      type: str
    state:
      description: supervisord's state, or V(ABSENT) when supervisord does not have this program.
      type: str
      sample: RUNNING
    pid:
      description: Process ID, null when there is no process. All further fields are then empty or null.
      type: int
    uptime_s:
      description: Seconds since the process was started.
      type: int
    restarts:
      description:
        - How often the program has ended by itself since it was last started on purpose, as far as the last MiB of
          supervisord's log shows. Null when that log cannot be read.
      type: int
    cpus_allowed:
      description: CPUs that any thread of the program or of its descendants may use, in the kernel's list format.
      type: str
      sample: 0-23,96-119
    memory_policy:
      description: NUMA memory policy, several joined by commas when processes differ. Null when the kernel does not
        show it.
      type: str
      sample: local
    environment:
      description: Variables of the process's environment whose names begin with C(CUDA_) or C(GPU_).
      type: dict
    listening:
      description: TCP ports that the program or its descendants listen on, sorted.
      type: list
      elements: int
    connected:
      description: Remote ends of established TCP connections, sorted.
      type: list
      elements: str
      sample: ["10.0.0.1:4222"]
    open_files:
      description: Paths of the regular files that are open, sorted.
      type: list
      elements: str
    open_file_limit:
      description: Soft limit of open files of the main process, null where there is none.
      type: int
    fd_count:
      description: Number of open file descriptors of the main process.
      type: int
    executable:
      description: Path of the program that runs.
      type: str
    executable_deleted:
      description: Whether that file was deleted or replaced since the program was started.
      type: bool
    gpus:
      description: UUIDs of the GPUs that the program or its descendants hold, according to C(nvidia-smi). Empty without
        C(nvidia-smi), null when it fails or does not answer within half a minute.
      type: list
      elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_native
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.commands import gpu_processes
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError, ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.evidence import gather
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import SupervisorError

GPU_PATIENCE_S = 30  # seconds for nvidia-smi: a driver can hang


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "programs": {"type": "list", "elements": "str"},
            "config": {"type": "path", "default": "/etc/supervisor/supervisord.conf"},
        },
        required_one_of=[["name", "programs"]],
        mutually_exclusive=[["name", "programs"]],
        supports_check_mode=True,
    )
    try:
        options = module.params
        programs = gather(
            os.path.abspath(options["config"]),
            options["name"],
            options["programs"],
            gpu_processes(GPU_PATIENCE_S),
        )
        module.exit_json(changed=False, programs=programs)
    except (ConfError, ProgramError, SupervisorError) as error:
        module.fail_json(msg=to_native(error))


if __name__ == "__main__":
    main()
