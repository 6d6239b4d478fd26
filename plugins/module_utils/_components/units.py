# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Programs of this collection's kind that systemd starts, beside those that supervisord does.

They have data, ports and GPUs as those have, and what looks for either must find them.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
from typing import NamedTuple, Sequence

from .._cpuset import CpuSetError, format_cpu_list, parse_cpu_list
from .._foreign import reads_foreign
from .._host.files import read_text
from .._host.read import Ask, ask
from . import names
from .deployed import ProgramFacts, binding_of, cpus_of_nodes, script_of

FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
STATES = {"active": "RUNNING", "activating": "STARTING", "reloading": "RUNNING", "deactivating": "STOPPING"}
# What makes systemd start a unit at boot.
_ENABLED = ("enabled", "enabled-runtime", "linked", "linked-runtime", "alias")
_SHOWN = "Id,ActiveState,UnitFileState"


class Unit(NamedTuple):
    """What a unit runs: words, environment, and the CPUs that it is bound to, None where to none."""

    command: list[str]
    environment: dict[str, str]
    cpus: str | None


def read_unit_programs(folders: Sequence[str] = FOLDERS, ask: Ask = ask) -> list[ProgramFacts]:
    """Return the programs of units that run, or that systemd starts at boot."""
    found: dict[str, ProgramFacts] = {}
    for path in [path for folder in folders for path in sorted(glob.glob(os.path.join(folder, "*.service")))]:
        name = os.path.basename(path)
        # The first folder in which a unit is decides, a unit that is masked there too.
        program = None if name in found else _program(name, path)
        if program:
            found[name] = program
    return _with_states(found, ask) if found else []


def _program(name: str, path: str) -> ProgramFacts | None:
    unit = parse_unit(read_text(path) or "")
    binding = binding_of(unit.command, unit.environment, cpus_of_nodes, script_of)
    if not names.is_binary("".join(binding["command"][:1])):
        return None
    cpus = binding["cpus"] or unit.cpus
    return {**binding, "cpus": cpus, "name": name[: -len(".service")], "file": path, "state": None, "reason": None}


def _with_states(found: dict[str, ProgramFacts], ask: Ask) -> list[ProgramFacts]:
    """Return the programs with their states, without those that nobody starts."""
    status, output = ask(["systemctl", "show", "-p", _SHOWN, "--", *found])
    told = states(output) if status == 0 else {}
    programs: list[ProgramFacts] = []
    for unit, program in found.items():
        active, enabled = told.get(unit, ("active", "enabled"))
        if active in STATES or enabled in _ENABLED:
            programs.append({**program, "state": STATES.get(active, "STOPPED") if told else None})
    return programs


@reads_foreign
def states(output: str) -> dict[str, tuple[str, str]]:
    """Return ``{unit: (whether it is active, whether it is enabled)}``, in systemd's words, of what it shows."""
    found = {}
    for block in output.split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
        if fields.get("Id"):
            found[fields["Id"]] = (fields.get("ActiveState", ""), fields.get("UnitFileState", ""))
    return found


@reads_foreign
def parse_unit(text: str) -> Unit:
    """Return what a unit's file says of its program; what cannot be read is left out."""
    command: list[str] = []
    environment: dict[str, str] = {}
    cpus: str | None = None
    section = ""
    for line in text.replace("\\\n", " ").split("\n"):
        line = line.strip()
        if line.startswith("["):
            section = line
        key, equals, value = line.partition("=")
        if section != "[Service]" or not equals or line[:1] in "#;":
            continue
        key, value = key.strip(), value.strip()
        if key == "ExecStart":
            # An empty one drops those before it; of several, the last is the one that lasts.
            command = _words(re.sub(r"^[@\-:+!|]+", "", value))
        elif key == "Environment":
            parts = [word.partition("=") for word in _words(value)]
            environment.update({name: text for name, sign, text in parts if sign})
        elif key == "CPUAffinity":
            cpus = _cpus(value)
    return Unit(command, environment, cpus)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _cpus(text: str) -> str | None:
    try:
        return format_cpu_list(parse_cpu_list(",".join(text.replace(",", " ").split()))) or None
    except CpuSetError:
        return None
