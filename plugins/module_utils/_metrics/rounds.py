# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The rounds of the collector: each reads its part of the host, by the code that playbooks use, and gives its metrics.

There are several because they cost differently and must not wait for each other: the state of programs is asked often,
GPUs by themselves since their driver can hang, and what a run would change seldom.
"""

from __future__ import annotations

import functools
import os
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from .._components.common import Settings
from .._components.deployed import running_binaries
from .._components.nats import COMPONENT as NATS
from .._components.plot_client import COMPONENT as PLOT_CLIENT
from .._components.registry import COMPONENTS
from .._gpu.commands import find_nvidia_smi, gpu_processes
from .._gpu.users import read_gpus
from .._host.commands import CommandError, find_program, run_command
from .._host.farms import read_farms
from .._host.processes import own_processes
from .._looking import Looked, look, own_readers
from .._reading.questions import health_question
from .._reading.read import read
from .._reading.side_by_side import read_side_by_side
from .._reading.wanted import Part, error_of
from .._supervisor.defined import CONFIG
from .._supervisor.errors import ConfError
from .._supervisor.evidence import gather
from .._supervisor.rpc import SupervisorError
from . import drift as drift_of
from .exposition import Family
from .gpus import QUERY_FIELDS, GpuState, gpu_families, mask_families, parse_states, parse_xids
from .memory import Memory, added, best_since, starts
from .serials import serial_of
from .state import component_families, farm_families, nats_families, node_families, program_families, version_families

#: Seconds for the disks, for each look at a component, and for each question to nvidia-smi or the journal.
PATIENCE_S = 20.0
DRIVER_S = 15


class Round(NamedTuple):
    """What a round has found: metrics, what it remembers, and what is written beside them for people."""

    families: list[Family]
    memory: dict[str, Any]
    told: dict[str, Any] | None = None


def state(part: Part, memory: Memory, now: float, folder: str) -> Round:
    """Read programs, NATS, node and farms."""
    settings, components = part["settings"], part["components"]
    programs = {component: _programs(component, None) for component in components}
    disks: Mapping[str, Any] = {}
    if part["asked"]["farms"]:
        answer = read_side_by_side({"disks": functools.partial(_farms, part)}, {"disks": PATIENCE_S * 2})["disks"]
        disks = {} if error_of(answer) else answer
    others = [component for component in components if not COMPONENTS[component].gpus]
    looks = _looks(part, others, {"disks": disks}, programs)
    counted = starts(memory.get("starts") or {}, {item["name"]: item["pid"] for item in _all(programs)})
    nats, node = looks.get(NATS.name), looks.get("node")
    best = best_since({}, None, now)
    families = [
        *program_families(settings, programs, counted),
        *version_families(running_binaries(own_processes())),
        *component_families(settings, others, looks),
    ]
    if nats:
        families += nats_families(nats, len(settings["nats_peers"]))
    if node:
        told = (node["evidence"].get("node") or {}).get("best")
        best = best_since(memory.get("best") or {}, told, now)
        families += node_families(node, best, now)
    if PLOT_CLIENT.name in components:
        serials = {path: serial_of(disk.get("device")) for path, disk in disks.items()}
        families += farm_families(settings, disks, programs[PLOT_CLIENT.name], serials)
    return Round(families, {"starts": counted, "best": best})


def gpus(part: Part, memory: Memory, now: float, folder: str) -> Round:
    """Read the GPUs, and what uses them."""
    if not part["asked"]["gpus"]:
        return Round([], {})
    reading = read_gpus(timeout=DRIVER_S)
    answered = not reading["gpu_error"]
    users = gpu_processes(DRIVER_S) if answered else None
    concerned = [component for component in part["components"] if COMPONENTS[component].gpus]
    programs = {component: _programs(component, users) for component in concerned}
    looks = _looks(part, concerned, {"gpus": reading}, programs)
    xids = added(memory.get("xids") or {}, _new_xids(folder))
    families = list(gpu_families(reading, _expected(part, reading, programs), _states() if answered else None, xids))
    families += mask_families([item for looked in looks.values() for item in looked["expected"]], _all(programs))
    families += component_families(part["settings"], concerned, looks)
    return Round(families, {"xids": xids})


def drift(part: Part, memory: Memory, now: float, folder: str) -> Round:
    """Compare the host with what is wanted of it."""
    found = drift_of.drift(read(part, lambda _secrets: None))
    return Round(list(drift_of.drift_families(found)), {}, {"changes": found, "read_at": int(now)})


Reader = Callable[[Part, Memory, float, str], Round]
ROUNDS: Mapping[str, Reader] = {"state": state, "gpus": gpus, "drift": drift}


def _programs(component: str, users: Mapping[int, Sequence[str]] | None) -> list[dict[str, Any]]:
    """Return the evidence of a component's programs; none where supervisord does not tell, which a look says."""
    try:
        return gather(CONFIG, COMPONENTS[component].file, None, users)
    except (ConfError, SupervisorError):
        return []


def _all(programs: Mapping[str, Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [program for members in programs.values() for program in members]


def _farms(part: Part) -> Mapping[str, Any]:
    settings = part["settings"]
    return read_farms(
        part["asked"]["farms"],
        settings["cluster_user"],
        settings["plot_client_pieces_in_sector"],
        settings["plot_client_disk_margin_mib"] * 1048576,
    )


def _looks(
    part: Part, components: Sequence[str], facts: Mapping[str, Any], programs: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Looked]:
    """Return what each component shows that is meant to run."""
    settings: Settings = part["settings"]
    known = {"host": None, "gpus": None, "disks": None, **facts}
    files = {COMPONENTS[component].file: members for component, members in programs.items()}
    readers = own_readers()._replace(programs=lambda name: files.get(name) or gather(CONFIG, name, None, None))

    def look_at(component: str) -> Looked:
        return look(health_question(component, settings, known), readers)

    started = [component for component in components if settings[component + "_state"] == "started"]
    found = read_side_by_side(
        {component: functools.partial(look_at, component) for component in started},
        dict.fromkeys(started, PATIENCE_S),
    )
    return {component: _looked(answer) for component, answer in found.items()}


def _looked(answer: Any) -> Looked:
    why = error_of(answer)
    if why is None:
        looked: Looked = answer
        return looked
    return {"healthy": False, "problems": [why], "waited_s": 0, "evidence": {}, "expected": []}


def _expected(part: Part, reading: Mapping[str, Any], programs: Mapping[str, Sequence[Any]]) -> tuple[int, int] | None:
    """Return how many GPUs the host should plot with, and how many of these the driver lists.

    It should plot with those that the inventory lists, else with as many as have a plot server.
    """
    if "plot_server" not in part["components"]:
        return None
    there = {gpu["uuid"] for gpu in (reading.get("topology") or {"gpus": []})["gpus"]}
    listed = part["settings"]["plot_server_gpus"]
    return (len(listed), len(there & set(listed))) if listed else (len(programs["plot_server"]), len(there))


def _states() -> list[GpuState] | None:
    program = find_nvidia_smi()
    if program is None:
        return None
    try:
        query = "--query-gpu=" + ",".join(QUERY_FIELDS)
        status, text, _errors = run_command([program, query, "--format=csv,noheader,nounits"], DRIVER_S)
    except CommandError:
        return None
    return parse_states(text) if status in (0, 14) else None


def _new_xids(folder: str) -> dict[str, int]:
    """Return the errors that the kernel has logged since the last round; the journal keeps the place by itself."""
    journal = find_program("journalctl")
    if journal is None:
        return {}
    cursor = os.path.join(folder, "kernel.cursor")
    try:
        argv = [journal, "--dmesg", "--output=cat", "--no-pager", "--quiet", f"--cursor-file={cursor}"]
        _status, text, _errors = run_command(argv, DRIVER_S)
    except CommandError:
        return {}
    return parse_xids(text)


def rounds_of(part: Part) -> Iterator[str]:
    """Yield the rounds that a host needs."""
    yield "state"
    if part["asked"]["gpus"]:
        yield "gpus"
    yield "drift"
