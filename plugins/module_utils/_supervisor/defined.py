# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The programs that are defined on a host: what supervisord's files say of them, and what supervisord does."""

from __future__ import annotations

import glob
import os
import platform
import re
from typing import Any, Mapping, TypedDict

from .._host.files import read_text
from . import conf, rpc

CONFIG = "/etc/supervisor/supervisord.conf"
DEFAULT_PATTERNS = ("/etc/supervisor/conf.d/*.conf",)
"""What a distribution's supervisord includes; looked at where its own configuration does not tell."""

# Seconds for supervisord to answer.
PATIENCE_S = 10
FAILING = ("BACKOFF", "FATAL")
LOG_TAIL = 4000

_PROGRAM = re.compile(r"^\[program:([^]]+)\]", re.MULTILINE)
_OURS = ("autonomys-", "nats-server")


class Binding(TypedDict):
    """What a definition says of its process; None and empty where it does not say or cannot be read."""

    cpus: str | None
    gpu: str | None
    command: list[str]


class DefinedProgram(Binding):
    """A program in a file of supervisord."""

    name: str
    file: str


class ProgramFacts(DefinedProgram):
    """A program with its state as supervisord says it, and why it does not stay up."""

    state: str | None
    reason: str | None


def parse_programs(text: str, path: str) -> list[DefinedProgram]:
    """Return the supervised programs in a file that have one of this collection's names.

    ``cpus`` is what numactl binds the program to, ``gpu`` its CUDA_VISIBLE_DEVICES, ``command`` what follows numactl.
    """
    names = [match.strip() for match in _PROGRAM.findall(text)]
    return [{**_binding(text, name), "name": name, "file": path} for name in names if name.startswith(_OURS)]


def _binding(text: str, name: str) -> Binding:
    try:
        options = conf.options_of(conf.parse(text), name)
        command = conf.parse_command(options.get("command") or "")
        environment = conf.parse_environment(options.get("environment") or "")
    except conf.ConfError:
        return {"cpus": None, "gpu": None, "command": []}
    cpus = command[2] if command[:2] == ["numactl", "-C"] and len(command) > 2 else None
    start = 0
    if command[:1] == ["numactl"]:
        # numactl's own words end at the program, which is an absolute path.
        start = next((index for index, word in enumerate(command) if word.startswith("/")), 0)
    return {"cpus": cpus, "gpu": environment.get("CUDA_VISIBLE_DEVICES"), "command": command[start:]}


def program_files(config: str = CONFIG) -> list[str]:
    """Return the files that can define programs: supervisord's own configuration, and what that includes."""
    try:
        patterns = _settings(config).patterns
    except conf.ConfError:
        patterns = DEFAULT_PATTERNS
    # supervisord takes the matches of each pattern in order, and reads each file once.
    files = [path for pattern in patterns for path in sorted(glob.glob(pattern))]
    return list(dict.fromkeys([config, *files]))


def read_programs(config: str = CONFIG) -> list[ProgramFacts]:
    """Return the programs of this collection's names that are defined on this host, with their states."""
    defined = [entry for path in program_files(config) for entry in parse_programs(read_text(path) or "", path)]
    supervisor, states = _read_states(config) if defined else (None, {})
    programs: list[ProgramFacts] = []
    for program in defined:
        info = states.get(program["name"])
        state = info["statename"] if info else None
        reason = read_reason(supervisor, info) if info and state in FAILING else None
        programs.append({**program, "state": state, "reason": reason})
    return programs


def read_reason(supervisor: Any, info: Mapping[str, Any]) -> str:
    """Return why a program does not stay up."""
    try:
        log = supervisor.call("tailProcessStdoutLog", rpc.full_name(info), 0, LOG_TAIL)[0]
    except rpc.SupervisorError:
        log = ""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said: str = info.get("spawnerr") or info.get("description") or info["statename"]
    return f"{said}; its log ends with: {lines[-1][:300]}" if lines else said


def _settings(config: str) -> Any:
    return conf.settings(conf.parse(read_text(config) or "", config), config, os.environ, platform.node())


def _read_states(config: str) -> tuple[Any, dict[str, Any]]:
    """Return supervisord's connection, and what it says of each process; None and nothing when it cannot be asked."""
    try:
        settings = _settings(config)
        supervisor = rpc.Supervisor(settings.socket, settings.username, settings.password, timeout=PATIENCE_S)
        return supervisor, {info["name"]: info for info in supervisor.processes()}
    except (conf.ConfError, rpc.SupervisorError):
        return None, {}
