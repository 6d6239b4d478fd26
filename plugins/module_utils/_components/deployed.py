# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is on a host already: the supervised programs that bear this collection's names, and the binaries that run."""

from __future__ import annotations

import re
from typing import Iterable, TypedDict

from .._host.files import read_text
from .._supervisor.defined import CONFIG, program_files, read_states
from .._supervisor.errors import ConfError
from .._supervisor.read import options_of, parse, parse_command, parse_environment
from . import names

_PROGRAM = re.compile(r"^\[program:([^]]+)\]", re.MULTILINE)


class Binding(TypedDict):
    """What a program's definition says; None and empty where it does not, or cannot be read."""

    # What numactl binds it to.
    cpus: str | None
    # Its CUDA_VISIBLE_DEVICES.
    gpu: str | None
    # The words behind numactl.
    command: list[str]


class Defined(Binding):
    """A supervised program as a file defines it."""

    name: str
    file: str


class ProgramFacts(Defined):
    """A program with its state as supervisord says it, and why it does not stay up."""

    state: str | None
    reason: str | None


def read_programs(config: str = CONFIG) -> list[ProgramFacts]:
    """Return the programs of this collection's names that are defined on this host, with their states."""
    defined = [entry for path in program_files(config) for entry in parse_programs(read_text(path) or "", path)]
    states = read_states([program["name"] for program in defined], config) if defined else {}
    programs: list[ProgramFacts] = []
    for program in defined:
        state = states.get(program["name"])
        programs.append({**program, "state": state.name if state else None, "reason": state.reason if state else None})
    return programs


def parse_programs(text: str, path: str) -> list[Defined]:
    """Return the supervised programs in a file that bear one of this collection's names."""
    found = [match.strip() for match in _PROGRAM.findall(text)]
    return [{**_binding(text, name), "name": name, "file": path} for name in found if names.is_ours(name)]


def _binding(text: str, name: str) -> Binding:
    try:
        options = options_of(parse(text), name)
        command = parse_command(options.get("command") or "")
        environment = parse_environment(options.get("environment") or "")
    except ConfError:
        return {"cpus": None, "gpu": None, "command": []}
    cpus = command[2] if command[:2] == ["numactl", "-C"] and len(command) > 2 else None
    # numactl's own words end at the program, which is an absolute path.
    start = 0
    if command[:1] == ["numactl"]:
        start = next((index for index, word in enumerate(command) if word.startswith("/")), 0)
    return {"cpus": cpus, "gpu": environment.get("CUDA_VISIBLE_DEVICES"), "command": command[start:]}


def running_binaries(processes: Iterable[tuple[str, str]]) -> list[str]:
    """Return the paths of the versioned binaries that processes run, sorted.

    ``processes`` are pairs of /proc/PID/comm and /proc/PID/cmdline. A script's path comes behind its interpreter's, and
    behind the one argument that its first line may give to that; the kernel names the process after the script, by up
    to 15 bytes.
    """
    found = set()
    for name, line in processes:
        words = line.split("\0")
        scripts = [word for word in words[1:3] if word.rpartition("/")[2][:15] == name.rstrip("\n")]
        found.update(words[:1] + scripts)
    return sorted(word for word in found if names.read_path(word))
