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
    "nats_stop": {"type": "dict", "options": {"url": {"type": "str", "required": True}, "peers": {"type": "dict", "required": True}}},
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
        result.update(changed=False, healthy=not problems, problems=problems, waited_s=round(waited), evidence=evidence, expected=args["programs"])
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
        for part, key, judge in (
            ("nats", "nats", lambda nats: _health.nats_problems(dict(args["nats"], max_payload=parse_size(args["nats"]["max_payload"])), nats)),
            ("nats_stop", "nats", _health.nats_stop_problems),
            ("node", "node", lambda node: _health.node_problems(args["node"], node)),
        ):
            if args[part]:
                module_args = {"url": args[part]["url"]}
                if key == "nats":
                    module_args["peers"] = sorted(args[part]["peers"])
                answer = self._ask(key + "_info", module_args, task_vars)
                evidence[key] = answer.get(key)
                problems += [answer["msg"]] if answer.get("failed") else judge(answer[key])
        return evidence, problems

    def _ask(self, module, module_args, task_vars):
        return self._execute_module(module_name="autonomys.cluster." + module, module_args=module_args, task_vars=task_vars)
