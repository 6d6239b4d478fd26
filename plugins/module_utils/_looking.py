# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Look at a component on this host: ask its applications, judge, and wait until nothing is wrong."""

from __future__ import annotations

import functools
import time
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence, TypedDict

from . import _health
from ._components.common import endpoints
from ._gpu.commands import gpu_processes
from ._nats.ask import ask_server, url_at
from ._nats.configuration import parse_size
from ._nats.quorum import MAX_LAG, MAX_SILENCE, Thresholds
from ._node_rpc import ask_node
from ._supervisor.defined import CONFIG
from ._supervisor.errors import ConfError
from ._supervisor.evidence import gather
from ._supervisor.rpc import SupervisorError
from ._supervisor.started import Started, ended

# Seconds for nvidia-smi, as a driver can hang, and for each question to an application.
GPU_PATIENCE_S = 30
ANSWER_S = 5

# Seconds until the second look; later ones come less often, as a share of the time waited so far.
FIRST_PAUSE_S = 0.25
SHARE = 0.125

# Programs that were started and have not been up for long, as supervisor_program returns them.
STARTED: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "pid": {"type": "int", "required": True},
        "startsecs": {"type": "int", "required": True},
    },
}

# What is asked, as options of a module or an action.
OPTIONS: dict[str, Any] = {
    "component": {"type": "str", "required": True},
    "name": {"type": "str"},
    "programs": {"type": "list", "elements": "dict", "default": []},
    "nats": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "peers": {"type": "dict", "required": True},
            "held": {"type": "list", "elements": "str", "default": []},
            "version": {"type": "str"},
            "max_payload": {"type": "str"},
        },
    },
    "nats_stop": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "peers": {"type": "dict", "required": True},
            "max_silence": {"type": "float", "default": MAX_SILENCE},
            "max_lag": {"type": "int", "default": MAX_LAG},
        },
    },
    "node": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "chain": {"type": "str", "required": True},
            "min_peers": {"type": "int", "required": True},
            "synced": {"type": "bool", "default": False},
        },
    },
    "timeout": {"type": "int", "required": True},
    "interval": {"type": "int", "default": 2},
}


class Question(TypedDict, total=False):
    """What is asked of a component on a host; the documentation of ``component_health`` explains each."""

    component: str
    name: str | None
    programs: Sequence[Mapping[str, Any]]
    started: Sequence[Started]
    nats: Mapping[str, Any] | None
    nats_stop: Mapping[str, Any] | None
    node: Mapping[str, Any] | None
    at_work: bool
    nats_servers: Sequence[str]


class Looked(TypedDict):
    """What was seen at the last look."""

    healthy: bool
    problems: list[str]
    waited_s: int
    evidence: dict[str, Any]
    expected: Sequence[Mapping[str, Any]]


class Readers(NamedTuple):
    """What reads the host.

    Supervised programs by the name of their file, a NATS server, a node, and how programs ended that were started.
    """

    programs: Callable[[str], Sequence[Mapping[str, Any]]]
    nats: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    node: Callable[[str], Mapping[str, Any]]
    ends: Callable[[Sequence[Started]], str] = lambda _started: ""


# PID to the UUIDs of the GPUs that it uses; None where nobody tells.
GpuUsers = Callable[[], Optional[Mapping[int, Sequence[str]]]]


def own_readers(gpu_users: GpuUsers | None = None) -> Readers:
    """Return what reads this host; *gpu_users* tells which processes use which GPUs, by default nvidia-smi does."""
    users = gpu_users or functools.partial(gpu_processes, GPU_PATIENCE_S)
    return Readers(
        lambda name: gather(CONFIG, name, None, users()),
        _nats,
        functools.partial(ask_node, timeout=ANSWER_S),
        _ends,
    )


def _ends(started: Sequence[Started]) -> str:
    try:
        return ended(CONFIG, started)
    except (ConfError, SupervisorError):
        # The look itself says what is wrong with supervisord.
        return ""


def _nats(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    # The leader of a group is asked where the inventory says, not where a route comes from.
    urls = {name: url_at(asked["url"], address) for name, address in asked["peers"].items()}
    thresholds = Thresholds(asked.get("max_silence", MAX_SILENCE), asked.get("max_lag", MAX_LAG))
    return ask_server(asked["url"], sorted(asked["peers"]), urls, ANSWER_S, thresholds)


def look(question: Question, readers: Readers | None = None) -> Looked:
    """Return what the host shows now, by source, and what is wrong with it. What cannot be read is wrong."""
    ask = readers or own_readers()
    wanted = question.get("programs") or []
    found: list[tuple[str, Callable[[], Any], Callable[[Any], list[str]]]] = []
    name = question.get("name") or ""
    if wanted or (name and question.get("at_work")):
        found.append(
            ("programs", functools.partial(ask.programs, name), functools.partial(_program_problems, question, wanted))
        )
    nats, nats_stop, node = question.get("nats"), question.get("nats_stop"), question.get("node")
    if nats:
        size = nats.get("max_payload")
        expected = dict(nats, max_payload=parse_size(size) if size else None)
        found.append(("nats", functools.partial(ask.nats, nats), functools.partial(_health.nats_problems, expected)))
    if nats_stop:
        found.append(("nats", functools.partial(ask.nats, nats_stop), _health.nats_stop_problems))
    if node:
        found.append(("node", functools.partial(ask.node, node["url"]), functools.partial(_health.node_problems, node)))
    evidence: dict[str, Any] = {}
    problems: list[str] = []
    for source, read, judge in found:
        try:
            evidence[source] = read()
            problems += judge(evidence[source])
        except Exception as error:  # a look that breaks is a problem of the host, and hides no other
            problems.append(str(error) or type(error).__name__)
    return {
        "healthy": not problems,
        "problems": problems,
        "waited_s": 0,
        "evidence": evidence,
        "expected": wanted,
    }


def wait(
    question: Question,
    timeout: float,
    interval: float,
    readers: Readers | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Looked:
    """Look until nothing is wrong or the time is over, and return the last look.

    The first looks follow each other quickly, since most components are soon healthy; *interval* is the longest pause.
    A program that was just started and has ended is not waited for.
    """
    began = clock()
    ask = readers or own_readers()
    started = question.get("started") or []
    while True:
        looked = look(question, ask)
        waited = clock() - began
        looked["waited_s"] = round(waited)
        if looked["healthy"]:
            return looked
        end = ask.ends(started) if started else ""
        looked["problems"] = [end] if end else looked["problems"]
        if end or waited >= timeout:
            return looked
        sleep(min(max(FIRST_PAUSE_S, SHARE * waited), interval, timeout - waited))


def _program_problems(
    question: Question, wanted: Sequence[Mapping[str, Any]], programs: Sequence[Mapping[str, Any]]
) -> list[str]:
    if question.get("at_work"):
        servers = endpoints(question.get("nats_servers") or []) or [
            end for expected in wanted for end in expected.get("connected_any", [])
        ]
        return _health.at_work_problems(servers, programs)
    begun = {program["name"]: program["pid"] for program in question.get("started") or []}
    seen = {program["name"]: _as_started(program, begun) for program in programs}
    return [
        problem for expected in wanted for problem in _health.program_problems(expected, seen.get(expected["name"]))
    ]


def _as_started(program: Mapping[str, Any], begun: Mapping[str, int]) -> Mapping[str, Any]:
    """Return what a program shows; one that was just started runs, though supervisord does not call it RUNNING yet."""
    if program["state"] == "STARTING" and program["pid"] == begun.get(program["name"]):
        return dict(program, state="RUNNING")
    return program
