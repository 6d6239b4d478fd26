# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Whether a host may be taken away now, and what to say when it may not or when its step failed. Pure functions."""

from __future__ import annotations

from typing import Any, Collection, Mapping, Sequence

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

from .order import at_once

# Who must be at work while a host of the component is away: one other host, all others, or as many as <role>_roll
# leaves.
# NATS servers are asked themselves (safe_to_stop): their quorums count, not their number.
NEEDS = {name: component.needs for name, component in COMPONENTS.items() if component.needs}


def step_problems(
    component: str,
    host: str,
    batch: Collection[str],
    members: Collection[str],
    evidence: Mapping[str, Mapping[str, Any]],
    roll: object,
) -> list[str]:
    """Return why a host must not be taken away now; empty when it may.

    Args:
        component: the component that is about to restart.
        host: the host.
        batch: the hosts that are taken away together, this one included.
        members: all hosts on which the component is meant to run.
        evidence: host to ``{"at_work": bool, "problems": [...]}``, without hosts that were not asked or did not answer.
        roll: how many may restart at once, as ``<role>_roll`` says.
    """
    needs = NEEDS.get(component)
    own = evidence.get(host)
    others = sorted(set(members) - set(batch))
    # Nobody misses a host that does no work, and a restart may be what repairs it. An only host cannot be stood in for.
    if not needs or not others or (own and not own["at_work"]):
        return []
    away = [
        f"{other}: {'; '.join(evidence[other]['problems'])}"
        for other in others
        if other in evidence and not evidence[other]["at_work"]
    ]
    unknown = [f"{other}: it was not asked or did not answer" for other in others if other not in evidence]
    if needs == "one":
        if len(away) + len(unknown) < len(others):
            return []
        return [f"no other {component} is at work ({', '.join(sorted(away + unknown))})"]
    allowed = at_once(roll, len(members)) if needs == "share" else len(batch)
    if away and len(away) + len(batch) > allowed:
        return [f"{len(away)} of the {len(members)} hosts with {component} are not at work already ({', '.join(away)})"]
    return []


def refusal(component: str, host: str, problems: Sequence[str]) -> str:
    """Return the message that ends a run before a host was touched."""
    return printable(
        f"{component} on {host} was not restarted, because the others cannot do without it now: "
        f"{'; '.join(problems)}. "
        "It runs as before. Fix what is named, and run the same command again.",
        lines=True,
    )


def failure(component: str, host: str, seen: str, back: str, later: Sequence[str]) -> str:
    """Return the message that ends a run after a step failed.

    Args:
        component: the component that was restarted.
        host: the host.
        seen: what was wrong after the restart.
        back: what became of the former definition, a sentence.
        later: the hosts that were still to be restarted.
    """
    # A program that ended brings the last lines of its log.
    seen = seen.rstrip(". \n") + ("\n" if "\n" in seen else ". ")
    rest = (
        f"Not restarted, and running as before: {', '.join(later)}."
        if later
        else "No other host was to be restarted after it."
    )
    return printable(
        f"{component} on {host} was restarted and is not healthy: {seen}{back} {rest} "
        "Fix what was seen, or set the inventory to what ran before, and run the same command again: "
        "it continues here.",
        lines=True,
    )
