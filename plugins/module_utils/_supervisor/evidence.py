# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What supervised programs really do: what supervisord says, and what the kernel says of their processes."""

from __future__ import annotations

import os
import re
from typing import Any, Mapping, Sequence

from .._foreign import reads_foreign
from .._host.processes import SocketTable, evidence, parents
from .daemon import Daemon, read_settings, tail_of
from .errors import ConfError
from .program_file import read_text
from .read import parse, program_names
from .rpc import ProcessInfo, full_name

LOG_SEARCH = 1048576  # bytes at the end of supervisord's log in which restarts are counted

NO_EVIDENCE: Mapping[str, Any] = {
    "pids": [],
    "cpus_allowed": None,
    "memory_policy": None,
    "environment": {},
    "listening": [],
    "connected": [],
    "open_files": [],
    "open_file_limit": None,
    "fd_count": None,
    "executable": None,
    "executable_deleted": None,
}


def gather(
    config: str,
    name: str | None,
    programs: Sequence[str] | None,
    gpu_processes: Mapping[int, Sequence[str]] | None,
) -> list[dict[str, Any]]:
    """Return the evidence of *programs*, or of all those of the file *name*.

    *config* is supervisord's own configuration. *gpu_processes* is ``{pid: [UUIDs of GPUs]}``, None where unknown.
    """
    settings = read_settings(config)
    if settings is None:
        raise ConfError(f"{config} cannot be read: No such file or directory")
    if programs is None:
        path = os.path.join(settings.folder, f"{name}{settings.suffix}")
        text = read_text(path)
        if text is None:
            raise ConfError(f"{path} cannot be read: No such file or directory")
        programs = program_names(parse(text, path))
    found = {}
    for info in Daemon(config, settings).all_processes():
        found[info["name"]] = found[full_name(info)] = info
    log = tail_of(settings.logfile, LOG_SEARCH)
    parent_of = parents()
    tables: dict[int | str, SocketTable] = {}
    return [_evidence(program, found.get(program), log, parent_of, tables, gpu_processes) for program in programs]


def _evidence(
    name: str,
    info: ProcessInfo | None,
    log: str | None,
    parent_of: Mapping[int, int],
    tables: dict[int | str, SocketTable],
    gpu_processes: Mapping[int, Sequence[str]] | None,
) -> dict[str, Any]:
    """Return the evidence of one program."""
    pid = info["pid"] if info else 0
    known = {**NO_EVIDENCE, **(evidence(pid, parent_of, tables) if pid in parent_of else {})}
    pids = known.pop("pids")
    gpus = None
    if gpu_processes is not None:
        gpus = sorted({uuid for member in pids for uuid in gpu_processes.get(member, [])})
    return {
        **known,
        "name": name,
        "state": info["statename"] if info else "ABSENT",
        "pid": pid or None,
        "uptime_s": max(0, info["now"] - info["start"]) if info and pid else None,
        "restarts": None if log is None else count_restarts(log, info["name"] if info else name),
        "gpus": gpus,
    }


@reads_foreign
def count_restarts(log: str, name: str) -> int:
    """Count how often a program ended by itself since its last deliberate start, in the text of supervisord's log."""
    count = 0
    for line in log.split("\n"):
        if re.search(rf"INFO supervisord started with pid|(INFO|WARN) stopped: {re.escape(name)} \(", line):
            count = 0
        elif re.search(rf"(INFO|WARN) exited: {re.escape(name)} \(", line):
            count += 1
    return count
