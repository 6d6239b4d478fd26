# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_job
short_description: Run a long command that survives the connection, and show how far it is
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Runs a command once, as a transient service of systemd. It goes on when the SSH connection breaks or Ansible is stopped.
  - While it waits it shows elapsed time, the new lines of output, and with O(watch) size, rate and estimated end.
  - The same task again while the command runs attaches to it. With other arguments it is refused.
  - A command that succeeded while nobody watched is not run again; its result belongs to the next task of the same arguments. After a failure, a
    kill or a restart of the host the next task starts the command anew.
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
      - With V(started), it is not waited for.
      - With V(queried), nothing is started; the task tells what there is.
      - With V(absent), a running job is stopped and its result forgotten.
    type: str
    choices: [finished, started, queried, absent]
    default: finished
  watch:
    description: File or folder whose growth tells how far the job is.
    type: path
  expected_bytes:
    description: Bytes that O(watch) will hold in the end, for the estimated end; V(0) when nobody knows.
    type: int
    default: 0
  interval:
    description: Seconds between two looks at a running job, at most.
    type: int
    default: 10
  remedy:
    description: What to do when the command fails, a sentence for the message.
    type: str
  results:
    description:
      - Folder on the control node in which each run is kept, output in C(output.log) and all else in C(run.json), in C(NAME/STARTED-HOST/).
        The run is compared with the last one kept there.
    type: path
  output_from:
    description: Byte of the log from which RV(output) is wanted. Used while waiting.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description: Says what would run.
  diff_mode:
    support: none
    description: A command has no state to compare.
  platform:
    platforms: posix
    support: full
    description: Linux with systemd 248 or newer.
"""

EXAMPLES = r"""
- name: Measure the caches
  autonomys.cluster.systemd_job:
    name: autonomys-benchmark-cache
    command: [/opt/autonomys/releases/v1.2.3/autonomys-farmer, util, sharded-cache-benchmark, --nats-servers, "nats://192.168.1.1:4222"]
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
      description: Whether this task started the command; if not, it attached to one that ran or took a result that was there.
      type: bool
    command:
      description: The command.
      type: list
      elements: str
    dropped:
      description: How an earlier run ended whose result nobody took, in words, null when there was none.
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
      description: Bytes below O(watch), null without.
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
output:
  description: Output from O(output_from) on, at most 1 MiB of it.
  returned: for O(state=queried) and O(state=started)
  type: str
output_next:
  description: The value for O(output_from) that continues where RV(output) ends.
  returned: for O(state=queried) and O(state=started)
  type: int
kept:
  description: Folder on the control node with output and result of this run.
  returned: with O(results)
  type: str
comparison:
  description: This run beside the last one, a sentence a line.
  returned: with O(results)
  type: list
  elements: str
"""

import os
import pwd
import shutil
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils import _job

OUTPUT_BYTES = 1048576


class JobError(Exception):
    """Something that the user must know."""


def bytes_below(path):
    """Bytes that the files below a path hold; what is only reserved does not count."""
    total = 0
    for folder, _folders, files in os.walk(path):
        for name in files:
            total += allocated(os.path.join(folder, name))
    return total if os.path.isdir(path) else allocated(path)


def allocated(path):
    """Bytes that a file holds, 0 for one that is gone meanwhile."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return min(found.st_size, found.st_blocks * 512)


def available(path):
    """Free bytes where a path is or will be."""
    while not os.path.isdir(path) and path != "/":
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def read_output(path, start):
    """Output from a byte on: ``(text, byte at which it ends)``. A log that was emptied is read from its begin."""
    try:
        with open(path, "rb") as handle:
            end = handle.seek(0, os.SEEK_END)
            handle.seek(start if start <= end else 0)
            data = handle.read(OUTPUT_BYTES)
            return data.decode("utf-8", "replace"), handle.tell()
    except OSError:
        return "", 0


class Job:
    """One run of the module."""

    def __init__(self, module):
        self.module = module
        self.params = dict(
            module.params, environment={name: str(value) for name, value in module.params["environment"].items()}
        )
        self.unit = _job.unit(self.params["name"])

    def look(self):
        """What systemd and the files say of the job."""
        command = ["systemctl", "show", "--timestamp=unix", "--property=" + ",".join(_job.PROPERTIES), self.unit]
        _rc, out, _err = self.module.run_command(command, check_rc=True)
        found = _job.state_of(_job.properties(out), time.clock_gettime(time.CLOCK_MONOTONIC))
        place = self.params["watch"] or self.params["directory"]
        found.update(
            started=False,
            command=self.params["command"],
            watched_bytes=bytes_below(self.params["watch"]) if self.params["watch"] else None,
            available_bytes=available(place) if place else None,
            log=self.params["log"],
        )
        return found

    def check(self):
        """Refuse what systemd could only answer with a number."""
        params = self.params
        for name in ("command", "log"):
            if not params[name]:
                raise JobError(f"{name} is required for state {params['state']}")
        if not os.path.isdir("/run/systemd/system"):
            raise JobError(f"job {params['name']} needs systemd, which does not run on this host")
        if not shutil.which(params["command"][0]):
            raise JobError(
                f"{params['command'][0]} does not exist on this host or is not executable, and nothing was started; site.yml installs the binaries of cluster_version"
            )
        if params["directory"] and not os.path.isdir(params["directory"]):
            raise JobError(f"the working directory {params['directory']} does not exist")
        if not os.path.isdir(os.path.dirname(params["log"])):
            raise JobError(f"the folder of the log {params['log']} does not exist")
        try:
            pwd.getpwnam(params["user"] or "root")
        except KeyError:
            raise JobError(f"there is no user {params['user']} on this host") from None

    def ensure_started(self):
        """Start the command, or attach to the one that runs; gives the job and whether it had to be started."""
        job = self.look()
        same = job["digest"] == _job.digest(self.params)
        if job["state"] == "running" and not same:
            raise JobError(
                f"{self.params['name']} runs already with other arguments (since {job['started_at']}). Wait for its end, or stop it on the host: systemctl stop {self.params['name']}"
            )
        if same and job["state"] in ("running", "succeeded"):
            return job, False
        self.check()
        if self.module.check_mode:
            return job, True
        dropped = _job.outcome(job) if self.forget(job) else None
        rc, _out, err = self.module.run_command(_job.start_command(self.params))
        job = dict(self.look(), started=True, dropped=dropped)
        if rc and job["state"] not in ("running", "succeeded"):
            self.forget(job)
            raise JobError(f"{self.params['name']} could not be started: {err.strip()}")
        return job, True

    def forget(self, job):
        """Stop the job if it runs, and let systemd forget its result. Gives whether there was anything."""
        if job["state"] == "absent":
            return False
        if not self.module.check_mode:
            # A failed one has nothing to stop, a succeeded one ends by being stopped.
            self.module.run_command(
                ["systemctl", "reset-failed" if job["state"] == "failed" else "stop", self.unit], check_rc=True
            )
            self.module.run_command(["systemctl", "reset-failed", self.unit])
        return True

    def execute(self):
        """Do what the parameters say; gives the result."""
        state = self.params["state"]
        if state == "queried":
            job, changed = self.look(), False
        elif state == "absent":
            job = self.look()
            return {"changed": self.forget(job), "job": job}
        else:
            job, changed = self.ensure_started()
        fresh = self.module.check_mode and changed
        output, end = (
            ("", 0) if fresh or not self.params["log"] else read_output(self.params["log"], self.params["output_from"])
        )
        return {"changed": changed, "job": job, "output": output, "output_next": end}


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "command": {"type": "list", "elements": "str"},
            "environment": {"type": "dict", "default": {}},
            "user": {"type": "str"},
            "directory": {"type": "path"},
            "log": {"type": "path"},
            "state": {"type": "str", "choices": ["finished", "started", "queried", "absent"], "default": "finished"},
            "watch": {"type": "path"},
            "expected_bytes": {"type": "int", "default": 0},
            "interval": {"type": "int", "default": 10},
            "remedy": {"type": "str"},
            "results": {"type": "path"},
            "output_from": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**Job(module).execute())
    except JobError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
