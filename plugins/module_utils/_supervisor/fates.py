# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""How programs fare that were started: whether they stay up, and how they ended when they do not."""

from __future__ import annotations

import platform
import re
import time
from typing import Any, Mapping, NamedTuple

from .._printable import printable
from .daemon import LOG_SEARCH, POLL, SETTLE_WAIT, Daemon, tail_of
from .rpc import ProcessInfo, absent, full_name

LOG_LINES = 20
LOG_BYTES = 4096


class Failure(NamedTuple):
    """A program that did not stay up: what supervisord says of it, and how it ended."""

    info: ProcessInfo
    fate: str


def wait(
    daemon: Daemon,
    patience: Mapping[str, int],
    settle: bool = True,
    pids: Mapping[str, int] | None = None,
) -> tuple[dict[str, list[ProcessInfo]], dict[str, Failure]]:
    """Wait until every process of the groups in *patience*, ``{group: startsecs}``, is RUNNING and has kept its PID.

    Without *settle* only until every process has begun. *pids* are those that they were started with, where known.
    Return supervisord's processes by group, and the failures by name of program.
    """
    begin = time.monotonic()
    known = dict(pids or {})
    failures: dict[str, Failure] = {}
    while True:
        active = daemon.processes()
        early = False
        for group, startsecs in patience.items():
            for info in active.get(group) or [absent(group, group)]:
                name = full_name(info)
                if name in failures:
                    continue
                fate = fate_of(daemon, info, known.get(name))
                if fate is None and info["pid"] and not settle:
                    fate = ""
                if fate is None and time.monotonic() - begin > startsecs + SETTLE_WAIT:
                    fate = f"still {info['statename']} after {startsecs + SETTLE_WAIT:g} s"
                if fate:
                    failures[name] = Failure(info, fate)
                known[name] = known.get(name) or info["pid"]
                early = early or fate is None
        if not early:
            return active, failures
        time.sleep(POLL)


def fate_of(daemon: Daemon, info: ProcessInfo, pid: int | None) -> str | None:
    """Judge a process that was started as *pid*: "" when it is well, None while it is too early, else what is wrong."""
    state = info["statename"]
    if state == "RUNNING" and (not pid or pid == info["pid"]):
        return ""
    if full_name(info) in daemon.spawn_faults and not info["pid"]:
        return daemon.spawn_faults[full_name(info)]
    if state == "ABSENT":
        return "removed from supervisord by somebody else"
    if (
        state in ("BACKOFF", "FATAL", "EXITED", "UNKNOWN")
        or (pid and info["pid"] != pid)
        or (state == "STOPPED" and info["start"])
    ):
        return how_it_ended(daemon, info)
    return None


def how_it_ended(daemon: Daemon, info: ProcessInfo) -> str:
    """Say how a process ended. supervisord tells the exit status of an early end in its log only."""
    if info["spawnerr"] and not info["spawnerr"].startswith(("Exited too quickly", "Bad exit code")):
        return info["spawnerr"]
    log = tail_of(daemon.settings.logfile, LOG_SEARCH) or ""
    ends: list[str] = re.findall(
        rf"(?:exited|stopped): {re.escape(info['name'])} \(((?:exit status|terminated by|unknown)[^;)]*)", log
    )
    if ends:
        return ends[-1]
    if info["statename"] == "EXITED":
        return f"exit status {info['exitstatus']}"
    return info["spawnerr"] or "unknown exit status"


def describe(failures: Mapping[str, Failure]) -> tuple[str, list[dict[str, Any]]]:
    """Return the message about failed programs, and what the module returns as ``failed_programs``."""
    failed = []
    sentences = []
    for name in sorted(failures):
        info, fate = failures[name]
        log = info["stdout_logfile"]
        lines = (tail_of(log, LOG_BYTES) or "").splitlines()[-LOG_LINES:]
        failed.append(
            {
                "name": name,
                "state": info["statename"],
                "exit_status": fate,
                "log": log or None,
                "log_tail": lines,
            }
        )
        sentence = f"{name} on {platform.node()} did not stay up: {fate} (supervisord says {info['statename']})."
        if lines:
            indented = "\n".join(f"    {line}" for line in lines)
            sentence += f" The last lines of {log}:\n{indented}"
        sentences.append(sentence)
    # Ansible prints the message of a failed module as it is, and a log may hold what a stranger on the network chose.
    return printable("\n".join(sentences), lines=True), failed
