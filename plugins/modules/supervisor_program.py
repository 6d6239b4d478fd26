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
  - A program whose definition changed restarts alone; all other programs of the file keep their processes. A program that
    left the list is stopped and removed. Several stops run at the same time.
  - Waits until every started program has been running for its O(programs[].startsecs) without ending. When one ends, the
    task fails with its exit status and the last lines of its log; values that are named like a password or a token are masked.
  - Touches only programs that the file names or named. Programs of other files are never touched.
  - Talks to supervisord through the socket in its configuration. When supervisord does not run and programs are wanted,
    the systemd unit whose C(ExecStart) names O(config) is started.
  - A file with a C([group:]) section is converted to single programs, so that later changes can restart one alone.
  - Keeps the definitions that ran before the file was last changed, in a hidden file next to it, RV(previous). O(state=reverted)
    goes back to them.
attributes:
  check_mode:
    support: full
    description:
      - Predicts from the rendered text, from supervisord's answers and from RV(previous), and works on a host without supervisor too.
      - Where the file was changed or removed by hand since its programs started, the module does not know what they run, and the real run
        may restart other programs than predicted.
  diff_mode:
    support: full
    description: Shows the file, directories that are created or change their owner, and the programs that start, stop or restart.
  idempotent:
    support: partial
    description: All states except V(restarted), which restarts every time, and V(reverted), which fails the second time.
extends_documentation_fragment:
  - autonomys.cluster.supervisor
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
          - CPUs that the program is bound to, in the kernel's list format, such as V(0-23,96-119). The program is started with
            C(numactl -C <cpus> -l), so its memory comes from its own NUMA node where possible.
        type: str
      user:
        description: User that the program runs as. If left out, it runs as supervisord does.
        type: str
      directory:
        description: Working directory, an absolute path.
        type: str
      autostart:
        description:
          - With V(false), this program stays in the file but stopped, whatever O(state) says of the others. It stays stopped over
            reboots and in runs without O(programs), until a run defines it with V(true).
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
          - How often supervisord tries to start a program that ends within O(programs[].startsecs) before it gives up. The
            waiting time grows by a second each time.
        type: int
        default: 1000000
      stopsignal:
        description: Signal that asks the program to end.
        type: str
        choices: [TERM, HUP, INT, QUIT, KILL, USR1, USR2]
        default: TERM
      stopwaitsecs:
        description: Seconds after which a program that has been asked to end is killed, together with its process group.
        type: int
        default: 60
      log:
        description: Log of the program's output, standard error included. If left out, supervisord chooses a file of its own.
        type: dict
        suboptions:
          path:
            description: Absolute path of the log file. Its folder must exist.
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
          - Directories that the program needs, absolute paths. Missing ones are created before the program starts, with mode
            0750, their missing parents with mode 0755.
          - Their owner becomes O(programs[].user), on the directory itself only and never recursively.
        type: list
        elements: str
        default: []
  state:
    description:
      - With V(started), all programs run and start with the host, apart from those with O(programs[].autostart=false).
      - V(restarted) is V(started), and every program is restarted.
      - With V(stopped), the file is written, no program runs, and none starts with the host (C(autostart=false)).
      - With V(absent), all programs are stopped and removed together with the file.
      - With V(reverted), the definitions that ran before the file was last changed are written back and applied, as V(started) would.
        What runs with them still keeps its process. This works once. The task fails where there is nothing to go back to.
    type: str
    choices: [started, restarted, stopped, absent, reverted]
    default: started
  only:
    description:
      - Programs of the file to which O(state) is applied, while all others stay as they are; names that are not in the file are ignored.
      - Requires O(programs) to be left out, and O(state) to be V(started), V(restarted) or V(stopped).
    type: list
    elements: str
  restart:
    description:
      - Matters only for O(state=started).
      - With V(now), programs that run with an older definition are restarted, and those that are no longer wanted are stopped.
      - With V(never), the file is written, programs that do not run are started, and running ones are left alone. What should
        restart or go is reported in RV(restart_required) and RV(reasons).
    type: str
    choices: [now, never]
    default: now
seealso:
  - module: autonomys.cluster.supervisor_program_info
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Run two plot servers, each on the CPUs of its GPU
  autonomys.cluster.supervisor_program:
    name: autonomys-plot-server
    programs:
      - name: autonomys-plot-server-0
        command: [/opt/autonomys/releases/v1.2.3/autonomys-farmer, cluster, --nats-server, "nats://192.168.1.1:4222", plot-server]
        environment: {CUDA_VISIBLE_DEVICES: "0"}
        cpus: 0-23,96-119
        user: autonomys
        log: {path: /var/log/autonomys-plotter-0.log}
        state_directories: [/var/plot-server/base-path-0]
      - name: autonomys-plot-server-1
        command: [/opt/autonomys/releases/v1.2.3/autonomys-farmer, cluster, --nats-server, "nats://192.168.1.1:4222", plot-server]
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
    - Path of the kept definitions that ran before the file was last changed, null where there are none. In check mode as the real
      run would leave it.
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

import errno
import fcntl
import glob
import os
import platform
import pwd
import re
import shutil
import stat
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_native
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import conf, rpc
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import steps as planning

LOCK_WAIT = 300.0  # seconds: another run may be waiting for slow stops and starts
SERVICE_WAIT = 30.0  # seconds until a started supervisord must answer
SETTLE_WAIT = 5.0  # seconds beyond startsecs until a program must be RUNNING
KILL_WAIT = 30.0  # seconds beyond stopwaitsecs until a killed program must be gone
POLL = 0.2
LOG_LINES = 20
LOG_BYTES = 4096
LOG_SEARCH = 65536  # bytes at the end of supervisord's own log in which the fate of a process is looked for
SERVICES = ("supervisor.service", "supervisord.service")
ABSENT = {"statename": "ABSENT", "pid": 0, "start": 0, "now": 0, "spawnerr": "", "stdout_logfile": ""}

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "programs": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "command": {"type": "list", "elements": "str", "required": True},
            "environment": {"type": "dict", "default": {}},
            "cpus": {"type": "str"},
            "user": {"type": "str"},
            "directory": {"type": "str"},
            "autostart": {"type": "bool", "default": True},
            "autorestart": {"type": "bool", "default": True},
            "startsecs": {"type": "int", "default": 10},
            "startretries": {"type": "int", "default": 1000000},
            "stopsignal": {
                "type": "str",
                "choices": ["TERM", "HUP", "INT", "QUIT", "KILL", "USR1", "USR2"],
                "default": "TERM",
            },
            "stopwaitsecs": {"type": "int", "default": 60},
            "log": {
                "type": "dict",
                "options": {
                    "path": {"type": "str", "required": True},
                    "max_bytes": {"type": "str", "default": "100MB"},
                    "backups": {"type": "int", "default": 2},
                },
            },
            "state_directories": {"type": "list", "elements": "str", "default": []},
        },
    },
    "state": {
        "type": "str",
        "choices": ["started", "restarted", "stopped", "absent", "reverted"],
        "default": "started",
    },
    "only": {"type": "list", "elements": "str"},
    "restart": {"type": "str", "choices": ["now", "never"], "default": "now"},
    "config": {"type": "path", "default": "/etc/supervisor/supervisord.conf"},
}


class ProgramError(Exception):
    """Something that the user must know; ``details`` go into the result."""

    def __init__(self, message, **details):
        super().__init__(message)
        self.details = details


def read_text(path):
    """Give the text of a configuration file, None when there is none."""
    try:
        with open(path, "rb") as handle:
            data = handle.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ProgramError(f"{path} cannot be read: {exc.strerror}") from exc
    return conf.decode(data, path)


def tail_of(path, size):
    """Give the end of a log, as text, empty when it cannot be read."""
    try:
        with open(path, "rb") as handle:
            handle.seek(0, os.SEEK_END)
            handle.seek(max(0, handle.tell() - size))
            return handle.read().decode("utf-8", "replace")
    except OSError:
        return ""


def user_name(uid):
    """Give the name of a user, the number when there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def describe_directory(path):
    """Say in words what is at *path*."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return "absent"
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is not a directory")
    return f"owner {user_name(found.st_uid)}"


def make_directory(path, missing, user):
    """Create *path* where it is missing and give it to *user* (a password entry, or None)."""
    if missing:
        parents = []
        parent = os.path.dirname(path)
        while not os.path.isdir(parent):
            parents.append(parent)
            parent = os.path.dirname(parent)
        for parent in reversed(parents):
            os.mkdir(parent)
            os.chmod(parent, 0o755)
        os.mkdir(path)
        os.chmod(path, 0o750)
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def definitions_of(sections):
    """Give for every group of *sections* what it is made of, comparable."""
    return {
        group: {name: dict(conf.options_of(sections, name)) for name in members}
        for group, members in conf.groups(sections).items()
    }


def changed_options(old, new):
    """Name the options that differ between two definitions of a group."""
    names = set()
    for program in set(old) | set(new):
        before, after = old.get(program, {}), new.get(program, {})
        names.update(key for key in set(before) | set(after) if before.get(key) != after.get(key))
    return ", ".join(sorted(names))


class Run:
    """One run of the module."""

    def __init__(self, module):
        self.module = module
        self.check = module.check_mode
        self.name = module.params["name"]
        self.programs = module.params["programs"]
        self.only = module.params["only"]
        self.revert = module.params["state"] == "reverted"
        self.state = "started" if self.revert else module.params["state"]
        self.restart = "now" if self.revert else module.params["restart"]
        self.config = os.path.abspath(module.params["config"])
        self.settings = None
        self.path = None
        self.previous = None
        # what the file and the kept definitions beside it say now, and what shall be kept at the end
        self.text = self.kept = self.keep = None
        self.supervisor = None
        self.diffs = []
        self.changed = False
        self.killed = []
        self.spawn_faults = {}
        self.reload_fault = None
        self.wanted = {}
        self.held = set()
        self.plan = planning.Plan([], {})

    # --- files -----------------------------------------------------------------------------------------------------

    def load_settings(self):
        """Read supervisord's configuration. Gives False when there is none and that is no error."""
        if not conf.NAME_RE.match(self.name):
            raise ProgramError(
                f"name {self.name!r}: only letters, digits, '.', '_' and '-', beginning with a letter or digit"
            )
        text = read_text(self.config)
        if text is None:
            if self.check or self.state == "absent":
                # where Debian's package puts it, which is what a later run will find
                self.set_path(os.path.join(os.path.dirname(self.config), "conf.d"), ".conf")
                return False
            raise ProgramError(
                f"{self.config} does not exist: install supervisor first, or give its configuration with config"
            )
        self.settings = conf.settings(conf.parse(text, self.config), self.config, os.environ, platform.node())
        self.set_path(self.settings.folder, self.settings.suffix)
        if not self.check and not os.path.isdir(self.settings.folder):
            raise ProgramError(f"{self.settings.folder} does not exist, though {self.config} includes files from it")
        return True

    def set_path(self, folder, suffix):
        self.path = os.path.join(folder, self.name + suffix)
        # hidden, because supervisord would read it too where it includes conf.d/*
        self.previous = os.path.join(folder, f".{self.name}{suffix}.previous")

    def lock(self):
        """Wait until no other run works with this supervisord."""
        # A lock on the folder leaves no file behind, and can be taken in check mode too.
        handle = os.open(os.path.dirname(self.config), os.O_RDONLY)
        deadline = time.monotonic() + LOCK_WAIT
        while True:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                if time.monotonic() > deadline:
                    raise ProgramError(
                        f"another run of supervisor_program on this host is not done after {LOCK_WAIT:g} s"
                    ) from exc
            time.sleep(POLL)

    def other_files(self):
        """Give the sections of all other files that supervisord reads, ``{path: sections}``, and those it cannot read."""
        found = {}
        broken = {}
        paths = [self.config, *sorted({path for pattern in self.settings.patterns for path in glob.glob(pattern)})]
        for path in paths:
            if os.path.realpath(path) != os.path.realpath(self.path):
                try:
                    found[path] = conf.parse(read_text(path) or "", path)
                except (conf.ConfError, ProgramError) as exc:
                    broken[path] = str(exc)
        return found, broken

    def check_names(self, sections, others):
        """Refuse programs that another file defines or puts into a group: the last file would win without a word."""
        own = set(conf.program_names(sections))
        own_groups = set(conf.groups(sections))
        for path, theirs in others.items():
            for name in sorted(own & set(conf.program_names(theirs))):
                raise ProgramError(
                    f"program {name} is defined twice, in {self.path} and in {path}: remove it from one of them"
                )
            for group, members in conf.groups(theirs).items():
                if group in own_groups:
                    raise ProgramError(
                        f"the group {group} is defined twice, in {self.path} and in {path}: remove it from one of them"
                    )
                for name in sorted(own & set(members)):
                    raise ProgramError(
                        f"program {name} of {self.path} is put into the group {group} by {path}: remove that group"
                    )

    def write(self, text, kept):
        """Give the file and what is kept beside it these texts, each whole or not at all; None is no file."""
        # The kept one goes first: a run that is cut off in between has neither changed anything nor forgotten what runs.
        targets = [(self.previous, kept)] if kept != self.kept else []
        if text != self.text:
            targets.append((self.path, text))
            self.changed = True
        staged = {}
        # a new file is for root's eyes, because an environment may hold secrets; an existing one keeps its mode
        mode = stat.S_IMODE(os.stat(self.path).st_mode) if os.path.exists(self.path) else 0o640
        umask = os.umask(~mode & 0o777)
        try:
            for path, content in targets:
                if content is not None:
                    staged[path] = self.stage(content)
            for path, content in targets:
                if content is not None:
                    if path == self.previous and os.path.exists(path):
                        os.chmod(path, mode)
                    self.module.atomic_move(staged[path], path)
                elif os.path.lexists(path):
                    os.unlink(path)
        except OSError as exc:
            raise ProgramError(f"{self.path} cannot be written: {exc.strerror}; it is as before") from exc
        finally:
            os.umask(umask)
            for temporary in staged.values():
                if os.path.exists(temporary):
                    os.unlink(temporary)
        self.text, self.kept = text, kept

    def stage(self, text):
        """Write *text* to a new file in the folder and give its path."""
        # the suffix keeps supervisord from reading the file before it has its final name
        handle, temporary = tempfile.mkstemp(prefix=f".{self.name}.", suffix=".new", dir=os.path.dirname(self.path))
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text.encode("utf-8"))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            os.unlink(temporary)
            raise
        return temporary

    # --- what the programs need --------------------------------------------------------------------------------------

    def check_host(self):
        """Refuse what supervisord would refuse, or what would make it refuse to start at all."""
        for program in self.programs or []:
            name = program["name"]
            if program["user"]:
                self.user_of(program)
            log = program["log"]
            created = [path.rstrip("/") for path in program["state_directories"]]
            if log and not os.path.isdir(os.path.dirname(log["path"])) and os.path.dirname(log["path"]) not in created:
                raise ProgramError(f"program {name}: the folder of its log {log['path']} does not exist")
            directory = program["directory"]
            if directory and not os.path.isdir(directory) and directory.rstrip("/") not in created:
                raise ProgramError(f"program {name}: its directory {directory} does not exist")
            if self.state not in ("started", "restarted") or not program["autostart"]:
                continue
            if program["cpus"] and not shutil.which("numactl"):
                raise ProgramError(
                    f"program {name}: cpus needs numactl, which is not on this host: install the package numactl"
                )
            command = program["command"][0]
            if command.startswith("/") and not shutil.which(command):
                raise ProgramError(f"program {name}: {command} does not exist or is not executable")

    def user_of(self, program):
        """Give the password entry of the program's user."""
        try:
            return pwd.getpwnam(program["user"])
        except KeyError as exc:
            raise ProgramError(f"program {program['name']}: there is no user {program['user']} on this host") from exc

    def make_directories(self):
        """Create the programs' directories and correct their owners."""
        before = []
        after = []
        seen = set()
        for program in self.programs or []:
            what = f"program {program['name']}: state_directories: "
            owner = program["user"]
            for path in program["state_directories"]:
                if not path.startswith("/"):
                    raise ProgramError(f"{what}{path!r} is not an absolute path")
                path = os.path.normpath(path)
                try:
                    current = describe_directory(path)
                    wanted = f"owner {owner}" if owner else current if current != "absent" else "created"
                    if path in seen or current == wanted:
                        continue
                    if not self.check:
                        make_directory(path, current == "absent", self.user_of(program) if owner else None)
                except OSError as exc:
                    raise ProgramError(f"{what}{path} cannot be made ready: {exc.strerror}") from exc
                seen.add(path)
                before.append(f"{path}: {current}\n")
                after.append(f"{path}: {wanted}\n")
        self.add_diff("directories", "".join(before), "".join(after))

    # --- supervisord -------------------------------------------------------------------------------------------------

    def connect(self):
        """Say whether supervisord runs and is at work."""
        deadline = time.monotonic() + SERVICE_WAIT
        while True:
            try:
                self.supervisor.call("getState")
                return True
            except rpc.SupervisorDown:
                return False
            except rpc.SupervisorFault as exc:
                if exc.code != rpc.SHUTDOWN_STATE:
                    raise
                if time.monotonic() > deadline:
                    raise ProgramError(
                        f"supervisord has been shutting down or restarting for {SERVICE_WAIT:g} s"
                    ) from exc
            time.sleep(POLL)

    def look(self, groups, sections):
        """Give supervisord's processes by group, at a moment at which it is known whether each program runs.

        With restart=never a running program is left alone and one that crashes again and again is not. While it is
        starting, which of both it is shows only after its startsecs.
        """
        patience = max([conf.number(options, "startsecs", 1) for options in sections.values()] or [0]) + SETTLE_WAIT
        deadline = time.monotonic() + patience
        while True:
            active = planning.by_group(self.supervisor.processes())
            starting = any(info["statename"] == "STARTING" for group in groups for info in active.get(group, []))
            if not starting or self.state != "started" or self.restart != "never" or time.monotonic() > deadline:
                return active
            time.sleep(POLL)

    def reload(self, others, broken):
        """Let supervisord read its files again. Gives None, and sets reload_fault, when it does not accept this run's own file."""
        self.reload_fault = None
        try:
            return planning.Reload(*self.supervisor.reload())
        except rpc.SupervisorFault as exc:
            if exc.code != rpc.CANT_REREAD:
                raise
            message = str(exc)
            culprits = [path for path in [*others, *broken] if path in message]
            if not culprits and self.path not in message:
                culprits = list(broken) or [
                    path for path in others if any(f"[{section}]" in message for section in others[path])
                ]
            if not culprits:
                self.reload_fault = message
                return None
            where = ", ".join(culprits)
            reason = "; ".join(broken.values()) or message
            raise ProgramError(
                f"supervisord cannot read its files; the fault is in {where}, which is not managed here: {reason}"
            ) from exc

    def start_service(self):
        """Start the systemd unit that runs supervisord with this configuration."""
        systemctl = self.module.get_bin_path("systemctl")
        for unit in SERVICES if systemctl else ():
            _rc, out, _err = self.module.run_command([systemctl, "show", unit, "--property=LoadState,ExecStart"])
            if "LoadState=loaded" not in out or self.config not in out:
                continue
            rc, out, err = self.module.run_command([systemctl, "start", unit])
            deadline = time.monotonic() + SERVICE_WAIT
            while rc == 0 and time.monotonic() < deadline:
                if self.connect():
                    return
                time.sleep(POLL)
            _rc, journal, _err = self.module.run_command(
                ["journalctl", "--unit", unit, "--lines", "5", "--output", "cat"]
            )
            raise ProgramError(f"supervisord did not come up with {unit}: {(err or out or journal).strip()}")
        raise ProgramError(
            f"supervisord is not running (nothing listens on {self.settings.socket}) and no systemd unit runs it with {self.config}: start it first"
        )

    def apply(self, actions, patience):
        """Do what the plan says. Each group goes through its steps on its own, so a slow stop holds up no other group."""
        stopping = {action.group: {} for action in actions if action.stop}
        adding = []
        for action in actions:
            if action.add:
                adding.append(action)
            elif action.start:
                self.start(action.group)
        deadline = time.monotonic() + patience + KILL_WAIT
        while stopping or adding:
            active = planning.by_group(self.supervisor.processes()) if stopping else {}
            for group, pids in list(stopping.items()):
                infos = active.get(group, [])
                pids.update((info["name"], info["pid"]) for info in infos if info["pid"])
                if any(info["statename"] in ("STARTING", "RUNNING", "BACKOFF") for info in infos):
                    # once more when a program has come back by itself in between
                    self.supervisor.stop(group)
                # EXITED may turn into STARTING at any moment: only a removed group is surely gone
                if not any(info["statename"] == "STOPPING" for info in infos) and self.supervisor.remove(group):
                    self.killed += self.find_killed(pids)
                    del stopping[group]
            for action in list(adding):
                if action.group not in stopping and not any(group in stopping for group in action.after):
                    self.supervisor.add(action.group)
                    if action.start:
                        self.start(action.group)
                    adding.remove(action)
            if stopping:
                if time.monotonic() > deadline:
                    names = ", ".join(sorted(stopping))
                    raise ProgramError(
                        f"{names} did not end, not even {KILL_WAIT:g} s after SIGKILL: is a disk hanging?"
                    )
                time.sleep(POLL)

    def start(self, group):
        self.spawn_faults.update(self.supervisor.start(group))

    def find_killed(self, pids):
        """Give which of ``{program: pid}`` supervisord had to kill."""
        log = tail_of(self.settings.logfile, LOG_SEARCH) if self.settings.logfile else ""
        return sorted(name for name, pid in pids.items() if f"killing '{name}' ({pid}) with SIGKILL" in log)

    def wait(self, patience):
        """Wait until every process of the groups in *patience*, ``{group: startsecs}``, is RUNNING and has kept its PID.

        Gives supervisord's processes by group.
        """
        begin = time.monotonic()
        pids = {}
        failed = {}
        while True:
            active = planning.by_group(self.supervisor.processes())
            early = False
            for group, startsecs in patience.items():
                for info in active.get(group) or [dict(ABSENT, name=group, group=group)]:
                    name = rpc.full_name(info)
                    if name in failed:
                        continue
                    fate = self.fate(info, pids.get(name))
                    if fate is None and time.monotonic() - begin > startsecs + SETTLE_WAIT:
                        fate = f"still {info['statename']} after {startsecs + SETTLE_WAIT:g} s"
                    if fate:
                        failed[name] = dict(info, fate=fate)
                    pids[name] = pids.get(name) or info["pid"]
                    early = early or fate is None
            if not early:
                break
            time.sleep(POLL)
        if failed:
            self.report(failed, active)
        return active

    def fate(self, info, pid):
        """Judge a started process: "" when it is well, None while it is too early, else what is wrong."""
        state = info["statename"]
        if state == "RUNNING" and (not pid or pid == info["pid"]):
            return ""
        if rpc.full_name(info) in self.spawn_faults and not info["pid"]:
            return self.spawn_faults[rpc.full_name(info)]
        if state == "ABSENT":
            return "removed from supervisord by somebody else"
        if (
            state in ("BACKOFF", "FATAL", "EXITED", "UNKNOWN")
            or (pid and info["pid"] != pid)
            or (state == "STOPPED" and info["start"])
        ):
            return self.how_it_ended(info)
        return None

    def how_it_ended(self, info):
        """Say how a process ended. supervisord tells the exit status of an early end in its log only."""
        if info["spawnerr"] and not info["spawnerr"].startswith(("Exited too quickly", "Bad exit code")):
            return info["spawnerr"]
        log = tail_of(self.settings.logfile, LOG_SEARCH) if self.settings.logfile else ""
        ends = re.findall(
            rf"(?:exited|stopped): {re.escape(info['name'])} \(((?:exit status|terminated by|unknown)[^;)]*)", log
        )
        if ends:
            return ends[-1]
        if info["statename"] == "EXITED":
            return f"exit status {info['exitstatus']}"
        return info["spawnerr"] or "unknown exit status"

    def report(self, failures, active):
        failed = []
        sentences = []
        for name in sorted(failures):
            info = failures[name]
            lines = (
                tail_of(info["stdout_logfile"], LOG_BYTES).splitlines()[-LOG_LINES:] if info["stdout_logfile"] else []
            )
            failed.append(
                {
                    "name": name,
                    "state": info["statename"],
                    "exit_status": info["fate"],
                    "log": info["stdout_logfile"] or None,
                    "log_tail": lines,
                }
            )
            sentence = (
                f"{name} on {platform.node()} did not stay up: {info['fate']} (supervisord says {info['statename']})."
            )
            if lines:
                indented = "\n".join(f"    {line}" for line in lines)
                sentence += f" The last lines of {info['stdout_logfile']}:\n{indented}"
            sentences.append(sentence)
        raise ProgramError("\n".join(sentences), failed_programs=failed, **self.result(active))

    # --- the whole ---------------------------------------------------------------------------------------------------

    def add_diff(self, header, before, after):
        if before != after:
            self.changed = True
            self.diffs.append({"before_header": header, "after_header": header, "before": before, "after": after})

    def wanted_text(self, old):
        """Give the text that the file should have, None for no file."""
        if self.only is not None and (self.programs is not None or self.revert or self.state == "absent"):
            raise ProgramError("only needs programs to be left out, and state to be started, restarted or stopped")
        if self.state == "absent":
            return None
        if self.revert:
            if self.programs is not None:
                raise ProgramError("state=reverted takes no programs: it goes back to what ran before")
            if self.kept is None:
                raise ProgramError(
                    f"nothing to go back to: no definition is kept that ran before the one of {self.path}"
                )
            return conf.set_autostart(self.kept, True)
        if self.programs is not None:
            return conf.render(self.programs, autostart=self.state != "stopped")
        if old is None:
            if self.check or self.state == "stopped":
                return None
            raise ProgramError(f"{self.path} does not exist: give its programs")
        if self.only is not None:
            return conf.set_autostart(old, self.state != "stopped", self.only)
        return conf.set_autostart(conf.with_leaving(old, []), self.state != "stopped")

    def what_ran(self, old, new, old_definitions, definitions, kept_definitions, down, before, active):
        """Give the text of what runs now, None when nothing does, when it is not known, or when it is what is wanted."""
        if self.revert or conf.with_leaving(old, []) == conf.with_leaving(new, []):
            return self.kept
        if self.reload_fault or not (old_definitions or kept_definitions):
            return None
        if down:
            # the file says what would have been started
            return conf.with_leaving(old, []) if old_definitions else None
        readable = old if old_definitions else None
        now, former = planning.what_ran(
            old_definitions, kept_definitions, definitions, before, active, conf.on_hold(readable)
        )
        text = conf.compose(readable, self.kept, now, former) if now is not None else None
        return text if text != new else None

    def final_text(self, new):
        """Give the text of the file once the plan is carried out: it remembers only what was left running."""
        left = [group for group in self.plan.pending if group not in self.wanted]
        return conf.with_leaving(new, left) if left else new

    def execute(self):
        """Do the whole run and give the result."""
        known = self.load_settings()
        if os.path.isdir(os.path.dirname(self.config)):
            self.lock()
        old = self.text = read_text(self.path)
        self.kept = read_text(self.previous)
        kept_sections = conf.parse(self.kept or "", self.previous)
        try:
            old_sections = conf.parse(old or "", self.path)
        except conf.ConfError:
            if self.programs is None and self.state != "absent" and not self.revert:
                raise
            old_sections = {}
        new = self.wanted_text(old)
        sections = conf.parse(new or "", self.path)
        self.module.no_log_values.update(*(conf.secrets(known) for known in (old_sections, kept_sections, sections)))
        self.wanted = conf.groups(sections)
        self.held = conf.held(new)
        others, broken = self.other_files() if known else ({}, {})
        self.check_names(sections, others)
        if not self.check:
            self.check_host()

        down = True
        if known:
            self.supervisor = rpc.Supervisor(self.settings.socket, self.settings.username, self.settings.password)
            down = not self.connect()
        before = planning.Reload(set(), set())
        if not down:
            before = self.reload(others, broken) or before
            if self.reload_fault and new == old:
                raise ProgramError(f"supervisord does not accept {self.path}: {self.reload_fault}")

        old_definitions, kept_definitions, definitions = (
            definitions_of(each) for each in (old_sections, kept_sections, sections)
        )
        # a run that was cut off on its way back has left what it wants, not what runs
        reverting = self.kept is not None and conf.with_leaving(old, []) == conf.set_autostart(self.kept, True)
        running = planning.running(old_definitions, {} if reverting else kept_definitions, before)
        changes = {
            group: changed_options(running[group], definitions[group]) for group in definitions if running.get(group)
        }
        known_groups = set(old_definitions) | set(conf.leaving(old))
        active = {} if down else self.look(known_groups | set(definitions), sections)
        names = set(conf.program_names(sections))

        def make_plan(reload, active, state=self.state):
            leaving = planning.to_leave(known_groups, self.wanted, reload.removed, active, names)
            return planning.make_plan(
                state, self.restart, self.wanted, leaving, reload, active, changes, self.held, self.only
            )

        foreign = {group for theirs in others.values() for group in conf.groups(theirs)}
        if down and self.state in ("stopped", "absent"):
            # nothing runs, and supervisord will read the file whenever it comes up
            self.plan = planning.Plan([], {})
        else:
            self.plan = make_plan(planning.predict_reload(running, definitions, set(active), foreign), active)
        ran = self.what_ran(old, new, old_definitions, definitions, kept_definitions, down, before, active)
        self.keep = None if self.revert or new is None else ran

        self.make_directories()
        if self.check:
            self.finish_diff(old, new, before, active)
            return self.result(active)

        if down:
            self.finish_diff(old, new, before, active)
            self.write(new, ran if self.plan.actions else self.keep)
            if self.plan.actions:
                if broken:
                    faults = "; ".join(broken.values())
                    raise ProgramError(f"supervisord cannot start with these files: {faults}")
                self.start_service()
                active = planning.by_group(self.supervisor.processes())
                self.plan = make_plan(planning.Reload(set(), set()), active, "started")
                active = self.act(new, old_sections, sections)
        else:
            # What is to go is remembered in the file until it is gone: an interrupted run would leave it behind for ever.
            going = [action.group for action in self.plan.actions if action.group not in self.wanted]
            current = conf.with_leaving(new, going) if going else new
            if current != old:
                kept = self.kept
                self.write(current, ran)
                reload = self.reload(others, broken)
                if reload is None:
                    self.write(old, kept)
                    raise ProgramError(
                        f"supervisord does not accept the new {self.path}, the old one is back: {self.reload_fault}"
                    )
                self.plan = make_plan(reload, self.look(known_groups | set(definitions), sections))
            self.finish_diff(old, new, before, active)
            active = self.act(new, old_sections, sections)
        return self.result(active)

    def act(self, new, old_sections, sections):
        """Carry out the plan, give the file its final text, wait for what was started, and give the processes by group."""

        def longest(group, key, default):
            programs = self.wanted.get(group) or conf.groups(old_sections).get(group) or [group]
            return max(
                conf.number(conf.options_of(source, program), key, default)
                for program in programs
                for source in (old_sections, sections)
            )

        working = [action for action in self.plan.actions if planning.has_work(action)]
        self.apply(
            working, max([longest(action.group, "stopwaitsecs", 60) for action in working if action.stop] or [0])
        )
        self.write(self.final_text(new), self.keep)
        for name in self.killed:
            self.module.warn(f"{name} did not end within its stopwaitsecs and was killed")
        if self.state in ("started", "restarted"):
            left = {
                group
                for group, members in self.wanted.items()
                if self.only is not None and not set(self.only) & set(members)
            }
            left |= {*self.plan.pending, *self.held}
            return self.wait({group: longest(group, "startsecs", 1) for group in self.wanted if group not in left})
        return planning.by_group(self.supervisor.processes())

    def finish_diff(self, old, new, before, active):
        final = self.final_text(new)
        self.add_diff(self.path, old or "", final or "")
        self.changed = (
            self.changed
            or old != final
            or self.keep != self.kept
            or any(planning.has_work(action) for action in self.plan.actions)
        )
        self.add_diff("programs", *planning.describe(self.plan, before, active))

    def result(self, active):
        programs = []
        for action in sorted(self.plan.actions, key=lambda action: action.group not in self.wanted):
            if action.group not in self.wanted and action.group not in self.plan.pending:
                continue
            members = self.wanted.get(action.group, [action.group])
            for info in active.get(action.group) or [dict(ABSENT, name=name, group=action.group) for name in members]:
                programs.append(
                    {
                        "name": rpc.full_name(info),
                        "state": info["statename"],
                        "pid": info["pid"] or None,
                        "uptime_s": max(0, info["now"] - info["start"]) if info["pid"] else None,
                        "restart_required": action.group in self.plan.pending,
                    }
                )
        return {
            "programs": programs,
            "restart_required": bool(self.plan.pending),
            "reasons": list(self.plan.pending.values()),
        }

    def outcome(self, **more):
        """Give what every end of the module returns, a failure too."""
        result = {
            "changed": self.changed,
            "diff": self.diffs,
            "file": self.path,
            "previous": self.previous if (self.keep if self.check else self.kept) else None,
            "programs": [],
            "restart_required": False,
            "reasons": [],
            "killed": self.killed,
        }
        result.update(more)
        return result


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run = Run(module)
    try:
        module.exit_json(**run.outcome(**run.execute()))
    except ProgramError as exc:
        module.fail_json(msg=to_native(exc), **run.outcome(**exc.details))
    except (conf.ConfError, rpc.SupervisorError) as exc:
        module.fail_json(msg=to_native(exc), **run.outcome())


if __name__ == "__main__":
    main()
