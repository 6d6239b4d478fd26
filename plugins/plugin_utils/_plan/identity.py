# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Which plan it is: what would happen on which host, and a short name for all of it together.

Two plans have the same id when the same things would happen on the same hosts, however the inventory orders them and
whatever else changed: who leads NATS, how full disks are. Pure functions.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .shape import LEFT_OUT, NO_COMPONENT, Answer, Host, Program

# Host to what is concerned (a program, or what the host itself needs) to what would happen to it.
Verdicts = Mapping[str, Mapping[str, str]]

# It begins with a word, so that nothing takes it for a number.
ID = re.compile(r"plan-[0-9a-f]{16}\Z")
MOST_NAMED = 5


def verdicts_of(hosts: Mapping[str, Host], changes: Mapping[str, Mapping[str, Answer]]) -> dict[str, dict[str, str]]:
    """Return what would happen, host by host.

    Args:
        hosts: the hosts of the plan.
        changes: what ``build_plan`` is given under this name.
    """
    return {
        name: dict(sorted(_of_host(host, changes.get(name, {}))))
        for name, host in sorted(hosts.items())
        # One without a component may have programs that are left over, or be prepared for monitoring.
        if host["state"] != NO_COMPONENT or host["programs"] or host["prepare"]
    }


def plan_id(verdicts: Verdicts) -> str:
    """Return the id of a plan by its verdicts."""
    return f"plan-{_digest(verdicts, 16)}"


def is_plan_id(text: object) -> bool:
    """Return whether a value has the form of a plan's id."""
    return isinstance(text, str) and bool(ID.match(text))


def different(approved: Verdicts, now: Verdicts) -> list[str]:
    """Return in sentences what would happen now and was not approved, and what was approved and would not happen."""
    found = []
    for host in sorted({*approved, *now}):
        before, after = approved.get(host, {}), now.get(host, {})
        for what in sorted({*before, *after}):
            if before.get(what) != after.get(what):
                found.append(f"{what} on {host}: {_said(before.get(what), after.get(what))}")
    return found


def refusal(wanted: str, approved: Verdicts | None, now: Verdicts) -> str | None:
    """Return in a sentence why a run may not go on, None where it does what was approved.

    Args:
        wanted: the id that was approved.
        approved: the verdicts of that plan, None where they are not at hand.
        now: the verdicts by what the hosts have told now.
    """
    again = "Nothing was changed. Run plan.yml again, and have that plan approved."
    if not is_plan_id(wanted):
        return (
            f"cluster_plan_id is {wanted!r}, which is no plan's id: plan.yml prints it, such as "
            f"plan-0123456789abcdef. {again}"
        )
    present = plan_id(now)
    if present == wanted:
        return None
    known = approved is not None and plan_id(approved) == wanted
    differences = different(approved, now) if approved is not None and known else []
    why = _listed(differences) if differences else "what exactly differs is not at hand"
    return f"What would happen now ({present}) is not what was approved ({wanted}): {why}. {again}"


def _listed(sentences: Sequence[str]) -> str:
    more = len(sentences) - MOST_NAMED
    return "; ".join([*sentences[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _said(before: str | None, after: str | None) -> str:
    old, new = (None if each is None else each.partition(" #")[0] for each in (before, after))
    if old == new:
        return f"{new}, in another way"
    return f"{old or 'nothing'} was approved, and now it is {new or 'nothing'}"


def _of_host(host: Host, changes: Mapping[str, Answer]) -> Iterator[tuple[str, str]]:
    """Yield what is concerned on a host, and what would happen to it."""
    yield "the host", host["state"] + (f": {host['why']}" if host["state"] == LEFT_OUT else "")
    if host["errors"]:
        # How the message is worded may change with each look.
        yield "what is not known", "something"
    for phrase in host["prepare"]:
        yield f"preparing ({phrase})", "to be done"
    release = changes.get("release", {})
    listing = release.get("diff", {}).get("after")
    for path in host["install"]:
        yield f"the binary {path}", _with_digest("to be installed", listing)
    for path in release.get("pruned") or []:
        yield f"the former version {path}", "to be removed"
    for program in host["programs"]:
        if program["change"] != "none":
            yield program["name"], _of_program(program, changes.get(program["component"], {}))


def _of_program(program: Program, answer: Answer) -> str:
    # Both sides of the difference: what was changed by hand since is overwritten by other text than was approved.
    texts = [
        [diff.get("before"), diff.get("after")]
        for diff in (answer.get("program") or {}).get("diff") or []
        if str(diff.get("before_header", "")).endswith(".conf")
    ]
    wanted = [program["command"], program["environment"], program["cpus"], texts, answer.get("texts")]
    reason = f": {program['reason']}" if program["reason"] else ""
    return _with_digest(program["change"] + reason, wanted)


def _with_digest(verdict: str, details: Any) -> str:
    return f"{verdict} #{_digest(details, 8)}"


def _digest(value: Any, length: int) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:length]
