# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: supervisor_program_info
short_description: Tell what supervised programs really do
version_added: 0.1.0
description:
  - Gathers, for each program, what supervisord says and what the kernel says of its process and all descendants. That is the
    evidence by which a health check can tell a program that works from one that only runs.
  - The mask of CPUs is the union over all threads of all processes, because a program may widen the mask that it was started with.
extends_documentation_fragment:
  - autonomys.cluster.reads
  - autonomys.cluster.supervisor
options:
  name:
    description: Name of a file of programs, as in M(autonomys.cluster.supervisor_program); all its programs are told of.
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
      description: Process ID, null when there is no process. All that follows is then empty or null.
      type: int
    uptime_s:
      description: Seconds since the process was started.
      type: int
    restarts:
      description:
        - How often the program has ended by itself since it was last started on purpose, as far as the last MiB of
          supervisord's log tells. Null when that log cannot be read.
      type: int
    cpus_allowed:
      description: CPUs that any thread of the program or of its descendants may use, in the kernel's list format.
      type: str
      sample: 0-23,96-119
    memory_policy:
      description: NUMA memory policy, several joined by commas when processes differ. Null when the kernel does not tell.
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
      description: Soft limit of open files of the main process, null when there is none.
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
      description: UUIDs of the GPUs that the program or its descendants hold, as C(nvidia-smi) tells. Empty without C(nvidia-smi).
      type: list
      elements: str
"""

import os
import platform
import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_native
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.commands import gpu_processes
from ansible_collections.autonomys.cluster.plugins.module_utils._host import processes as process
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import conf, rpc

LOG_SEARCH = 1048576  # bytes at the end of supervisord's log in which restarts are counted
GPU_PATIENCE_S = 30  # seconds for nvidia-smi: a driver can hang

NO_EVIDENCE = {
    "cpus_allowed": None,
    "memory_policy": None,
    "environment": {},
    "listening": [],
    "connected": [],
    "open_files": [],
    "open_file_limit": None,
    "fd_count": None,
    "executable": None,
    "executable_deleted": None,
}


def read_text(path):
    """Give the text of a configuration file."""
    try:
        with open(path, "rb") as handle:
            return conf.decode(handle.read(), path)
    except OSError as exc:
        raise conf.ConfError(f"{path} cannot be read: {exc.strerror}") from exc


def count_restarts(log, name):
    """Count how often a program ended by itself since its last deliberate start, in the text of supervisord's log."""
    count = 0
    for line in log.splitlines():
        if re.search(rf"INFO supervisord started with pid|(INFO|WARN) stopped: {re.escape(name)} \(", line):
            count = 0
        elif re.search(rf"(INFO|WARN) exited: {re.escape(name)} \(", line):
            count += 1
    return count


def read_log(path):
    """Give the end of supervisord's log, None when it cannot be read."""
    try:
        with open(path, "rb") as handle:
            handle.seek(0, os.SEEK_END)
            handle.seek(max(0, handle.tell() - LOG_SEARCH))
            return handle.read().decode("utf-8", "replace")
    except (OSError, TypeError):
        return None


def gather(module):
    """Collect the evidence of all programs that are asked for."""
    config = os.path.abspath(module.params["config"])
    settings = conf.settings(conf.parse(read_text(config), config), config, os.environ, platform.node())
    names = module.params["programs"]
    if names is None:
        path = os.path.join(settings.folder, module.params["name"] + settings.suffix)
        names = conf.program_names(conf.parse(read_text(path), path))

    found = {}
    for info in rpc.Supervisor(settings.socket, settings.username, settings.password).processes():
        found[info["name"]] = found[rpc.full_name(info)] = info
    log = read_log(settings.logfile)
    parent_of = process.parents()
    holders = gpu_processes(GPU_PATIENCE_S) or {}
    socket_tables = {}
    programs = []
    for name in names:
        info = found.get(name, {})
        pid = info.get("pid") or None
        evidence = dict(NO_EVIDENCE)
        pids = []
        if pid in parent_of:
            evidence = process.evidence(pid, parent_of, socket_tables)
            pids = evidence.pop("pids")
        programs.append(
            dict(
                evidence,
                name=name,
                state=info.get("statename", "ABSENT"),
                pid=pid,
                uptime_s=max(0, info["now"] - info["start"]) if pid else None,
                restarts=None if log is None else count_restarts(log, info.get("name", name)),
                gpus=sorted({uuid for member in pids for uuid in holders.get(member, [])}),
            )
        )
    return programs


def main():
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
        module.exit_json(changed=False, programs=gather(module))
    except (conf.ConfError, rpc.SupervisorError) as exc:
        module.fail_json(msg=to_native(exc))


if __name__ == "__main__":
    main()
