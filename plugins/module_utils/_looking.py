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
from ._supervisor.evidence import gather

# Seconds for nvidia-smi, as a driver can hang, and for each question to an application.
GPU_PATIENCE_S = 30
ANSWER_S = 5


class Question(TypedDict, total=False):
    """What is asked of a component on a host; the documentation of ``component_health`` explains each."""

    component: str
    name: str | None
    programs: Sequence[Mapping[str, Any]]
    nats: Mapping[str, Any] | None
    nats_stop: Mapping[str, Any] | None
    node: Mapping[str, Any] | None
    at_work: bool
    nats_servers: Sequence[str]
    report_only: bool


class Looked(TypedDict):
    """What was seen at the last look."""

    healthy: bool
    problems: list[str]
    waited_s: int
    evidence: dict[str, Any]
    expected: Sequence[Mapping[str, Any]]


class Readers(NamedTuple):
    """What reads the host: supervised programs by the name of their file, a NATS server, and a node."""

    programs: Callable[[str], Sequence[Mapping[str, Any]]]
    nats: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    node: Callable[[str], Mapping[str, Any]]


# PID to the UUIDs of the GPUs that it uses; None where nobody tells.
GpuUsers = Callable[[], Optional[Mapping[int, Sequence[str]]]]


def own_readers(gpu_users: GpuUsers | None = None) -> Readers:
    """Return what reads this host; *gpu_users* tells which processes use which GPUs, by default nvidia-smi does."""
    users = gpu_users or functools.partial(gpu_processes, GPU_PATIENCE_S)
    return Readers(
        lambda name: gather(CONFIG, name, None, users()), _nats, functools.partial(ask_node, timeout=ANSWER_S)
    )


def _nats(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    # The leader of a group is asked where the inventory says, not where a route comes from.
    urls = {name: url_at(asked["url"], address) for name, address in asked["peers"].items()}
    thresholds = Thresholds(asked.get("max_silence", MAX_SILENCE), asked.get("max_lag", MAX_LAG))
    return ask_server(asked["url"], sorted(asked["peers"]), urls, ANSWER_S, thresholds)


def look(question: Question, readers: Readers | None = None) -> Looked:
    """Return what the host shows now, by source, and what is wrong with it. What cannot be read is wrong."""
    ask = readers or own_readers()
    wanted = question.get("programs") or []
    judged_anyway = question.get("at_work") or question.get("report_only")
    found: list[tuple[str, Callable[[], Any], Callable[[Any], list[str]]]] = []
    name = question.get("name")
    if name and (wanted or judged_anyway):
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
    """Look until nothing is wrong or the time is over, and return the last look."""
    started = clock()
    while True:
        looked = look(question, readers)
        waited = clock() - started
        looked["waited_s"] = round(waited)
        if looked["healthy"] or waited + interval > timeout:
            return looked
        sleep(interval)


def _program_problems(
    question: Question, wanted: Sequence[Mapping[str, Any]], programs: Sequence[Mapping[str, Any]]
) -> list[str]:
    if question.get("at_work"):
        servers = endpoints(question.get("nats_servers") or []) or [
            end for expected in wanted for end in expected.get("connected_any", [])
        ]
        return _health.at_work_problems(servers, programs)
    seen = {program["name"]: program for program in programs}
    return [
        problem for expected in wanted for problem in _health.program_problems(expected, seen.get(expected["name"]))
    ]
