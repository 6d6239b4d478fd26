# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: supervisor_program
short_description: Manage a file of supervised programs, and what of it runs
version_added: 0.1.0
description:
  - Writes one file of C([program:]) sections for supervisord, quoted so that each program gets exactly the given
    arguments and environment, and makes supervisord run what the file says.
  - Compares what is wanted with what I(runs), not with what the file said before. The next run
    sees what an interrupted one left behind.
  - A program whose definition changed restarts alone; all other programs of the file keep their processes. A program
    that left the list is stopped and removed. Several stops run at the same time.
  - Waits until every started program has been running for its O(programs[].startsecs) without ending, apart from
    O(wait=none). When one ends, the task fails with its exit status and the last lines of its log.
  - Shows no secrets, neither in its result nor in the log of the host. Values of an environment are masked, apart from
    those of variables that are known to be harmless, such as C(RUST_LOG) and C(CUDA_VISIBLE_DEVICES); so are values of
    options that are named like a password, a token or a key, and in URLs the user, the password and the query. Where
    only a masked value changes, the difference says so.
  - With O(nats_stop), which is asked directly before a program is stopped and behind the lock of this host, the task
    fails before it changes anything, when the others cannot do without the NATS server. Check mode does not ask.
  - Touches only programs that the file names or named. Programs of other files are never touched.
  - Talks to supervisord through the socket in its configuration. When supervisord does not run and programs are
    wanted, the systemd unit whose C(ExecStart) names O(config) is started.
  - A file with a C([group:]) section is converted to single programs, so that later changes can restart one alone.
  - Keeps the definitions that ran before the file was last changed, in a hidden file next to it, RV(previous).
    O(state=reverted) goes back to them.
attributes:
  check_mode:
    support: full
    description:
      - Predicts from the rendered text, from supervisord's answers and from RV(previous), and works on a host without
        supervisor too.
      - Where the file was changed or removed by hand since its programs started, the module does not know what they
        run, and the real run may restart other programs than predicted.
  diff_mode:
    support: full
    description: Shows the file, directories that are created or change their owner, and the programs that start, stop
      or restart.
  idempotent:
    support: partial
    description: All states except V(restarted), which restarts every time, and V(reverted), which fails the second
      time.
extends_documentation_fragment:
  - autonomys.cluster.supervisor
  - autonomys.cluster.component_health.nats_stop
options:
  name:
    description:
      - Name of the file of programs, without folder and suffix. The folder is taken from C([include]) in O(config).
    type: str
    required: true
  programs:
    description:
      - The programs of the file. A program that is not listed is stopped and removed.
      - If left out, the file stays as it is (apart from C(autostart)), and O(state) is applied to its programs.
      - Must be left out with O(state=reverted).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the program, as in C(supervisorctl status).
        type: str
        required: true
      command:
        description:
          - The program and its arguments, one item each, without any quoting.
          - An argument with a line break is refused, because supervisord cannot pass it on.
        type: list
        elements: str
        required: true
      environment:
        description:
          - Environment variables that are added to supervisord's own.
          - Values that supervisord's format cannot carry are refused by name, such as a C(;) or C(#) after white space,
            a quote at either end, or both kinds of quotes.
        type: dict
        default: {}
      cpus:
        description:
          - CPUs that the program is bound to, in the kernel's list format, such as V(0-23,96-119). The program is
            started with C(numactl -C <cpus> -l), so its memory comes from its own NUMA node where possible.
        type: str
      user:
        description: User that the program runs as. If left out, it runs as supervisord does.
        type: str
      directory:
        description: Working directory, an absolute path.
        type: str
      autostart:
        description:
          - With V(false), this program stays in the file but stopped, whatever O(state) says of the others. It stays
            stopped over reboots and in runs without O(programs), until a run defines it with V(true).
        type: bool
        default: true
      autorestart:
        description: Whether supervisord starts the program again whenever it ends.
        type: bool
        default: true
      startsecs:
        description: Seconds that the program must stay up to count as started.
        type: int
        default: 10
      startretries:
        description:
          - How often supervisord tries to start a program that ends within O(programs[].startsecs) before it gives
            up. The waiting time grows by a second each time.
        type: int
        default: 1000000
      stopsignal:
        description: Signal that asks the program to end.
        type: str
        choices: [TERM, HUP, INT, QUIT, KILL, USR1, USR2]
        default: TERM
      stopwaitsecs:
        description: Seconds after which a program that has been asked to end is killed, together with its process
          group.
        type: int
        default: 60
      log:
        description: Log of the program's output, standard error included. If left out, supervisord chooses a file of
          its own.
        type: dict
        suboptions:
          path:
            description:
              - Absolute path of the log file. Its folder must exist, and nobody but root may be able to replace what
                is in it, because supervisord writes the log with root's rights.
            type: str
            required: true
          max_bytes:
            description: Size at which the log is rotated, in bytes or with a suffix V(KB), V(MB) or V(GB).
            type: str
            default: 100MB
          backups:
            description: Number of rotated logs that are kept.
            type: int
            default: 2
      state_directories:
        description:
          - Directories that the program needs, absolute paths. Missing ones are created before the program starts,
            with mode 0750, their missing parents with mode 0755 for root.
          - Their owner becomes O(programs[].user), and what all other users may do with them is taken away, on the
            directory itself only and never recursively.
          - What they lie in must belong to root or to O(programs[].user). Links are followed only where nobody but
            root can have put them. A folder of the system, such as V(/), V(/etc) or V(/home), and the home of another
            account are refused.
        type: list
        elements: str
        default: []
  state:
    description:
      - With V(started), all programs run and start with the host, apart from those with O(programs[].autostart=false).
      - V(restarted) is V(started), and every program is restarted.
      - With V(stopped), the file is written, no program runs, and none starts with the host (C(autostart=false)).
      - With V(absent), all programs are stopped and removed together with the file.
      - With V(reverted), the definitions that ran before the file was last changed are written back and applied, as
        V(started) would. What runs with them still keeps its process. This works once. The task fails where there is
        nothing to go back to.
    type: str
    choices: [started, restarted, stopped, absent, reverted]
    default: started
  only:
    description:
      - Programs of the file to which O(state) is applied, while all others stay as they are; names that are not in
        the file are ignored.
      - Requires O(programs) to be left out, and O(state) to be V(started), V(restarted) or V(stopped).
    type: list
    elements: str
  restart:
    description:
      - Matters only for O(state=started).
      - With V(now), programs that run with an older definition are restarted, and those that are no longer wanted are
        stopped.
      - With V(never), the file is written, programs that do not run are started, and running ones are left alone.
        What should restart or go is reported in RV(restart_required) and RV(reasons).
    type: str
    choices: [now, never]
    default: now
  wait:
    description:
      - With V(startsecs), a started program must stay up for its O(programs[].startsecs).
      - With V(none), it must only have begun. The programs that have not been up for long enough yet are RV(started),
        and M(autonomys.cluster.component_start_check) looks later whether they have stayed up.
    type: str
    choices: [startsecs, none]
    default: startsecs
    version_added: 0.2.0
seealso:
  - module: autonomys.cluster.supervisor_program_info
  - module: autonomys.cluster.component_start_check
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Run two plot servers, each on the CPUs of its GPU
  autonomys.cluster.supervisor_program:
    name: autonomys-plot-server
    programs:
      - name: autonomys-plot-server-0
        command:
          - /opt/autonomys/releases/v1.2.3/autonomys-farmer
          - cluster
          - --nats-server
          - nats://192.168.1.1:4222
          - plot-server
        environment: {CUDA_VISIBLE_DEVICES: "0"}
        cpus: 0-23,96-119
        user: autonomys
        log: {path: /var/log/autonomys-plotter-0.log}
        state_directories: [/var/plot-server/base-path-0]
      - name: autonomys-plot-server-1
        command:
          - /opt/autonomys/releases/v1.2.3/autonomys-farmer
          - cluster
          - --nats-server
          - nats://192.168.1.1:4222
          - plot-server
        environment: {CUDA_VISIBLE_DEVICES: "1"}
        cpus: 24-47,120-143
        user: autonomys
        log: {path: /var/log/autonomys-plotter-1.log}
        state_directories: [/var/plot-server/base-path-1]

- name: Write the definition, start what does not run, but restart nothing yet
  autonomys.cluster.supervisor_program:
    name: autonomys-node
    programs: "{{ node_programs }}"
    restart: never
  register: node_converge

- name: Apply what is pending in the file as it is
  autonomys.cluster.supervisor_program:
    name: autonomys-node
  when: node_converge.restart_required

- name: Restart one program of a file
  autonomys.cluster.supervisor_program:
    name: autonomys-plot-server
    only: [autonomys-plot-server-2]
    state: restarted

- name: Go back to what ran before the file was changed
  autonomys.cluster.supervisor_program:
    name: autonomys-node
    state: reverted

- name: Stop the programs of a file and keep them stopped over a reboot
  autonomys.cluster.supervisor_program:
    name: autonomys-plot-client
    state: stopped
"""

RETURN = r"""
file:
  description: Path of the file of programs.
  returned: always
  type: str
  sample: /etc/supervisor/conf.d/autonomys-node.conf
previous:
  description:
    - Path of the kept definitions that ran before the file was last changed, null where there are none. In check mode
      as the real run would leave it.
    - A program that did not run then, because it was new or crashed, is kept as it last ran, or not at all.
  returned: always
  type: str
  sample: /etc/supervisor/conf.d/.autonomys-node.conf.previous
programs:
  description:
    - The programs of the file, and what should go but still runs, as supervisord has them at the end. In check mode as
      supervisord has them now.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name as in C(supervisorctl status).
      type: str
    state:
      description: supervisord's state, or V(ABSENT) for a program that supervisord does not have (yet).
      type: str
      sample: RUNNING
    pid:
      description: Process ID, null when there is no process.
      type: int
    uptime_s:
      description: Seconds since the process was started, null when there is no process.
      type: int
    restart_required:
      description: Whether this program runs an older definition than wanted, or should not run at all.
      type: bool
restart_required:
  description: Whether anything runs that differs from what is wanted. Can be true only with O(restart=never).
  returned: always
  type: bool
reasons:
  description: What should restart or go, and why, one sentence per program.
  returned: always
  type: list
  elements: str
  sample: [autonomys-node runs an older definition than its file (command)]
started:
  description: The programs that have begun and have not been up for their C(startsecs) yet. Without O(wait=none) there
    are none.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name as in C(supervisorctl status).
      type: str
    pid:
      description: Process ID.
      type: int
    startsecs:
      description: Seconds that it must stay up to count as started.
      type: int
refused:
  description: Why nothing may be stopped now, as O(nats_stop) asks.
  returned: when a program would have to stop and may not
  type: list
  elements: str
killed:
  description: Programs that did not end within their C(stopwaitsecs) and were killed.
  returned: always
  type: list
  elements: str
failed_programs:
  description: The programs that did not stay up.
  returned: when a program failed
  type: list
  elements: dict
  contains:
    name:
      description: Name as in C(supervisorctl status).
      type: str
    state:
      description: supervisord's state.
      type: str
    exit_status:
      description: How the program ended, in supervisord's words, or why it could not be started.
      type: str
      sample: exit status 1
    log:
      description: Path of the program's log, null where there is none.
      type: str
    log_tail:
      description: The last lines of the log, at most 20 and 4 KiB.
      type: list
      elements: str
"""

import os
from typing import Any, NoReturn, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_native
from ansible_collections.autonomys.cluster.plugins.module_utils._looking import OPTIONS, look
from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import masked, secrets_in
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.decide import Request
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.programs import DEFAULTS
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.run import Tools, execute

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "programs": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "command": {"type": "list", "elements": "str", "required": True},
            "environment": {"type": "dict", "default": DEFAULTS["environment"]},
            "cpus": {"type": "str"},
            "user": {"type": "str"},
            "directory": {"type": "str"},
            "autostart": {"type": "bool", "default": DEFAULTS["autostart"]},
            "autorestart": {"type": "bool", "default": DEFAULTS["autorestart"]},
            "startsecs": {"type": "int", "default": DEFAULTS["startsecs"]},
            "startretries": {"type": "int", "default": DEFAULTS["startretries"]},
            "stopsignal": {
                "type": "str",
                "choices": ["TERM", "HUP", "INT", "QUIT", "KILL", "USR1", "USR2"],
                "default": DEFAULTS["stopsignal"],
            },
            "stopwaitsecs": {"type": "int", "default": DEFAULTS["stopwaitsecs"]},
            "log": {
                "type": "dict",
                "options": {
                    "path": {"type": "str", "required": True},
                    "max_bytes": {"type": "str", "default": "100MB"},
                    "backups": {"type": "int", "default": 2},
                },
            },
            "state_directories": {"type": "list", "elements": "str", "default": DEFAULTS["state_directories"]},
        },
    },
    "state": {
        "type": "str",
        "choices": ["started", "restarted", "stopped", "absent", "reverted"],
        "default": "started",
    },
    "only": {"type": "list", "elements": "str"},
    "restart": {"type": "str", "choices": ["now", "never"], "default": "now"},
    "wait": {"type": "str", "choices": ["startsecs", "none"], "default": "startsecs"},
    "nats_stop": OPTIONS["nats_stop"],
    "config": {"type": "path", "default": "/etc/supervisor/supervisord.conf"},
}


class Module(AnsibleModule):
    """The module, whose arguments are in no log of the host, and without secrets in its result.

    A definition can hold secrets, so this is so from the beginning: for arguments that are refused, too.
    """

    def __init__(self) -> None:
        super().__init__(argument_spec=ARGUMENTS, supports_check_mode=True)

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        """Write nothing to the host's log; C(no_log) of a module is overruled by that of its task."""

    def exit_json(self, **result: Any) -> NoReturn:
        """Return the result."""
        super().exit_json(**result, **self._shown())

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """Return a failure."""
        super().fail_json(msg, **result, **self._shown())

    def _shown(self) -> dict[str, Any]:
        """Return the arguments as they may be shown, and hide what is secret in them wherever else it is."""
        arguments = getattr(self, "params", {})
        self.no_log_values.update(secrets_in(arguments))
        return {"invocation": {"module_args": masked(arguments)}}


def main() -> None:
    """Run the module."""
    module = Module()
    options = {**module.params, "config": os.path.abspath(module.params["config"]), "check": module.check_mode}
    nats_stop = options.pop("nats_stop")

    def objections() -> Sequence[str]:
        return look({"nats_stop": nats_stop})["problems"] if nats_stop else ()

    tools = Tools(module.atomic_move, module.warn, module.no_log_values.update, objections)
    try:
        module.exit_json(**execute(Request(**options), tools))
    except ProgramError as error:
        module.fail_json(to_native(error), **error.details)


if __name__ == "__main__":
    main()
