# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for a job on a host and show how far it is; modules do what is done there, one short look per execution."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from typing import IO, Any

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
# Characters of output that are kept of one run at most: how much there is is the host's to say.
MAX_OUTPUT = 256 * 1024 * 1024
# Looks after the end of a job, each of which gives a MiB of its output where there is more.
MAX_LOOKS = 300
STATES = ("absent", "running", "succeeded", "failed")
# Between two rates: one look is too short for a steady figure.
RATE_SECONDS = 60


class Job(words.Run, total=False):
    """A job as the modules tell of it."""

    started: bool
    dropped: str | None
    log: str
    watched_bytes: int | None


class ActionModule(ActionBase):
    """Start a job or attach to it, and wait until it ends."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module, then look until the job has ended."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._task_vars = task_vars or {}
        self._args = dict(self._task.args)
        self._host = self._task_vars["inventory_hostname"]
        self._name = str(self._args.get("name"))
        if self._args.get("state", "finished") != "finished":
            return dict(result, **self._module(MODULE, **self._args))
        self._parent = os.getppid()
        self._interval = int(self._args.get("interval", 10))
        self._expected = int(self._args.get("expected_bytes") or 0)
        answer = self._module(MODULE, **self._args)
        if answer.get("failed"):
            return dict(result, **answer)
        job: Job = answer["job"]
        if self._task.check_mode:
            self._say(f"would run: {' '.join(job['command'])}" if answer["changed"] else self._found(job))
            return dict(result, **answer)
        if job.get("dropped"):
            self._say(f"an earlier run, which nobody watched to its end, {job['dropped']}")
        self._say(f"started: {' '.join(job['command'])}" if job["started"] else self._found(job))
        return dict(result, **self._wait(job))

    def _wait(self, job: Job) -> dict[str, Any]:
        """Look until the job has ended; return the result of the task."""
        with Output(self._name, self._folder()) as output:
            return self._watch(job, output)

    def _watch(self, job: Job, output: Output) -> dict[str, Any]:
        started, byte, pause = job["started"], 0, 1
        marks: list[tuple[float, int]] = []
        while True:
            if job["state"] == "running":
                time.sleep(min(pause, self._interval))
                pause *= 2
            answer = self._look(byte)
            job, fresh, byte = answer["job"], answer["output"], answer["output_next"]
            output.add(fresh)
            # A log that outgrew one look is read on before anything is judged.
            looks = 0
            while answer["output"] and job["state"] != "running" and not output.full and looks < MAX_LOOKS:
                looks += 1
                answer = self._look(byte)
                byte = answer["output_next"]
                fresh = (fresh + answer["output"])[-KEPT_OUTPUT:]
                output.add(answer["output"])
            self._show(job, fresh, marks)
            if job["state"] != "running":
                break
        self._stop_if_alone()
        last_lines = words.last_lines(output.tail, KEPT_LINES)
        job = {**job, "started": started, "last_lines": last_lines}
        job["command"], job["log"] = self._args["command"], self._args["log"]
        self._say(words.outcome(job))
        result: dict[str, Any] = {"changed": started, "job": job}
        folder = self._folder()
        if folder and job["state"] != "absent":
            result.update(self._keep(job, output, folder))
        self._module(MODULE, name=self._name, state="absent")
        if job["state"] != "succeeded":
            result.update(failed=True, msg=self._failure(job))
        return result

    def _stop_if_alone(self) -> None:
        """End when the run that this belongs to was killed: the job's result is for the next one, which attaches."""
        if os.getppid() != self._parent:
            raise AnsibleActionFail(f"the run that waited for {self._name} has ended; its job goes on")

    def _look(self, start: int) -> dict[str, Any]:
        """Look once, also when the connection breaks for a while: the job goes on without it."""
        self._stop_if_alone()
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
            if not is_answer(answer):
                raise AnsibleActionFail(f"{self._host} answered something that tells nothing of {self._name}")
            return answer

    def _show(self, job: Job, fresh: str, marks: list[tuple[float, int]]) -> None:
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

    def _keep(self, job: Job, output: Output, folder: str) -> dict[str, Any]:
        """Keep output and result of the run on the control node, and compare it with the last one."""
        kept: words.Run = {
            "name": self._name,
            "host": self._host,
            "command": job["command"],
            "started_at": job["started_at"],
            "wall_s": job["wall_s"],
            "state": job["state"],
            "exit_status": job["exit_status"],
            "signal": job["signal"],
            "result": job["result"],
            "last_lines": job["last_lines"],
        }
        try:
            last = read_last(folder)
            own = output.save(f"{output.begun}-{re.sub('[^A-Za-z0-9._-]', '_', self._host)}", kept)
        except (OSError, ValueError) as error:
            # The result on the host is not forgotten: the same command again takes it.
            raise cannot_be_kept(self._name, folder, error) from error
        lines = [*words.comparison(kept, last), f"Kept in {own}/."]
        if output.full:
            lines.append(f"That is not all of its output: the rest is in {job['log']} on {self._host} only.")
        self._say("\n    ".join(lines))
        return {"kept": own, "comparison": lines}

    def _failure(self, job: Job) -> str:
        """Return what to say of a job that did not succeed."""
        lines = "".join(f"\n    {line}" for line in job["last_lines"][-5:])
        wrote = (
            f"Its last output:{lines}\nAll of it is in {job['log']} on {self._host}."
            if lines
            else f"It wrote nothing to {job['log']}."
        )
        remedy = self._args.get("remedy")
        return printable(f"{self._name} {words.outcome(job)}. {wrote}{f' {remedy}' if remedy else ''}", lines=True)

    def _found(self, job: Job) -> str:
        """Return what a job was doing that this task did not start."""
        if job["state"] == "running":
            return f"runs already, since {job['started_at']}; attached to it"
        return f"has run already while nobody watched, since {job['started_at']}; this is its result"

    def _say(self, text: str) -> None:
        Display().display(printable(f"{self._host}: {self._name}: {text}", lines=True))

    def _module(self, module: str, **args: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(module_name=module, module_args=args, task_vars=self._task_vars)
        return answer


class Output:
    """What a job writes, as it comes: the end of it, and the whole in a file where it is kept."""

    def __init__(self, name: str, folder: str | None) -> None:
        # The host's own word for when the job began could be any path.
        self.begun = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
        self.tail, self.full, self._size = "", False, 0
        self._folder = folder
        self._whole: IO[str] | None = None
        if folder:
            try:
                os.makedirs(folder, exist_ok=True)
                self._whole = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise cannot_be_kept(name, folder, error) from error

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._whole:
            self._whole.close()

    def add(self, text: str) -> None:
        """Add what came, as long as there is room."""
        self.tail = (self.tail + text)[-KEPT_OUTPUT:]
        if self._whole and not self.full:
            self._whole.write(text[: MAX_OUTPUT - self._size])
        self._size += len(text)
        self.full = self._size > MAX_OUTPUT

    def save(self, name: str, run: words.Run) -> str:
        """Keep the whole and what is known of the run in a folder of its own; return its path."""
        if self._folder is None or self._whole is None:
            raise ValueError("there is no folder for it")
        own = os.path.join(self._folder, name)
        os.makedirs(own, exist_ok=True)
        self._whole.seek(0)
        with open(os.path.join(own, "output.log"), "w", encoding="utf-8") as file:
            shutil.copyfileobj(self._whole, file)
        with open(os.path.join(own, "run.json"), "w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(run, file, indent=2, ensure_ascii=False)
            file.write("\n")
        return own


def cannot_be_kept(name: str, folder: str, error: Exception) -> AnsibleActionFail:
    """Return the error for a run that cannot be written down; the host still has it."""
    return AnsibleActionFail(f"the result of {name} cannot be kept in {folder}: {error}")


def is_number(value: object, kinds: type | tuple[type, ...]) -> bool:
    """Return whether a value is a number of these kinds; Python's truth values count as integers, but are none."""
    return isinstance(value, kinds) and not isinstance(value, bool)


def is_answer(answer: dict[str, Any]) -> bool:
    """Return whether an answer has the kinds that the rest relies on: a host can say anything."""
    job = answer.get("job")
    if not isinstance(job, dict) or job.get("state") not in STATES:
        return False
    numbers = [job.get(name) for name in ("wall_s", "exit_status", "signal", "watched_bytes")]
    texts = [job.get(name) for name in ("started_at", "result")]
    return (
        isinstance(answer.get("output"), str)
        and is_number(answer.get("output_next"), int)
        and answer["output_next"] >= 0
        and all(number is None or is_number(number, (int, float)) for number in numbers)
        and all(text is None or (isinstance(text, str) and text.isprintable() and len(text) < 100) for text in texts)
    )


def read_last(folder: str) -> words.Run | None:
    """Return the last run kept in a folder, None when there is none."""
    for name in sorted(os.listdir(folder), reverse=True):
        path = os.path.join(folder, name, "run.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                run: words.Run = json.loads(file.read(MAX_OUTPUT))
                return run
    return None
