# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Who this run is, whether another one has ended, and what the records of all hosts together mean."""

from __future__ import annotations

import getpass
import hashlib
import multiprocessing
import os
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._host.files import read_bytes
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import (
    EXPIRES_S,
    Holder,
    RecordError,
    parse_holder,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

from ._words import counted, cut, duration, names

STATES = ("held", "refused", "lost", "restored", "free", "error")
MAX_REASON = 300
_MAX_READ = 4096
TAKE = "-e cluster_lock_take=true"


class RunEnded(Exception):
    """The process of this run has ended, and what is left of it must not go on."""


class Answer(TypedDict):
    """What became of the record on one host; ``state`` may be ``unreachable`` or ``skipped``, too."""

    state: str
    moved: bool
    holder: Holder | None
    since: float
    age_s: float
    error: str


class Verdict(TypedDict):
    """Whether this run holds the cluster; ``message`` says why not, ``take_back`` which records it must give back."""

    held: bool
    moved: bool
    take_back: list[str]
    message: str


# --- who this run is ---


def process_of_run() -> int:
    """Return the process that this run is.

    A task runs in a process that the run's own has forked, and goes on for a while when that one was killed. By then
    another run may have the cluster.
    """
    parent = multiprocessing.parent_process()
    process = parent.pid if parent and parent.pid else os.getpid()
    if parent and os.getppid() != process:
        raise RunEnded("The process of this run has ended: what is left of it does not touch the cluster any more.")
    return process


def this_run(variables: Mapping[str, Any], playbooks: Sequence[str], cluster: str) -> Holder:
    """Return who this run is, the same in each of its processes."""
    process = process_of_run()
    boot, namespace = here()
    started, node = started_at(process) or 0, socket.gethostname()
    identity = "\0".join(map(str, (boot, namespace, node, process, started)))
    return {
        "run": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "operator": _operator(variables),
        "control_node": node,
        "playbook": " ".join(map(os.path.basename, playbooks)),
        "cluster": cluster,
        "process": process,
        "started": started,
        "boot": boot,
        "namespace": namespace,
    }


def _operator(variables: Mapping[str, Any]) -> str:
    """Return who started the run; in a job of AWX that is whoever launched it."""
    awx = variables.get("awx_user_name") or variables.get("tower_user_name")
    if awx:
        return f"{awx} (AWX job {variables.get('awx_job_id') or variables.get('tower_job_id') or 'without a number'})"
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in containers
        return f"user {os.getuid()}"


def here() -> tuple[str, str]:
    """Return which start of which kernel this is, and which of its namespaces of processes; empty where unknown."""
    try:
        boot = read_bytes("/proc/sys/kernel/random/boot_id", _MAX_READ).decode("ascii").strip()
        return boot, os.readlink("/proc/self/ns/pid")
    except (OSError, ValueError):
        return "", ""


def started_at(process: int) -> int | None:
    """Return when a process was started, in the kernel's ticks; None where that is not known, 0 when it has ended."""
    try:
        # The program's name is in brackets and may hold anything, brackets too.
        fields = read_bytes(f"/proc/{process}/stat", _MAX_READ).rpartition(b")")[2].split()
        return 0 if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def own_run(variables: Mapping[str, Any]) -> str:
    """Return how records name this run."""
    return this_run(variables, (), "")["run"]


def has_ended(run: Holder) -> bool:
    """Return whether a run has provably ended: its process was one of this control node, and there is none such now."""
    if not run["boot"] or not run["started"] or (run["boot"], run["namespace"]) != here():
        return False
    try:
        os.kill(run["process"], 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is somebody else's, and /proc may show only one's own
        pass
    started = started_at(run["process"])
    return started is not None and started != run["started"]


# --- what hosts answer ---


def answer_of(result: Mapping[str, Any]) -> Answer:
    """Return what ``cluster_lock`` answered on a host; whatever it is, it is an answer."""
    if result.get("skipped"):
        return _answer("skipped")
    if result.get("unreachable"):
        return _answer("unreachable", error=f"it cannot be reached: {result.get('msg', '')}")
    told = result.get("lock")
    if not isinstance(told, Mapping) or told.get("state") not in STATES:
        return _answer("error", error=str(result.get("msg") or "no answer"))
    try:
        holder = parse_holder(told["holder"]) if told.get("holder") else None
    except RecordError as error:
        return _answer("error", error=str(error))
    return {
        "state": str(told["state"]),
        "moved": bool(told.get("moved", True)),
        "holder": holder,
        "since": _seconds(told.get("since")),
        "age_s": _seconds(told.get("age_s")),
        "error": str(told.get("error", "")),
    }


def _answer(state: str, error: str = "") -> Answer:
    return {"state": state, "moved": True, "holder": None, "since": 0.0, "age_s": 0.0, "error": error}


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e12 else 0.0


# --- what the answers of all hosts mean ---


def majority(count: int) -> int:
    """Return how many records of so many hosts must be one run's, so that it holds the cluster."""
    return count // 2 + 1 if count else 0


def verdict(state: str, answers: Mapping[str, Answer], force: bool) -> Verdict:
    """Return whether this run holds the cluster, by what became of the record on every host of NATS.

    Args:
        state: ``taken`` or ``renewed``.
        answers: host to its answer.
        force: whether to go on with too few records, as long as none is another run's.
    """
    mine = [host for host, answer in answers.items() if answer["state"] == "held"]
    written = [host for host, answer in answers.items() if answer["state"] in ("held", "restored")]
    others = [answer for answer in answers.values() if answer["state"] in ("refused", "lost")]
    enough = len(mine) >= majority(len(answers)) or (force and not others)
    if enough:
        moved = any(answers[host]["moved"] for host in mine)
        return {"held": True, "moved": moved, "take_back": [], "message": ""}
    holder = next((answer for answer in others if answer["holder"]), None)
    message = _refusal(holder) if state == "taken" and holder else None
    message = message or (_loss(holder) if state == "renewed" and others else _too_few(answers, mine))
    return {"held": False, "moved": False, "take_back": written, "message": printable(message)}


def description(answer: Answer) -> str:
    """Return who holds the cluster, as a clause without an end."""
    run = answer["holder"]
    if run is None:
        return "the cluster is held by nobody"
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(answer["since"]))
    return printable(
        f"the cluster is held by {cut(run['operator'], 60)} on {cut(run['control_node'], 60)} "
        f"(process {run['process']}) with {cut(run['playbook'], 80)} since {since}, "
        f"renewed {duration(answer['age_s'])} ago"
    )


def holder_sentence(records: Mapping[str, Any], own: Collection[str] = ()) -> str | None:
    """Return a sentence that names the run which holds the cluster, None when nobody does.

    Args:
        records: host of NATS to what it tells of its record, as ``read_record`` returns it.
        own: runs that are not named, such as this one.
    """
    answers = {host: answer_of({"lock": {"state": "refused", **_mapping(told)}}) for host, told in records.items()}
    held = {host: answer for host, answer in answers.items() if answer["holder"] and answer["holder"]["run"] not in own}
    if not held:
        return None
    runs = [answer["holder"]["run"] for answer in held.values() if answer["holder"]]
    most = max(sorted(set(runs)), key=runs.count)
    named = next(answer for answer in held.values() if answer["holder"] and answer["holder"]["run"] == most)
    text = description(named)
    run = named["holder"]
    ended = "; its process has ended, so the next run takes the cluster over" if run and has_ended(run) else ""
    return f"{text[0].upper()}{text[1:]}{ended}."


def _mapping(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}


def _refusal(holder: Answer) -> str:
    rest = duration(max(0.0, EXPIRES_S - holder["age_s"]))
    return (
        f"Nothing was changed: {description(holder)}. Two runs at once could stop what the other one relies on. "
        f"Wait until that run has ended, then run the same command again. If it ended without giving the cluster back, "
        f"a run on the same control node takes over at once and every other one in {rest}; "
        f"if you know that it has ended, {TAKE} takes over now."
    )


def _loss(holder: Answer | None) -> str:
    who = description(holder) if holder else "it was taken over, or given back"
    return (
        f"This run does not hold the cluster any more: {who}. It stops before its next step, and what it has "
        "done stays. Run the same command again when nobody else is at work."
    )


def _too_few(answers: Mapping[str, Answer], mine: Sequence[str]) -> str:
    why = "; ".join(
        f"{host}: {cut(answer['error'] or answer['state'], MAX_REASON)}"
        for host, answer in answers.items()
        if host not in mine and answer["state"] not in ("skipped", "free")
    )
    needed = majority(len(answers))
    return (
        f"This run cannot hold the cluster: that takes {needed} of the {counted(len(answers), 'host')} in the group "
        f"nats ({names(sorted(answers))}), and it has {len(mine)} ({why}). Fix what is named, then run the same "
        f"command again. If you know that no other run changes the cluster, {TAKE} goes on without."
    )
