# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is defined on a host: the files that supervisord reads, and what it says of the programs in them."""

from __future__ import annotations

import glob
import os
import platform
import re
from typing import Any, Collection, NamedTuple

from .._foreign import reads_foreign
from .._host.files import read_text, why_unreadable
from . import rpc
from .daemon_conf import DaemonSettings, daemon_settings, included_patterns
from .errors import ConfError
from .read import options_of, parse

CONFIG = "/etc/supervisor/supervisord.conf"
DEFAULT_PATTERNS = ("/etc/supervisor/conf.d/*.conf",)
"""What a distribution's supervisord includes; looked at where its own configuration does not tell."""

# Seconds for supervisord to answer.
PATIENCE_S = 10
FAILING = ("BACKOFF", "FATAL")
LOG_TAIL = 4000


def program_files(config: str = CONFIG) -> list[str]:
    """Return the files that can define programs: supervisord's own configuration, and what that includes."""
    # supervisord takes the matches of each pattern in order, and reads each file once.
    files = [path for pattern in _patterns(config) for path in sorted(glob.glob(pattern))]
    return list(dict.fromkeys([config, *files]))


def unreadable_files(config: str = CONFIG) -> dict[str, str]:
    """Return what of the files that can define programs, and of their folders, cannot be read, and why."""
    folders = [os.path.dirname(pattern) for pattern in _patterns(config)]
    found = {path: why_unreadable(path) for path in [*folders, *program_files(config)]}
    return {path: why for path, why in found.items() if why}


def _patterns(config: str) -> list[str]:
    """Return the patterns of the files that supervisord includes; those of its package where it does not tell."""
    try:
        return included_patterns(parse(read_text(config) or "", config), config, os.environ, platform.node())
    except ConfError:
        return list(DEFAULT_PATTERNS)


@reads_foreign
def options_of_damaged(text: str, program: str) -> dict[str, str]:
    """Return the options of a program in a text that supervisord may not be able to read as a whole.

    A line that is none takes neither the other programs of the file along nor the other options of its own.
    """
    try:
        return dict(options_of(parse(text), program))
    except ConfError:
        pass
    options: dict[str, str] = {}
    for piece in _pieces(text, program):
        try:
            options.update(options_of(parse(f"[program:{program}]\n{piece}\n"), program))
        except ConfError:
            continue
    return options


def _pieces(text: str, program: str) -> list[str]:
    """Return the lines of a program's section, each with those that continue it."""
    pieces: list[str] = []
    inside = False
    for line in text.split("\n"):
        section = re.match(r"\[([^]]+)\]", line)
        if section:
            kind, _colon, name = section.group(1).partition(":")
            inside = kind.strip() in ("program", "fcgi-program") and name.strip() == program
        elif inside and pieces and line[:1] in (" ", "\t"):
            pieces[-1] += "\n" + line
        elif inside:
            pieces.append(line)
    return pieces


class State(NamedTuple):
    """What supervisord says of a program, and why it does not stay up (None where it does)."""

    name: str
    reason: str | None


def read_states(names: Collection[str], config: str = CONFIG) -> dict[str, State]:
    """Return the state of each program of these names that supervisord knows, nothing when it cannot be asked."""
    try:
        settings = _settings(config)
        supervisor = rpc.Supervisor(settings.socket, settings.username, settings.password, timeout=PATIENCE_S)
        processes = supervisor.processes()
    except (ConfError, rpc.SupervisorError):
        return {}
    return {
        info["name"]: State(info["statename"], read_reason(supervisor, info) if info["statename"] in FAILING else None)
        for info in processes
        if info["name"] in names
    }


def read_reason(supervisor: Any, info: rpc.ProcessInfo) -> str:
    """Return why a program does not stay up."""
    try:
        log = supervisor.log_tail(rpc.full_name(info), LOG_TAIL)
    except rpc.SupervisorError:
        log = ""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said = info.get("spawnerr") or str(info.get("description") or info["statename"])
    return f"{said}; its log ends with: {lines[-1][:300]}" if lines else said


def _settings(config: str) -> DaemonSettings:
    return daemon_settings(parse(read_text(config) or "", config), config, os.environ, platform.node())
