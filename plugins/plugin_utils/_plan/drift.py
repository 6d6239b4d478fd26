# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What differs between the cluster and its inventory: what a run would change, and what is not healthy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from .._words import aligned, counted
from .shape import READY, Host, Plan

HEADER = ("HOST", "WHAT", "DIFFERENCE")


class Difference(TypedDict):
    """One difference. ``what`` is a program, a component, or ``host`` and ``binaries``."""

    host: str
    what: str
    difference: str


# Host to component to what component_health told.
Healths = Mapping[str, Mapping[str, Mapping[str, Any]]]


def differences(plan: Plan, healths: Healths) -> list[Difference]:
    """Return the differences, sorted by host; none means that a run of ``site.yml`` would find nothing to do."""
    return [
        {"host": name, "what": what, "difference": difference}
        for name, host in sorted(plan["hosts"].items())
        for what, difference in _of_host(host, healths.get(name, {}))
    ]


def _of_host(host: Host, healths: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    if host["components"] and host["state"] != READY:
        yield "host", f"{host['state']}: {host['why']}"
    yield from (("host", error) for error in host["errors"])
    yield from (("host", f"would be prepared: {phrase}") for phrase in host["prepare"])
    yield from (("binaries", f"would install {path}") for path in host["install"])
    for program in host["programs"]:
        if program["change"] != "none":
            yield program["name"], f"would {VERBS[program['change']]}: {program['reason']}"
    for component, health in healths.items():
        yield from ((component, f"not healthy: {problem}") for problem in health.get("problems", []))


VERBS = {"stop": "stop", "restart": "restart", "start": "start", "reload": "be reloaded", "unknown": "perhaps change"}


def table(found: Sequence[Difference]) -> str:
    """Return the differences as aligned text, and a sentence that sums up."""
    if not found:
        return "Drift: none. A run of site.yml would change nothing, and all is healthy."
    lines = [HEADER, *((each["host"], each["what"], each["difference"]) for each in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(2)]
    return "\n".join([*(aligned(line, widths) for line in lines), "", summary(found)])


def summary(found: Sequence[Difference]) -> str:
    """Return what there is in a sentence."""
    hosts = sorted({each["host"] for each in found})
    return f"Drift: {counted(len(found), 'difference')} on {counted(len(hosts), 'host')} ({', '.join(hosts)})."
