# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Look at a component on a host: ask its applications through modules, judge, and wait until nothing is wrong."""

from __future__ import annotations

import time
from typing import Any, Callable, TypedDict

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils import _health
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import endpoints
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import url_at
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import parse_size
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.quorum import MAX_LAG, MAX_SILENCE

from ._cluster.model import Model

# Seconds for which a host that was just restarted may be out of reach, before that ends the run.
RECONNECT = 60

# What healthy means, as options of the actions that look.
EXPECTED = {
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
    programs: list[dict[str, Any]]
    nats: dict[str, Any] | None
    nats_stop: dict[str, Any] | None
    node: dict[str, Any] | None
    at_work: bool
    nats_servers: list[str]
    report_only: bool


class Looked(TypedDict):
    """What was seen at the last look."""

    healthy: bool
    problems: list[str]
    waited_s: int
    evidence: dict[str, Any]
    expected: list[dict[str, Any]]


def serving_question(model: Model, component: str, host: str) -> Question:
    """Return what to ask a host to learn whether its part of a component is at work, whatever its definition."""
    asked = COMPONENTS[component].question(model["hosts"][host]["settings"])
    question: Question = {"component": component, "at_work": True}
    for source in ("nats", "node"):
        if source in asked:
            question[source] = asked[source]
    if "name" in asked:
        question["name"], question["nats_servers"] = asked["name"], asked["nats_servers"]
    return question


class Looker:
    """Asks the host of an action's task."""

    def __init__(self, action: ActionBase, task_vars: dict[str, Any]) -> None:
        self._action = action
        self._task_vars = task_vars
        self.check_mode = bool(action._task.check_mode)

    def ask(self, module: str, module_args: dict[str, Any]) -> dict[str, Any]:
        """Run a module on the host and return its answer; a name without dots is one of this collection."""
        name = module if "." in module else f"autonomys.cluster.{module}"
        answer: dict[str, Any] = self._action._execute_module(
            module_name=name, module_args=module_args, task_vars=self._task_vars
        )
        return answer

    def wait(self, question: Question, timeout: int, interval: int, patience: int = 0) -> Looked:
        """Look until nothing is wrong or the time is over; *patience* is for a host that does not answer SSH."""
        once = self.check_mode or question.get("report_only", False)
        started = time.monotonic()
        while True:
            try:
                evidence, problems = self.look(question)
            except AnsibleConnectionFailure:
                if time.monotonic() - started > patience:
                    raise
                self._action._connection.reset()
                evidence, problems = {}, ["the host cannot be reached"]
            waited = time.monotonic() - started
            if not problems or once or waited + interval > timeout:
                break
            time.sleep(interval)
        return {
            "healthy": not problems,
            "problems": problems,
            "waited_s": round(waited),
            "evidence": evidence,
            "expected": question.get("programs") or [],
        }

    def look(self, question: Question) -> tuple[dict[str, Any], list[str]]:
        """Return what the host shows now, by source, and what is wrong with it."""
        evidence: dict[str, Any] = {}
        problems: list[str] = []
        wanted = question.get("programs") or []
        judged_anyway = question.get("at_work") or question.get("report_only")
        if wanted or (question.get("name") and judged_anyway):
            answer = self.ask("supervisor_program_info", {"name": question["name"]})
            if answer.get("failed"):
                problems.append(answer["msg"])
            else:
                evidence["programs"] = answer["programs"]
                problems += _program_problems(question, wanted, answer["programs"])
        for source, module_args, judge in _sources(question):
            answer = self.ask(f"{source}_info", module_args)
            evidence[source] = answer.get(source)
            problems += [answer["msg"]] if answer.get("failed") else judge(answer[source])
        return evidence, problems


def _program_problems(question: Question, wanted: list[dict[str, Any]], programs: list[dict[str, Any]]) -> list[str]:
    if question.get("at_work"):
        servers = endpoints(question.get("nats_servers") or []) or [
            end for expected in wanted for end in expected.get("connected_any", [])
        ]
        return _health.at_work_problems(servers, programs)
    seen = {program["name"]: program for program in programs}
    return [
        problem for expected in wanted for problem in _health.program_problems(expected, seen.get(expected["name"]))
    ]


Source = tuple[str, dict[str, Any], Callable[[Any], "list[str]"]]


def _sources(question: Question) -> list[Source]:
    """Return what else is asked: the name of the answer, the arguments of its module, and what judges it."""
    found: list[Source] = []
    nats, nats_stop, node = question.get("nats"), question.get("nats_stop"), question.get("node")
    if nats:
        size = nats.get("max_payload")
        expected = dict(nats, max_payload=parse_size(size) if size else None)
        found.append(("nats", _nats_args(nats), lambda answer: _health.nats_problems(expected, answer)))
    if nats_stop:
        limits = {name: nats_stop[name] for name in ("max_silence", "max_lag")}
        found.append(("nats", dict(_nats_args(nats_stop), **limits), _health.nats_stop_problems))
    if node:
        found.append(("node", {"url": node["url"]}, lambda answer: _health.node_problems(node, answer)))
    return found


def _nats_args(asked: dict[str, Any]) -> dict[str, Any]:
    # The leader of a group is asked where the inventory says, not where a route comes from.
    urls = {name: url_at(asked["url"], address) for name, address in asked["peers"].items()}
    return {"url": asked["url"], "peers": sorted(asked["peers"]), "peer_urls": urls}
