# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase

from ansible_collections.autonomys.cluster.plugins.module_utils import _health
from ansible_collections.autonomys.cluster.plugins.module_utils._nats import parse_size

ARGUMENTS = {
    "component": {"type": "str", "required": True},
    "name": {"type": "str"},
    "programs": {"type": "list", "elements": "dict", "default": []},
    "nats": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "peers": {"type": "dict", "required": True},
            "version": {"type": "str", "required": True},
            "max_payload": {"type": "str", "required": True},
        },
    },
    "node": {
        "type": "dict",
        "options": {"url": {"type": "str", "required": True}, "chain": {"type": "str", "required": True}, "min_peers": {"type": "int", "required": True}},
    },
    "timeout": {"type": "int", "required": True},
    "interval": {"type": "int", "default": 2},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        started = time.monotonic()
        while True:
            evidence, problems = self._look(args, task_vars)
            waited = time.monotonic() - started
            if not problems or self._task.check_mode or waited + args["interval"] > args["timeout"]:
                break
            time.sleep(args["interval"])
        result.update(changed=False, healthy=not problems, problems=problems, waited_s=round(waited), evidence=evidence)
        if problems:
            result.update(failed=True, msg=f"{args['component']} is not healthy after {round(waited)} s: {'; '.join(problems)}")
        return result

    def _look(self, args, task_vars):
        evidence, problems = {}, []
        if args["programs"]:
            answer = self._ask("supervisor_program_info", {"name": args["name"]}, task_vars)
            if answer.get("failed"):
                problems.append(answer["msg"])
            else:
                evidence["programs"] = answer["programs"]
                programs = {program["name"]: program for program in answer["programs"]}
                for expected in args["programs"]:
                    problems += _health.program_problems(expected, programs.get(expected["name"]))
        if args["nats"]:
            wanted = dict(args["nats"], max_payload=parse_size(args["nats"]["max_payload"]))
            answer = self._ask("nats_info", {"url": wanted["url"], "peers": sorted(wanted["peers"])}, task_vars)
            evidence["nats"] = answer.get("nats")
            problems += [answer["msg"]] if answer.get("failed") else _health.nats_problems(wanted, answer["nats"])
        if args["node"]:
            answer = self._ask("node_info", {"url": args["node"]["url"]}, task_vars)
            evidence["node"] = answer.get("node")
            problems += [answer["msg"]] if answer.get("failed") else _health.node_problems(args["node"], answer["node"])
        return evidence, problems

    def _ask(self, module, module_args, task_vars):
        return self._execute_module(module_name="autonomys.cluster." + module, module_args=module_args, task_vars=task_vars)
