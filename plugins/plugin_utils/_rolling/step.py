# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rolling restarts: whether a host may be taken away now, what to ask who is at work, and what to say when a step failed. Pure functions."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import program_of
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, component_of

# Who must be at work while a host of the component is away: one other host, all others, or as many as <role>_roll leaves.
# NATS servers are asked themselves (safe_to_stop): their quorums count, not their number.
NEEDS = {name: component.needs for name, component in COMPONENTS.items() if component.needs}


def question(model, component, host):
    """What the health check asks a host to learn whether its part of a component is at work: arguments of the action ``health``."""
    settings = model["hosts"][host]["settings"]
    asked = {"component": component, "at_work": True}
    return dict(asked, **COMPONENTS[component].question(settings))


def held(model, component):
    """The hosts on which a component is kept stopped for maintenance."""
    return [
        host
        for host in model["components"][component]
        if model["hosts"][host]["settings"].get(component + "_state") == "stopped"
    ]


def at_once(roll, count):
    """How many of so many hosts may restart at once, by a number or a share such as ``25%``; at least one."""
    text = str(roll).strip()
    number = count * float(text[:-1]) / 100 if text.endswith("%") else float(text)
    return max(1, int(number))


def step_problems(component, host, batch, members, evidence, roll):
    """Why a host must not be taken away now; empty when it may.

    Args:
        batch: the hosts that are taken away together, this one included.
        members: all hosts on which the component is meant to run.
        evidence: host to ``{"at_work": bool, "problems": [...]}``; a host that was not asked, or did not answer, is not in it.
        roll: how many may restart at once, as ``<role>_roll`` says.
    """
    needs = NEEDS.get(component)
    own = evidence.get(host)
    others = sorted(set(members) - set(batch))
    # A host that does no work is not missed, and restarting it may be what mends it. An only host cannot be stood in for.
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


def selection(verb, components, programs, gpu_slots, everything):
    """What to act on, ``{component: [programs]}`` with an empty list for all programs of a component.

    Raises ValueError for names that there are not, and when nothing is named and ``everything`` does not say that it is meant.
    """
    unknown = [name for name in components if name not in COMPONENTS]
    if unknown:
        raise ValueError(f"{verb}_components has {', '.join(unknown)}; components are {', '.join(COMPONENTS)}")
    chosen = {component: [] for component in components}
    for program in list(programs) + [program_of(slot) for slot in gpu_slots]:
        owner = component_of(program)
        if not owner:
            raise ValueError(
                f"{verb}_programs has {program}, which no component has; supervisorctl status shows the names on a host"
            )
        if owner not in components:
            chosen.setdefault(owner, []).append(program)
    if not chosen and not everything:
        raise ValueError(
            f"Say what to {verb}: -e {verb}_components=controller,node, -e {verb}_programs=autonomys-plot-server-2 or -e {verb}_gpu_slots=2, on some hosts only with --limit. -e {verb}_everything=true means all components"
        )
    return chosen or {component: [] for component in COMPONENTS}


def last_ones(model, chosen, hosts):
    """What a stop of ``chosen`` on these hosts would leave nobody to do, a sentence each."""
    problems = []
    for component, programs in sorted(chosen.items()):
        members = set(model["components"][component])
        left = members - set(held(model, component)) - set(hosts)
        if not members & set(hosts) or (programs and not COMPONENTS[component].single):
            continue
        if COMPONENTS[component].majority and len(left) <= len(members) // 2:
            problems.append(
                f"That would stop {len(members) - len(left)} of the {len(members)} NATS servers, and JetStream with them"
            )
        elif not left:
            problems.append(f"That would stop {component} on every host")
    return problems


def refusal(component, host, problems):
    """The message that ends a run before a host was touched."""
    return f"{component} on {host} was not restarted, because the others cannot do without it now: {'; '.join(problems)}. It runs as before. Mend what is named, and run the same command again."


def failure(component, host, seen, back, later):
    """The message that ends a run after a step failed.

    Args:
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
    return f"{component} on {host} was restarted and is not healthy: {seen}{back} {rest} Mend what was seen, or set the inventory to what ran before, and run the same command again: it continues here."
