# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a host may answer: whatever is of another kind, or too long, is no answer, and spoils no other host's."""

from __future__ import annotations

import functools
import json
import typing
from collections.abc import Collection, Iterable, Mapping
from types import UnionType
from typing import Any, TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._components.deployed import ProgramFacts
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import Reading as GpuReading
from ansible_collections.autonomys.cluster.plugins.module_utils._host.farms import FarmDisk
from ansible_collections.autonomys.cluster.plugins.module_utils._host.processes import Owner
from ansible_collections.autonomys.cluster.plugins.module_utils._host.read import HostFacts
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import Seen
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import Nats
from ansible_collections.autonomys.cluster.plugins.module_utils._node_rpc import Node
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.control import Control

MAX_BYTES = 2_000_000
"""Bytes of JSON of an answer at most; a host that tells the truth keeps to a fifth of that."""

MAX_NUMBER = 2**63
"""No number of a host is larger."""


MAX_PLACE = 100


class Failed(TypedDict):
    """A part that could not be read."""

    error: str


class Host(HostFacts):
    """What a host is."""

    programs: list[ProgramFacts]
    running: list[str]
    control: Control | None


class GpuUser(Owner):
    """A process that uses GPUs."""

    pid: int
    gpu_uuids: list[str]


class Gpus(GpuReading):
    """The GPUs of a host, and who uses them."""

    processes: list[GpuUser]


class Prepare(TypedDict):
    """What must be prepared, in words."""

    changes: list[str]


class Monitoring(Prepare):
    """What would change so that the host is monitored."""

    missing: list[str]
    stopped: list[str]


class Diff(TypedDict):
    """A difference."""

    before: str
    after: str


class Release(TypedDict):
    """What ``release`` answers."""

    changed: bool
    installed: list[str]
    pruned: list[str]
    paths: dict[str, str]
    diff: Diff


class Program(TypedDict):
    """A program as ``supervisor_program`` tells of it."""

    name: str
    state: str
    pid: int | None
    uptime_s: int | None
    restart_required: bool


class HeadedDiff(Diff):
    """A difference of a file."""

    before_header: str
    after_header: str


class Programs(TypedDict):
    """What ``supervisor_program`` answers."""

    changed: bool
    diff: list[HeadedDiff]
    restart_required: bool
    reasons: list[str]
    programs: list[Program]


class Configuration(TypedDict):
    """What would become of the file of NATS."""

    changed: bool
    diff: list[HeadedDiff]


class ProgramSeen(TypedDict):
    """What a supervised program shows, as far as it is told on."""

    name: str
    state: str
    pid: int | None
    connected: list[str]
    listening: list[int]
    gpus: list[str] | None
    cpus_allowed: str | None
    memory_policy: str | None
    environment: dict[str, str]


class _ExpectedName(TypedDict):
    name: str


class Expected(_ExpectedName, total=False):
    """What it was expected to show."""

    stopped: str | None
    connected_any: list[str]
    cpus: str | None
    memory_policy: str | None
    environment: dict[str, str]


class Shown(TypedDict, total=False):
    """What was seen of a component, by source."""

    programs: list[ProgramSeen]
    nats: Nats
    node: Node


class Health(TypedDict):
    """How a component is."""

    healthy: bool
    problems: list[str]
    evidence: Shown
    expected: list[Expected]
    waited_s: int


class Component(TypedDict, total=False):
    """What a host tells of one of its components."""

    program: Programs
    configuration: Configuration
    health: Health
    error: str
    refused: bool


_PARTS: Mapping[str, Any] = {
    "host": Host,
    "gpus": typing.Optional[Gpus],
    "disks": typing.Optional[dict[str, FarmDisk]],
    "prepare": Prepare,
    "release": Release,
    "monitoring": typing.Optional[Monitoring],
    "lock": typing.Optional[Seen],
}


def fault_of(told: object, components: Collection[str]) -> str | None:
    """Return why an answer of ``host_reading_info`` cannot be one of a host with these components, None when it can."""
    if not isinstance(told, dict) or len(json.dumps(told)) > MAX_BYTES:
        return f"the host's answer is no object of at most {MAX_BYTES} bytes"
    answers = told.get("components")
    if not _PARTS.keys() <= told.keys():
        return f"the host's answer lacks {min(_PARTS.keys() - told.keys())}"
    if not isinstance(answers, dict) or set(answers) != set(components):
        return "the host does not tell of its components, or of others"
    parts = [(told[name], hint, name) for name, hint in _PARTS.items()]
    parts += [(answer, Component, f"components.{name}") for name, answer in answers.items()]
    for part, hint, name in parts:
        failed = isinstance(part, dict) and set(part) == {"error"}
        place = misfit(part, Failed if failed else hint, name)
        if place:
            return f"the host answers with something of another kind at {place[:MAX_PLACE]}"
    return None


def misfit(value: object, hint: Any, place: str) -> str | None:
    """Return the place of the first value inside of *value* that is not of the type *hint*, None where all are.

    More keys than the type has are no fault. True and false are no numbers.
    """
    if hint is Any:
        return None
    if typing.is_typeddict(hint):
        return _misfit_of_object(value, hint, place)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        faults = [misfit(value, each, place) for each in arguments]
        # Of a value that may be absent, the fault inside is told.
        return None if None in faults else max(filter(None, faults), key=len)
    if origin is list:
        if not isinstance(value, list):
            return place
        return _first((item, arguments[0], f"{place}.{number}") for number, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            return place
        return _first((item, arguments[1], f"{place}.{key}") for key, item in value.items())
    return None if _is_simple(value, hint) else place


def _misfit_of_object(value: object, hint: Any, place: str) -> str | None:
    hints = _hints(hint)
    if not isinstance(value, dict) or not hint.__required_keys__ <= value.keys():
        return place
    return _first((value[key], each, f"{place}.{key}") for key, each in hints.items() if key in value)


def _first(values: Iterable[tuple[object, Any, str]]) -> str | None:
    """Return the place of the first value that is not of its type."""
    return next(filter(None, (misfit(*each) for each in values)), None)


def _is_simple(value: object, hint: Any) -> bool:
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    if hint is float:
        return isinstance(value, (int, float)) and -MAX_NUMBER < value < MAX_NUMBER
    if hint is int:
        return isinstance(value, int) and -MAX_NUMBER < value < MAX_NUMBER
    return value is None if hint is type(None) else isinstance(value, hint)


@functools.lru_cache(maxsize=None)
def _hints(hint: Any) -> dict[str, Any]:
    return typing.get_type_hints(hint)
