# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils import _health
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import endpoints
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import MAX_LAG, MAX_SILENCE, parse_size

ARGUMENTS = {
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
    "at_work": {"type": "bool", "default": False},
    "nats_servers": {"type": "list", "elements": "str", "default": []},
    "report_only": {"type": "bool", "default": False},
    "timeout": {"type": "int", "required": True},
    "interval": {"type": "int", "default": 2},
}

# Seconds for which a host that was just restarted may be out of reach, before that ends the run.
RECONNECT = 60


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        result.update(self._wait(args, task_vars))
        if result["problems"] and not args["report_only"]:
            result.update(
                failed=True,
                msg=f"{args['component']} is not healthy after {result['waited_s']} s: {'; '.join(result['problems'])}",
            )
        return result

    def _wait(self, args, task_vars, patience=0):
        """Look until nothing is wrong or the time is over; *patience* is for a host that does not answer SSH."""
        once = self._task.check_mode or args["report_only"]
        started = time.monotonic()
        while True:
            try:
                evidence, problems = self._look(args, task_vars)
            except AnsibleConnectionFailure:
                if time.monotonic() - started > patience:
                    raise
                self._connection.reset()
                evidence, problems = {}, ["the host cannot be reached"]
            waited = time.monotonic() - started
            if not problems or once or waited + args["interval"] > args["timeout"]:
                break
            time.sleep(args["interval"])
        return {
            "changed": False,
            "healthy": not problems,
            "problems": problems,
            "waited_s": round(waited),
            "evidence": evidence,
            "expected": args["programs"],
        }

    def _look(self, args, task_vars):
        evidence, problems = {}, []
        if args["programs"] or args["name"] and (args["at_work"] or args["report_only"]):
            answer = self._ask("supervisor_program_info", {"name": args["name"]}, task_vars)
            if answer.get("failed"):
                problems.append(answer["msg"])
            else:
                evidence["programs"] = answer["programs"]
                problems += self._judge_programs(args, answer["programs"])
        for part, key, judge in (
            ("nats", "nats", lambda nats: _health.nats_problems(_nats_expected(args["nats"]), nats)),
            ("nats_stop", "nats", _health.nats_stop_problems),
            ("node", "node", lambda node: _health.node_problems(args["node"], node)),
        ):
            if args[part]:
                module_args = {"url": args[part]["url"]}
                if key == "nats":
                    module_args["peers"] = sorted(args[part]["peers"])
                if part == "nats_stop":
                    module_args.update(max_silence=args[part]["max_silence"], max_lag=args[part]["max_lag"])
                answer = self._ask(key + "_info", module_args, task_vars)
                evidence[key] = answer.get(key)
                problems += [answer["msg"]] if answer.get("failed") else judge(answer[key])
        return evidence, problems

    @staticmethod
    def _judge_programs(args, programs):
        if args["at_work"]:
            servers = endpoints(args["nats_servers"]) or [
                end for expected in args["programs"] for end in expected.get("connected_any", [])
            ]
            return _health.at_work_problems(servers, programs)
        seen = {program["name"]: program for program in programs}
        return [
            problem
            for expected in args["programs"]
            for problem in _health.program_problems(expected, seen.get(expected["name"]))
        ]

    def _ask(self, module, module_args, task_vars):
        return self._execute_module(
            module_name="autonomys.cluster." + module, module_args=module_args, task_vars=task_vars
        )


def _nats_expected(args):
    return dict(args, max_payload=parse_size(args["max_payload"]) if args.get("max_payload") else None)
