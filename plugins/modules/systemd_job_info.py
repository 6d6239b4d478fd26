# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_job_info
short_description: Show what became of a long command that systemd runs
version_added: 0.1.0
description:
  - Tells whether a job of M(autonomys.cluster.systemd_job) runs or how it ended, and what it wrote.
  - A result that nobody has taken yet is there until the host is restarted.
options:
  name:
    description: Name of the job, and of its service.
    type: str
    required: true
  watch:
    description: File or folder whose growth shows how far the job is.
    type: path
  log:
    description: File with the job's output, the O(autonomys.cluster.systemd_job#module:log) that it was started with.
    type: path
  output_from:
    description: Byte of O(log) from which RV(output) is wanted.
    type: int
    default: 0
attributes:
  platform:
    description: Linux with systemd 248 or newer.
    platforms: posix
    support: full
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.systemd_job
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: See whether a benchmark is running
  autonomys.cluster.systemd_job_info:
    name: autonomys-benchmark-cache
    log: /var/log/autonomys-benchmark-cache.log
  register: result

- name: Show what it wrote
  ansible.builtin.debug:
    msg: "{{ result.output.split('\n') }}"
  when: result.job.state == 'running'
"""

RETURN = r"""
job:
  description: The job as it is now.
  returned: success
  type: dict
  contains:
    state:
      description: V(absent), V(running), V(succeeded) or V(failed).
      type: str
      sample: running
    started_at:
      description: When it was started, UTC, V(null) for one that is absent.
      type: str
      sample: "2026-01-31T23:59:59Z"
    wall_s:
      description: Seconds that it ran, V(null) for one that is absent.
      type: float
      sample: 12.5
    exit_status:
      description: Its exit status, V(null) when it runs or was killed.
      type: int
      sample: 0
    signal:
      description: Number of the signal that killed it, else V(null).
      type: int
      sample: null
    result:
      description: systemd's word for how it ended, such as V(success), V(exit-code), V(signal) or V(oom-kill),
        V(null) while it runs.
      type: str
      sample: success
    watched_bytes:
      description: Bytes below O(watch), V(null) without, and where there are too many files to count.
      type: int
      sample: 1048672
    available_bytes:
      description: Free bytes on the file system of O(watch) for users other than root, V(null) without.
      type: int
      sample: 107374182400
output:
  description: Output from O(output_from) on, at most 1 MiB of it; empty without O(log).
  returned: success
  type: str
  sample: "32/256 sectors\n"
output_next:
  description: The value for O(output_from) that continues where RV(output) ends.
  returned: success
  type: int
  sample: 15
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._host.commands import Run, run_command
from ansible_collections.autonomys.cluster.plugins.module_utils._job.host import JobError, look, place, read_output

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "watch": {"type": "path"},
    "log": {"type": "path"},
    "output_from": {"type": "int", "default": 0},
}


def execute(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Return what became of the job and what it wrote."""
    # Output after state: what was written before the job ended is in it.
    state = look(run, params["name"])
    output, end = read_output(params["log"], params["output_from"])
    job = {key: value for key, value in state.items() if key != "digest"}
    return {"changed": False, "job": {**job, **place(params["watch"], None)}, "output": output, "output_next": end}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**execute(run_command, module.params))
    except JobError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
