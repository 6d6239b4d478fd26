# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is on a host already: the supervised programs that bear this collection's names, and the binaries that run."""

from __future__ import annotations

import re
from typing import Callable, Iterable, Mapping, Optional, TypedDict

from .._cpuset import format_cpu_list, parse_cpu_list
from .._foreign import reads_foreign
from .._host.files import Host, read_text
from .._host.read import FileFacts, read_file
from .._nats.deployed import configuration_file, essence
from .._secrets import masked_arguments
from .._supervisor.defined import CONFIG, options_of_damaged, program_files, read_states
from .._supervisor.errors import ConfError
from .._supervisor.launchers import ScriptOf, unwrap
from .._supervisor.read import parse_command, parse_environment
from . import names

CpusOfNodes = Callable[[str], Optional[str]]

MAX_SCRIPT = 65536
"""Characters of a start script at most."""

_SHEBANG = re.compile(r"#![^\n]*\b(?:ba|da|a|z|k)?sh\b")
_PROGRAM = re.compile(r"^\[program:([^]]+)\]", re.MULTILINE)


class Binding(TypedDict):
    """What a program's definition says; None and empty where it does not, or cannot be read."""

    # What numactl or taskset binds it to.
    cpus: str | None
    # Its CUDA_VISIBLE_DEVICES.
    gpu: str | None
    # The words from its program on, without numactl and other launchers.
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
    """Return the programs with this collection's names or binaries that are defined on this host, with their states."""
    defined: list[Defined] = []
    for path in program_files(config):
        defined += parse_programs(read_text(path) or "", path, cpus_of_nodes, script_of)
    states = read_states([program["name"] for program in defined], config) if defined else {}
    programs: list[ProgramFacts] = []
    for program in defined:
        state = states.get(program["name"])
        programs.append({**program, "state": state.name if state else None, "reason": state.reason if state else None})
    return programs


def cpus_of_nodes(nodes: str) -> str | None:
    """Return the CPUs of some NUMA nodes of this machine, None when one of them is not known."""
    host = Host()
    sets = [host.cpus(f"/sys/devices/system/node/node{node}/cpulist") for node in parse_cpu_list(nodes)]
    known = [cpus for cpus in sets if cpus is not None]
    return format_cpu_list(frozenset().union(*known)) or None if len(known) == len(sets) else None


@reads_foreign
def parse_programs(
    text: str,
    path: str,
    cpus_of_nodes: CpusOfNodes = lambda nodes: None,
    script_of: ScriptOf = lambda path: None,
) -> list[Defined]:
    """Return the supervised programs in a file that have one of this collection's names, or run one of its binaries.

    ``cpus_of_nodes`` tells the CPUs of a list of NUMA nodes, for programs that are bound to nodes, ``script_of`` the
    text of a start script.
    """
    found: list[Defined] = []
    for name in (match.strip() for match in _PROGRAM.findall(text)):
        binding = _binding(text, name, cpus_of_nodes, script_of)
        if names.is_ours(name) or names.is_binary("".join(binding["command"][:1])):
            found.append({**binding, "name": name, "file": path})
    return found


def nats_configurations(programs: Iterable[Binding]) -> list[str]:
    """Return the configuration files that servers of NATS are started with, by their absolute paths, sorted."""
    servers = [program["command"] for program in programs if names.is_nats_server("".join(program["command"][:1]))]
    return sorted({path for path in map(configuration_file, servers) if path and path.startswith("/")})


def read_nats_configurations(programs: Iterable[Binding]) -> dict[str, FileFacts | None]:
    """Return what those files are, with what of their contents tells where data is, and nothing that may be secret."""
    found = {path: read_file(path) for path in nats_configurations(programs)}
    for file in found.values():
        if file and file["content"]:
            file["content"] = essence(file["content"])
    return found


def script_of(path: str) -> str | None:
    """Return the text of a shell's script on this host, None for any other file."""
    text = read_text(path) if path.startswith("/") else None
    return text if text and len(text) <= MAX_SCRIPT and _SHEBANG.match(text) else None


def _binding(text: str, name: str, cpus_of_nodes: CpusOfNodes, script_of: ScriptOf) -> Binding:
    """Return what a definition says; what of it cannot be read leaves the rest as it is."""
    options = options_of_damaged(text, name)
    try:
        words = parse_command(options.get("command") or "")
    except ConfError:
        words = []
    try:
        environment = parse_environment(options.get("environment") or "")
    except ConfError:
        environment = {}
    return binding_of(words, environment, cpus_of_nodes, script_of)


def binding_of(
    words: list[str], environment: Mapping[str, str], cpus_of_nodes: CpusOfNodes, script_of: ScriptOf
) -> Binding:
    """Return what the command line of a program says, and the environment that it is started with."""
    launched = unwrap(words, names.is_binary, script_of)
    cpus = cpus_of_nodes(launched.nodes) if launched.nodes else launched.cpus
    return {
        "cpus": cpus,
        "gpu": launched.variable("CUDA_VISIBLE_DEVICES", environment),
        "command": masked_arguments(launched.command),
    }


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
