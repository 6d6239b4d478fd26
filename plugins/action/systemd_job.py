# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for a job on a host and show how far it is; the module does what is done there, one short look an execution."""

from __future__ import annotations

import json
import os
import time

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils import _job

MODULE = "autonomys.cluster.systemd_job"
# Seconds for which a host may be out of reach while its job goes on.
PATIENCE = 600
SHOWN_LINES = 3
KEPT_LINES = 10
# Between two rates: one look is too short for a steady figure.
RATE_SECONDS = 60


class ActionModule(ActionBase):
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self._task_vars = task_vars
        self._args = dict(self._task.args)
        self._host = task_vars["inventory_hostname"]
        if self._args.get("state", "finished") != "finished":
            return dict(result, **self._module(**self._args))
        self._name, self._interval = self._args.get("name"), int(self._args.get("interval", 10))
        self._expected = int(self._args.get("expected_bytes") or 0)
        answer = self._module(**self._args)
        if answer.get("failed"):
            return dict(result, **answer)
        if self._task.check_mode:
            self._say(
                f"would run: {' '.join(answer['job']['command'])}" if answer["changed"] else self._found(answer["job"])
            )
            return dict(result, **answer)
        if answer["job"].get("dropped"):
            self._say(f"an earlier run, which nobody watched to its end, {answer['job']['dropped']}")
        self._say(
            f"started: {' '.join(answer['job']['command'])}" if answer["job"]["started"] else self._found(answer["job"])
        )
        return dict(result, **self._wait(answer))

    def _wait(self, answer):
        """Look until the job ended; the result of the task."""
        started, looks, pause, output, marks = answer["job"]["started"], 0, 1, "", []
        while True:
            job, fresh = answer["job"], answer["output"]
            # A log that outgrew one answer is read on before anything is judged.
            while answer["output"] and job["state"] != "running":
                answer = self._look(answer["output_next"])
                fresh += answer["output"]
            output = output + fresh if self._args.get("results") else (output + fresh)[-65536:]
            if fresh or looks:
                self._show(job, fresh, marks)
            if job["state"] != "running":
                break
            looks += 1
            time.sleep(min(pause, self._interval))
            pause *= 2
            answer = self._look(answer["output_next"])
        job = dict(job, started=started, command=self._args["command"], last_lines=_job.last_lines(output, KEPT_LINES))
        self._say(_job.outcome(job))
        result = {"changed": started, "job": job}
        if self._args.get("results") and job["state"] != "absent":
            result.update(self._keep(job, output))
        self._module(name=self._name, state="absent")
        if job["state"] != "succeeded":
            result.update(failed=True, msg=self._failure(job))
        return result

    def _look(self, start):
        """One look, also when the connection breaks for a while: the job goes on without it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._module(**dict(self._args, state="queried", output_from=start))
            except AnsibleConnectionFailure as error:
                if time.monotonic() > deadline:
                    raise
                self._say(f"the host cannot be reached, its job goes on: {error}")
                time.sleep(self._interval)
                continue
            if answer.get("failed"):
                raise AnsibleActionFail(answer["msg"])
            return answer

    def _show(self, job, fresh, marks):
        """How far the job is and what it wrote since the last look."""
        if job["state"] == "absent":
            return
        while len(marks) > 1 and job["wall_s"] - marks[1][0] >= RATE_SECONDS:
            marks.pop(0)
        words = _job.progress(job["wall_s"], marks[0] if marks else None, job["watched_bytes"], self._expected)
        if job["watched_bytes"] is not None:
            marks.append((job["wall_s"], job["watched_bytes"]))
        self._say("\n".join([words] + ["    " + line for line in _job.last_lines(fresh, SHOWN_LINES)]))

    def _keep(self, job, output):
        """Keep output and result of the run on the control node, and compare it with the last one."""
        kept = {
            key: job[key]
            for key in ("command", "started_at", "wall_s", "state", "exit_status", "signal", "result", "last_lines")
        }
        kept.update(name=self._name, host=self._host)
        folder = os.path.join(self._args["results"], self._name)
        try:
            os.makedirs(folder, exist_ok=True)
            last = read_last(folder)
            own = os.path.join(folder, f"{job['started_at'].replace(':', '')}-{self._host}")
            os.makedirs(own, exist_ok=True)
            with open(os.path.join(own, "output.log"), "w", encoding="utf-8") as file:
                file.write(output)
            with open(os.path.join(own, "run.json"), "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2, ensure_ascii=False)
                file.write("\n")
        except (OSError, ValueError) as error:
            # The result on the host is not forgotten: the same command again takes it.
            raise AnsibleActionFail(f"the result of {self._name} cannot be kept in {folder}: {error}") from error
        lines = _job.comparison(kept, last) + [f"Kept in {own}/."]
        self._say("\n    ".join(lines))
        return {"kept": own, "comparison": lines}

    def _failure(self, job):
        lines = "".join("\n    " + line for line in job["last_lines"][-5:])
        words = f"{self._name} {_job.outcome(job)}."
        words += (
            f" Its last output:{lines}\nAll of it is in {job['log']} on {self._host}."
            if lines
            else f" It wrote nothing to {job['log']}."
        )
        return words + (" " + self._args["remedy"] if self._args.get("remedy") else "")

    def _found(self, job):
        """What a job was doing that this task did not start."""
        if job["state"] == "running":
            return f"runs already, since {job['started_at']}; attached to it"
        return f"has run already while nobody watched, since {job['started_at']}; this is its result"

    def _say(self, words):
        Display().display(f"{self._host}: {self._name}: {words}")

    def _module(self, **args):
        return self._execute_module(module_name=MODULE, module_args=args, task_vars=self._task_vars)


def read_last(folder):
    """The last run kept in a folder, None when there is none."""
    for name in sorted(os.listdir(folder), reverse=True):
        path = os.path.join(folder, name, "run.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
    return None
