# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Programs that a run has started without waiting for their startsecs: whether they stay up, asked later."""

from __future__ import annotations

import glob
from typing import Any, Iterable, Mapping, NamedTuple, Sequence, TypedDict

from .._secrets import hidden
from .daemon import Daemon, read_settings
from .daemon_conf import DaemonSettings
from .errors import ConfError
from .fates import Failure, describe, fate_of, wait
from .program_file import read_text
from .read import parse, secrets_of
from .rpc import ProcessInfo, absent, full_name


class Started(TypedDict):
    """A program that was started and has not been up for its startsecs yet."""

    name: str
    pid: int
    startsecs: int


class StayedUp(NamedTuple):
    """The programs as supervisord has them at the end, and what is said of those that did not stay up, "" if none."""

    programs: list[dict[str, Any]]
    message: str
    failed: list[dict[str, Any]]


def still_starting(active: Mapping[str, Iterable[ProcessInfo]], patience: Mapping[str, int]) -> list[Started]:
    """Return the processes of the groups in *patience*, ``{group: startsecs}``, that have not been up for so long."""
    return [
        {"name": full_name(info), "pid": info["pid"], "startsecs": startsecs}
        for group, startsecs in patience.items()
        for info in active.get(group, [])
        if info["statename"] == "STARTING" and info["pid"]
    ]


def ended(config: str, started: Sequence[Started]) -> str:
    """Say how those ended that have ended since they were started, "" where none has."""
    daemon = _daemon(config)
    active = _by_name(daemon)
    failures = {}
    for program in started:
        info = active.get(program["name"]) or absent(program["name"], program["name"])
        fate = fate_of(daemon, info, program["pid"])
        if fate:
            failures[program["name"]] = Failure(info, fate)
    return _told(daemon.settings, failures)[0]


def stayed_up(config: str, started: Sequence[Started]) -> StayedUp:
    """Wait until each program has been up for its startsecs with the process that it was started with."""
    daemon = _daemon(config)
    # A program is a group of its own, which bears its name.
    patience = {program["name"]: program["startsecs"] for program in started}
    pids = {program["name"]: program["pid"] for program in started}
    active, failures = wait(daemon, patience, pids=pids)
    programs = [
        {"name": full_name(info), "state": info["statename"], "pid": info["pid"] or None}
        for name in patience
        for info in active.get(name) or [absent(name, name)]
    ]
    return StayedUp(programs, *_told(daemon.settings, failures))


def _daemon(config: str) -> Daemon:
    settings = read_settings(config)
    if settings is None:
        raise ConfError(f"{config} cannot be read: No such file or directory")
    return Daemon(config, settings)


def _by_name(daemon: Daemon) -> dict[str, ProcessInfo]:
    return {full_name(info): info for infos in daemon.processes().values() for info in infos}


def _told(settings: DaemonSettings, failures: Mapping[str, Failure]) -> tuple[str, list[dict[str, Any]]]:
    """Return message and data about failures, without the secrets of any program: a log may repeat them."""
    if not failures:
        return "", []
    message, failed = describe(failures)
    secrets = _secrets_of_programs(settings)
    for failure in failed:
        failure["log_tail"] = [hidden(line, secrets) for line in failure["log_tail"]]
    return hidden(message, secrets), failed


def _secrets_of_programs(settings: DaemonSettings) -> set[str]:
    found: set[str] = set()
    for path in sorted({path for pattern in settings.patterns for path in glob.glob(pattern)}):
        try:
            found |= secrets_of(parse(read_text(path) or "", path))
        except ConfError:
            continue  # supervisord does not read it either
    return found
