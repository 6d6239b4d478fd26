# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Look at a component on a host by an action: one execution on the host for each wait, also where SSH breaks."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._looking import Looked, Question

from ._cluster.model import Model

# Seconds for which a host that was just restarted may be out of reach, before that ends the run.
RECONNECT = 60
# An attempt to connect is over sooner than this: one that broke later was connected.
CONNECT_S = 20


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
        """Let the host look until nothing is wrong or the time is over.

        *patience* is how long it may be out of reach: right after a restart, or when the connection breaks meanwhile.
        """
        asked = {name: value for name, value in question.items() if value is not None}
        started = reached = time.monotonic()
        while True:
            begun = time.monotonic()
            left = max(0, round(started + timeout - begun))
            try:
                answer = self.ask("component_health", {**asked, "timeout": left, "interval": interval})
                break
            except AnsibleConnectionFailure:
                lost = time.monotonic()
                reached = lost if lost - begun > CONNECT_S else reached
                if lost - reached >= patience or lost - started >= timeout + patience:
                    raise
                self._action._connection.reset()
                time.sleep(interval)
        waited = round(begun - started) + int(answer.get("waited_s", 0))
        return {
            "healthy": bool(answer.get("healthy", False)),
            "problems": answer["problems"] if "problems" in answer else [answer["msg"]],
            "waited_s": waited,
            "evidence": answer.get("evidence", {}),
            "expected": question.get("programs") or [],
        }
