# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for a job on a host and show how far it is; modules do what is done there, one short look per execution."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.autonomys.cluster.plugins.module_utils._job import words
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

MODULE = "autonomys.cluster.systemd_job"
INFO = "autonomys.cluster.systemd_job_info"
# Seconds for which a host may be out of reach while its job goes on.
PATIENCE = 600
SHOWN_LINES = 3
KEPT_LINES = 10
# Characters of output that are looked through for the last lines.
KEPT_OUTPUT = 65536
# Between two rates: one look is too short for a steady figure.
RATE_SECONDS = 60


class ActionModule(ActionBase):
    """Start a job or attach to it, and wait until it ends."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module, then look until the job has ended."""
        result = super().run(tmp, task_vars)
        self._task_vars = task_vars or {}
        self._args = dict(self._task.args)
        self._host = self._task_vars["inventory_hostname"]
        self._name = self._args.get("name")
        if self._args.get("state", "finished") != "finished":
            return dict(result, **self._module(MODULE, **self._args))
        self._interval = int(self._args.get("interval", 10))
        self._expected = int(self._args.get("expected_bytes") or 0)
        answer = self._module(MODULE, **self._args)
        if answer.get("failed"):
            return dict(result, **answer)
        job = answer["job"]
        if self._task.check_mode:
            self._say(f"would run: {' '.join(job['command'])}" if answer["changed"] else self._found(job))
            return dict(result, **answer)
        if job.get("dropped"):
            self._say(f"an earlier run, which nobody watched to its end, {job['dropped']}")
        self._say(f"started: {' '.join(job['command'])}" if job["started"] else self._found(job))
        return dict(result, **self._wait(job))

    def _wait(self, job: dict[str, Any]) -> dict[str, Any]:
        """Look until the job has ended; return the result of the task."""
        started, output, byte, pause, marks = job["started"], Output(self._folder()), 0, 1, []
        while True:
            if job["state"] == "running":
                time.sleep(min(pause, self._interval))
                pause *= 2
            answer = self._look(byte)
            job, fresh, byte = answer["job"], answer["output"], answer["output_next"]
            output.add(fresh)
            # A log that outgrew one look is read on before anything is judged.
            while answer["output"] and job["state"] != "running" and not output.full:
                answer = self._look(byte)
                byte = answer["output_next"]
                fresh = (fresh + answer["output"])[-KEPT_OUTPUT:]
                output.add(answer["output"])
            self._show(job, fresh, marks)
            if job["state"] != "running":
                break
        last_lines = words.last_lines(output.tail, KEPT_LINES)
        job = dict(job, started=started, command=self._args["command"], log=self._args["log"], last_lines=last_lines)
        self._say(words.outcome(job))
        result = {"changed": started, "job": job}
        if self._args.get("results") and job["state"] != "absent":
            result.update(self._keep(job, output))
        self._module(MODULE, name=self._name, state="absent")
        if job["state"] != "succeeded":
            result.update(failed=True, msg=self._failure(job))
        return result

    def _look(self, start: int) -> dict[str, Any]:
        """Look once, also when the connection breaks for a while: the job goes on without it."""
        deadline = time.monotonic() + PATIENCE
        args = {"name": self._name, "watch": self._args.get("watch"), "log": self._args["log"], "output_from": start}
        while True:
            try:
                answer = self._module(INFO, **{name: value for name, value in args.items() if value is not None})
            except AnsibleConnectionFailure as error:
                if time.monotonic() > deadline:
                    raise
                self._say(f"the host cannot be reached, its job goes on: {error}")
                time.sleep(self._interval)
                continue
            if answer.get("failed"):
                raise AnsibleActionFail(printable(answer["msg"], lines=True))
            return answer

    def _show(self, job: dict[str, Any], fresh: str, marks: list[tuple[float, int]]) -> None:
        """Say how far the job is and what it wrote since the last look."""
        if job["state"] == "absent":
            return
        wall_s = job["wall_s"] or 0.0
        while len(marks) > 1 and wall_s - marks[1][0] >= RATE_SECONDS:
            marks.pop(0)
        progress = words.progress(wall_s, marks[0] if marks else None, job["watched_bytes"], self._expected)
        if job["watched_bytes"] is not None:
            marks.append((wall_s, job["watched_bytes"]))
        self._say("\n".join([progress, *(f"    {line}" for line in words.last_lines(fresh, SHOWN_LINES))]))

    def _folder(self) -> str | None:
        """Return the folder for the runs of this job, None when they are not kept."""
        results = self._args.get("results")
        return os.path.join(results, self._name) if results else None

    def _keep(self, job: dict[str, Any], output: Output) -> dict[str, Any]:
        """Keep output and result of the run on the control node, and compare it with the last one."""
        names = ("command", "started_at", "wall_s", "state", "exit_status", "signal", "result", "last_lines")
        kept = {**{name: job[name] for name in names}, "name": self._name, "host": self._host}
        folder = self._folder()
        try:
            last = read_last(folder)
            own = os.path.join(folder, f"{job['started_at'].replace(':', '')}-{self._host}")
            os.makedirs(own, exist_ok=True)
            output.save(os.path.join(own, "output.log"))
            with open(os.path.join(own, "run.json"), "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2, ensure_ascii=False)
                file.write("\n")
        except (OSError, ValueError) as error:
            # The result on the host is not forgotten: the same command again takes it.
            raise AnsibleActionFail(f"the result of {self._name} cannot be kept in {folder}: {error}") from error
        lines = [*words.comparison(kept, last), f"Kept in {own}/."]
        self._say("\n    ".join(lines))
        return {"kept": own, "comparison": lines}

    def _failure(self, job: dict[str, Any]) -> str:
        """Return what to say of a job that did not succeed."""
        lines = "".join(f"\n    {line}" for line in job["last_lines"][-5:])
        wrote = (
            f"Its last output:{lines}\nAll of it is in {job['log']} on {self._host}."
            if lines
            else f"It wrote nothing to {job['log']}."
        )
        remedy = self._args.get("remedy")
        return printable(f"{self._name} {words.outcome(job)}. {wrote}{f' {remedy}' if remedy else ''}", lines=True)

    def _found(self, job: dict[str, Any]) -> str:
        """Return what a job was doing that this task did not start."""
        if job["state"] == "running":
            return f"runs already, since {job['started_at']}; attached to it"
        return f"has run already while nobody watched, since {job['started_at']}; this is its result"

    def _say(self, text: str) -> None:
        Display().display(printable(f"{self._host}: {self._name}: {text}", lines=True))

    def _module(self, module: str, **args: Any) -> dict[str, Any]:
        return self._execute_module(module_name=module, module_args=args, task_vars=self._task_vars)


class Output:
    """What a job writes, as it comes: the end of it, and all of it in a file where it is kept."""

    def __init__(self, folder: str | None) -> None:
        self.tail = ""
        self.full = False
        self._all: list[str] | None = [] if folder else None

    def add(self, text: str) -> None:
        """Add what came."""
        self.tail = (self.tail + text)[-KEPT_OUTPUT:]
        if self._all is not None:
            self._all.append(text)

    def save(self, path: str) -> None:
        """Write all of it into a file."""
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(self._all or [])


def read_last(folder: str) -> dict[str, Any] | None:
    """Return the last run kept in a folder, None when there is none."""
    os.makedirs(folder, exist_ok=True)
    for name in sorted(os.listdir(folder), reverse=True):
        path = os.path.join(folder, name, "run.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
    return None
