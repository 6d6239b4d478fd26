# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What ``site.yml`` does to programs, step after step, and how long that takes. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import version_of
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .._rolling.order import batches
from .._words import duration
from .shape import LEFT_OVER, NO_COMPONENT, READY, Host, Model, Program, Step, Version

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}

# Per host the programs that something happens to.
Concerned = Mapping[str, Sequence[Program]]


def seconds(text: object) -> float:
    """Return a duration such as ``1m30s`` in seconds, 0 for anything else."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h)", str(text)))


def steps_of(model: Model, hosts: Mapping[str, Host], leader: str | None) -> list[Step]:
    """Return what happens to programs, one step after another.

    Args:
        leader: the host of the NATS meta leader, which restarts last.
    """
    steps = []
    for component in COMPONENTS:
        members = model["components"][component]
        for kind in ("stop", "start", "reload"):
            concerned = _concerned(hosts, members, component, kind)
            if concerned:
                steps.append(_step(model, component, kind, [sorted(concerned)], concerned))
        rolled = _concerned(hosts, members, component, "restart")
        if rolled:
            parts = _rolled(model, component, list(rolled), leader if component == "nats" else None)
            steps.append(_step(model, component, "restart", parts, rolled))
    going = _concerned(hosts, list(hosts), LEFT_OVER, "stop")
    return steps + ([_step(model, LEFT_OVER, "stop", [sorted(going)], going)] if going else [])


def _concerned(
    hosts: Mapping[str, Host], members: Sequence[str], component: str, kind: str
) -> dict[str, list[Program]]:
    """Return the hosts with programs of a component that a step is about, with these programs."""
    found = {
        name: [
            program
            for program in hosts[name]["programs"]
            if program["component"] == component and _kind(program) == kind
        ]
        for name in members
    }
    return {name: programs for name, programs in found.items() if programs}


def _kind(program: Program) -> str:
    """Return the kind of step that changes a program: what waits for a restart stops and starts with that."""
    return "restart" if program["pending"] else program["change"]


def _rolled(model: Model, component: str, hosts: Sequence[str], last: str | None) -> list[list[str]]:
    try:
        return batches(hosts, model["roll"][component], [last] if last else [])
    except ValueError:  # preflight reports it
        return batches(hosts, 1)


def _step(model: Model, component: str, kind: str, parts: list[list[str]], concerned: Concerned) -> Step:
    times = [_batch_time(model, component, kind, {name: concerned[name] for name in part}) for part in parts]
    return {
        "component": component,
        "kind": kind,
        "batches": parts,
        "programs": sum(len(found) for found in concerned.values()),
        "at_least_s": round(sum(least for least, _most, _made_of in times)),
        "at_most_s": round(sum(most for _least, most, _made_of in times)),
        "made_of": times[-1][2] if times else [],
    }


def _batch_time(model: Model, component: str, kind: str, concerned: Concerned) -> tuple[float, float, list[str]]:
    """Return the seconds that hosts take at least and at most that do the same at once, and what these are made of."""
    if kind == "reload":
        return 0, 0, ["a signal"]
    if component == LEFT_OVER:
        return 0, 0, ["stop within the stopwaitsecs of its file"]
    settings = [model["hosts"][name]["settings"] for name in concerned]
    healthy = max(int(of_host.get(component + "_health_timeout") or 0) for of_host in settings)
    found = [program for programs in concerned.values() for program in programs]
    starts = max((program["startsecs"] for program in found if program["change"] in ("start", "restart")), default=0)
    stops = max((program["stopwaitsecs"] for program in found if program["change"] in ("stop", "restart")), default=0)
    lame = max(seconds(of_host.get("nats_lame_duck_duration")) for of_host in settings) if component == "nats" else 0
    least, most, made_of = 0.0, 0.0, []
    if kind == "restart" and component == "nats":
        most += healthy
        made_of.append(f"wait at most {duration(healthy)} until the others can do without it")
    if stops:
        least, most = least + lame, most + max(stops, lame)
        within = f"in {duration(lame)} to {duration(max(stops, lame))}" if lame else f"within {duration(stops)}"
        made_of.append(f"stop {within}")
    if starts:
        least, most = least + starts, most + starts + healthy
        made_of += [f"stay up for {duration(starts)}", f"become healthy within {duration(healthy)}"]
    return least, most, made_of


def versions_of(hosts: Mapping[str, Host], steps: Sequence[Step]) -> list[Version]:
    """Return per software whose version changes on running programs from what, to what, and how long both run."""
    softwares = (("Autonomys", [name for name in COMPONENTS if name != "nats"]), ("NATS", ["nats"]))
    found = [_version(what, components, hosts, steps) for what, components in softwares]
    return [version for version in found if version]


def _version(what: str, components: Sequence[str], hosts: Mapping[str, Host], steps: Sequence[Step]) -> Version | None:
    moving = [
        (program["component"], before, after)
        for host in hosts.values()
        for program in host["programs"]
        if program["component"] in components and program["change"] == "restart"
        for before, after in [(program["version_before"], version_of(program["command"]))]
        if before is not None and after is not None and before != after
    ]
    if not moving:
        return None
    restarting = {component for component, _before, _after in moving}
    numbers = [
        number for number, step in enumerate(steps) if step["kind"] == "restart" and step["component"] in restarting
    ]
    span = steps[numbers[0] : numbers[-1] + 1]
    return {
        "what": what,
        "from": sorted({before for _component, before, _after in moving}),
        "to": sorted({after for _component, _before, after in moving}),
        "components": [component for component in COMPONENTS if component in restarting],
        "at_least_s": sum(step["at_least_s"] for step in span),
        "at_most_s": sum(step["at_most_s"] for step in span),
        "held_back": [
            name
            for name, host in hosts.items()
            if host["state"] not in (READY, NO_COMPONENT) and set(host["components"]) & set(components)
        ],
    }
