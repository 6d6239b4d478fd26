# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_job
short_description: Run a long command that survives a broken connection, and show its progress
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
seealso:
  - module: autonomys.cluster.systemd_job_info
description:
  - Runs a command once, as a transient service of systemd. It goes on when the SSH connection breaks or Ansible is
    stopped.
  - While it waits, it shows the elapsed time, new lines of output and, with O(watch), size, rate and estimated end.
  - The same task again while the command runs attaches to it. With other arguments it is refused.
  - A command that succeeded while nobody watched is not run again; the next task with the same arguments gets its
    result. After a failure, a kill or a restart of the host, the next task starts the command again.
  - Output and standard error go to O(log), which each start empties.
options:
  name:
    description: Name of the job, and of its service. C(systemctl stop NAME) ends it.
    type: str
    required: true
  command:
    description: The program and its arguments, one item each, without any quoting. Not needed for O(state=absent).
    type: list
    elements: str
  environment:
    description: Environment variables of the command.
    type: dict
    default: {}
  user:
    description: User that the command runs as. If left out, root.
    type: str
  directory:
    description: Working directory, an absolute path.
    type: path
  log:
    description: File for the command's output. Its folder must exist. Not needed for O(state=absent).
    type: path
  state:
    description:
      - With V(finished), the command is started and waited for, and the task fails when the command does.
      - With V(started), the command is started, and the task does not wait for it.
      - With V(absent), a running job is stopped and its result is forgotten.
    type: str
    choices: [finished, started, absent]
    default: finished
  watch:
    description: File or folder whose growth shows how far the job is.
    type: path
  expected_bytes:
    description: Bytes that O(watch) will hold in the end, for the estimated end; V(0) when that is not known.
    type: int
    default: 0
  interval:
    description: Longest time between two looks at a running job, in seconds.
    type: int
    default: 10
  remedy:
    description: What to do when the command fails, as a sentence for the message.
    type: str
  results:
    description:
      - Folder on the control node in which each run is kept, in C(NAME/TIME-HOST/) with the control node's time, its
        output in C(output.log) and all else in C(run.json). The run is compared with the last one kept there.
    type: path
attributes:
  check_mode:
    support: full
    description: Says what would run.
  diff_mode:
    support: none
    description: A command has no state to compare.
  idempotent:
    support: none
    description: Each task starts the command, unless it runs already or its result was not taken yet.
  platform:
    platforms: posix
    support: full
    description: Linux with systemd 248 or newer.
"""

EXAMPLES = r"""
- name: Measure the caches
  autonomys.cluster.systemd_job:
    name: autonomys-benchmark-cache
    command:
      - /opt/autonomys/releases/v1.2.3/autonomys-farmer
      - util
      - sharded-cache-benchmark
      - --nats-servers
      - nats://192.168.1.1:4222
    user: autonomys
    log: /var/log/autonomys-benchmark-cache.log
    results: results
"""

RETURN = r"""
job:
  description: The job, as it was found or as it ended.
  returned: always
  type: dict
  contains:
    state:
      description: V(absent), V(running), V(succeeded) or V(failed). In check mode as it is now.
      type: str
    started:
      description: Whether this task started the command; if not, it attached to a running one or took an existing
        result.
      type: bool
    command:
      description: The command.
      type: list
      elements: str
    dropped:
      description: In words, how an earlier run ended whose result nobody took; null where there was none.
      returned: when the command was started
      type: str
    started_at:
      description: When it was started, UTC.
      type: str
      sample: "2026-01-31T23:59:59Z"
    wall_s:
      description: Seconds that it ran.
      type: float
    exit_status:
      description: Its exit status, null when it runs or was killed.
      type: int
    signal:
      description: Number of the signal that killed it, else null.
      type: int
    result:
      description: systemd's word for how it ended, such as V(success), V(exit-code), V(signal) or V(oom-kill).
      type: str
    watched_bytes:
      description: Bytes below O(watch), null without, and where there are too many files to count.
      type: int
    available_bytes:
      description: Free bytes on the file system of O(watch) or O(directory) for users other than root, null without.
      type: int
    log:
      description: Path of the output on the host.
      type: str
    last_lines:
      description: The last lines of its output.
      returned: when it was waited for
      type: list
      elements: str
kept:
  description: Folder on the control node with output and result of this run.
  returned: with O(results)
  type: str
comparison:
  description: This run compared with the last one, one sentence per line.
  returned: with O(results)
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._host.commands import Run, run_command
from ansible_collections.autonomys.cluster.plugins.module_utils._job.host import (
    JobError,
    ensure_started,
    forget,
    look,
    place,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._job.systemd import State, masked

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "command": {"type": "list", "elements": "str"},
    "environment": {"type": "dict", "default": {}},
    "user": {"type": "str"},
    "directory": {"type": "path"},
    "log": {"type": "path"},
    "state": {"type": "str", "choices": ["finished", "started", "absent"], "default": "finished"},
    "watch": {"type": "path"},
    "expected_bytes": {"type": "int", "default": 0},
    "interval": {"type": "int", "default": 10},
    "remedy": {"type": "str"},
    "results": {"type": "path"},
}


class Module(AnsibleModule):
    """Keeps the arguments, which may hold secrets, out of the log, and returns them without those."""

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        """Write nothing to the host's log; C(no_log) of a module is overruled by that of its task."""

    def exit_json(self, **kwargs: Any) -> None:
        """Return a result."""
        super().exit_json(invocation={"module_args": masked(self.params)}, **kwargs)

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        """Return an error; those of the arguments come before anything else could mask them."""
        super().fail_json(msg, invocation={"module_args": masked(self.params)}, **kwargs)


def execute(run: Run, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Do what the parameters say and return the result."""
    if params["state"] == "absent":
        state = look(run, params["name"])
        changed = state["state"] != "absent" if check_mode else forget(run, params["name"], state)
        return {"changed": changed, "job": report(params, state)}
    for name in ("command", "log"):
        if not params[name]:
            raise JobError(f"{name} is required for state {params['state']}")
    wanted = {name: params[name] for name in ("name", "command", "user", "directory", "log")}
    wanted["environment"] = {name: str(value) for name, value in params["environment"].items()}
    state, changed, dropped = ensure_started(run, wanted, check_mode)
    job = report(params, state)
    if changed and not check_mode:
        job.update(started=True, dropped=dropped)
    return {"changed": changed, "job": job}


def report(params: dict[str, Any], state: State) -> dict[str, Any]:
    """Return the job as it is returned."""
    return dict(
        {key: value for key, value in state.items() if key != "digest"},
        started=False,
        command=params["command"],
        log=params["log"],
        **place(params["watch"], params["directory"]),
    )


def main() -> None:
    """Run the module."""
    module = Module(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**execute(run_command, module.params, module.check_mode))
    except JobError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
