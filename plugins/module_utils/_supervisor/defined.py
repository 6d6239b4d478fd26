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
from typing import Any, Collection, Mapping, NamedTuple

from .._host.files import read_text
from . import rpc
from .daemon_conf import DaemonSettings, daemon_settings
from .errors import ConfError
from .read import parse

CONFIG = "/etc/supervisor/supervisord.conf"
DEFAULT_PATTERNS = ("/etc/supervisor/conf.d/*.conf",)
"""What a distribution's supervisord includes; looked at where its own configuration does not tell."""

# Seconds for supervisord to answer.
PATIENCE_S = 10
FAILING = ("BACKOFF", "FATAL")
LOG_TAIL = 4000


def program_files(config: str = CONFIG) -> list[str]:
    """Return the files that can define programs: supervisord's own configuration, and what that includes."""
    try:
        patterns = _settings(config).patterns
    except ConfError:
        patterns = DEFAULT_PATTERNS
    # supervisord takes the matches of each pattern in order, and reads each file once.
    files = [path for pattern in patterns for path in sorted(glob.glob(pattern))]
    return list(dict.fromkeys([config, *files]))


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


def read_reason(supervisor: Any, info: Mapping[str, Any]) -> str:
    """Return why a program does not stay up."""
    try:
        log = supervisor.call("tailProcessStdoutLog", rpc.full_name(info), 0, LOG_TAIL)[0]
    except rpc.SupervisorError:
        log = ""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said: str = info.get("spawnerr") or info.get("description") or info["statename"]
    return f"{said}; its log ends with: {lines[-1][:300]}" if lines else said


def _settings(config: str) -> DaemonSettings:
    return daemon_settings(parse(read_text(config) or "", config), config, os.environ, platform.node())
