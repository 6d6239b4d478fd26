# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The record by which a host remembers the run that holds the cluster, and what becomes of it. Pure functions.

Every host of NATS has one, and who has more than half of them holds the cluster. A record counts the runs that have
taken it and given it back: whoever finds another generation than before knows that somebody may have changed something.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple, TypedDict, cast

from .._foreign import reads_foreign
from .._kinds import KindError, number, text, whole

EXPIRES_S = 1800.0
"""Seconds after its last renewal from which on a record is free."""

MAX_BYTES = 16384
MAX_TEXT = 200
MAX_NUMBER = 2**63
UNKNOWN = "unknown"
"""A generation that no record has: of a host that was not read, or whose record was lost."""


class RecordError(ValueError):
    """A record that is none; the message says what is wrong with it."""


class Holder(TypedDict):
    """A run. The last four tell, on the same control node, whether its process has ended."""

    run: str
    operator: str
    control_node: str
    playbook: str
    cluster: str
    process: int
    started: int
    boot: str
    namespace: str


class Record(TypedDict):
    """What the file holds. ``since`` and ``renewed`` are for people, ``ticks`` is the time of the last renewal."""

    generation: int
    boot: str
    holder: Holder | None
    since: float
    renewed: float
    ticks: float


class Clock(NamedTuple):
    """The time on the host: that of day, the seconds since it was started, and which start that was."""

    wall: float
    ticks: float
    boot: str


class Seen(TypedDict):
    """What a host tells of its record. ``holder`` is None where nobody holds it, also after it has expired."""

    generation: str
    holder: Holder | None
    since: float
    age_s: float


class Outcome(NamedTuple):
    """What becomes of a record: the new one, None where it stays; in a word; and whether somebody else had it since."""

    record: Record | None
    state: str
    moved: bool = False


@reads_foreign
def parse(content: str) -> Record:
    """Return the record in a file's text."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"it is not JSON: {str(error)[:MAX_TEXT]}") from error
    if not isinstance(data, dict):
        raise RecordError("it is not an object")
    try:
        holder = data.get("holder")
        return {
            "generation": _required(whole(data, "generation"), "generation"),
            "boot": _text(data, "boot"),
            "holder": None if holder is None else parse_holder(holder),
            "since": _required(number(data, "since"), "since"),
            "renewed": _required(number(data, "renewed"), "renewed"),
            "ticks": _required(number(data, "ticks"), "ticks"),
        }
    except (KindError, OverflowError) as error:
        raise RecordError(str(error)) from error


@reads_foreign
def parse_holder(data: Any) -> Holder:
    """Return a run as a record describes it."""
    if not isinstance(data, dict):
        raise RecordError("holder is not an object")
    try:
        found: dict[str, Any] = {
            name: _text(data, name)
            for name in ("run", "operator", "control_node", "playbook", "cluster", "boot", "namespace")
        }
        found.update({name: _required(whole(data, name), name) for name in ("process", "started")})
    except KindError as error:
        raise RecordError(f"holder: {error}") from error
    return cast(Holder, found)


def _text(data: Mapping[str, Any], key: str) -> str:
    return str(_required(text(data, key), key))[:MAX_TEXT]


def _required(value: Any, key: str) -> Any:
    if value is None:
        raise KindError(f"{key} is missing")
    if isinstance(value, int) and value > MAX_NUMBER:
        raise KindError(f"{key} is too large")
    return value


def content_of(record: Record) -> str:
    """Return the text of a record's file."""
    return json.dumps(record, sort_keys=True) + "\n"


def valid(record: Record | None, clock: Clock) -> Record | None:
    """Return the record if it is of this start of the host: where files outlive a start, what was held does not."""
    return record if record and record["boot"] == clock.boot else None


def generation(record: Record | None, clock: Clock) -> str:
    """Return by which name this state of a record is known: as long as it is the same, nobody has held it since."""
    known = valid(record, clock)
    return f"{clock.boot}/{known['generation'] if known else 0}"


def holder_now(record: Record | None, clock: Clock) -> Holder | None:
    """Return who holds a record now."""
    known = valid(record, clock)
    return known["holder"] if known and _age(known, clock) <= EXPIRES_S else None


def seen(record: Record | None, clock: Clock) -> Seen:
    """Return what a host tells of its record."""
    known = valid(record, clock)
    return {
        "generation": generation(record, clock),
        "holder": holder_now(record, clock),
        "since": known["since"] if known else 0.0,
        "age_s": round(_age(known, clock), 1) if known else 0.0,
    }


def _age(record: Record, clock: Clock) -> float:
    return max(0.0, clock.ticks - record["ticks"])


def take(
    record: Record | None, run: Holder, clock: Clock, expected: str | None, over: str | None, force: bool
) -> Outcome:
    """Return what becomes of a record that a run wants: ``held`` or ``refused``.

    Args:
        record: the record as it is, None where there is none.
        run: the run.
        clock: the time on the host.
        expected: the generation that was read; None where nothing was judged by it.
        over: the generation of a record that is taken although somebody holds it, because that run has ended.
        force: whether it is taken from anybody.
    """
    known = valid(record, clock)
    named, now = generation(record, clock), holder_now(record, clock)
    moved = expected is not None and expected != named
    if known and now and now["run"] == run["run"]:
        return Outcome(_renewed(known, clock), "held", moved)
    if now and not force and over != named:
        return Outcome(None, "refused", moved)
    # Whoever did not give it back may have changed something after it was read.
    left = bool(known and known["holder"])
    return Outcome(_taken(known, run, clock), "held", moved or (expected is not None and left))


def renew(record: Record | None, run: Holder, clock: Clock) -> Outcome:
    """Return what becomes of the record of a run that goes on: ``held``, ``lost``, or ``restored`` where there is none.

    A record that has expired is still its run's until another one takes it.
    """
    known = valid(record, clock)
    if known is None:
        return Outcome(_taken(None, run, clock), "restored")
    if known["holder"] and known["holder"]["run"] == run["run"]:
        return Outcome(_renewed(known, clock), "held")
    return Outcome(None, "lost")


def release(record: Record | None, run: Holder, clock: Clock) -> Outcome:
    """Return what becomes of the record of a run that has ended: ``free``, or ``lost`` where it was not its own."""
    known = valid(record, clock)
    if known is None or not known["holder"] or known["holder"]["run"] != run["run"]:
        return Outcome(None, "lost")
    return Outcome({**known, "generation": known["generation"] + 1, "holder": None}, "free")


def _renewed(record: Record, clock: Clock) -> Record:
    return {**record, "renewed": clock.wall, "ticks": clock.ticks}


def _taken(record: Record | None, run: Holder, clock: Clock) -> Record:
    return {
        "generation": (record["generation"] if record else 0) + 1,
        "boot": clock.boot,
        "holder": run,
        "since": clock.wall,
        "renewed": clock.wall,
        "ticks": clock.ticks,
    }
