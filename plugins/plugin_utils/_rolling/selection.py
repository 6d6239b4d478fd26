# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What ``restart.yml`` and ``stop.yml`` act on. Pure functions."""

from __future__ import annotations

from typing import Collection, Iterable, Mapping, NamedTuple

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import program_of
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, component_of

from .._cluster.model import Model
from .order import kept_stopped


class There(NamedTuple):
    """The programs that the hosts of a run have."""

    names: set[str]
    # Whether that is all: a host that did not answer may have others.
    complete: bool


def programs_there(model: Model, hosts: Iterable[str], seen: Mapping[str, Collection[str] | None]) -> There:
    """Return the programs that hosts have.

    Args:
        model: what ``build_model`` returns.
        hosts: the hosts of the run.
        seen: host to the programs with slots that it told of, None where it did not answer.
    """
    found: set[str] = set()
    complete = True
    for host in hosts:
        for name in model["hosts"][host]["components"]:
            component = COMPONENTS[name]
            if not component.slots:
                found.update(component.programs or (component.file,))
                continue
            told = seen.get(host)
            complete = complete and told is not None
            found.update(told or ())
    return There(found, complete)


def selection(
    verb: str,
    components: Collection[str],
    programs: Collection[str],
    gpu_slots: Collection[int],
    everything: bool,
    there: There,
) -> dict[str, list[str]]:
    """Return what to act on, ``{component: [programs]}`` with an empty list for all programs of a component.

    Raises ValueError for names that there are not, and when nothing is named and ``everything`` does not say that it is
    meant.
    """
    unknown = [name for name in components if name not in COMPONENTS]
    if unknown:
        raise ValueError(f"{verb}_components has {', '.join(unknown)}; components are {', '.join(COMPONENTS)}")
    _require_there(f"{verb}_programs", {program: program for program in programs}, there)
    _require_there(f"{verb}_gpu_slots", {program_of(slot): slot for slot in gpu_slots}, there)
    chosen: dict[str, list[str]] = {component: [] for component in components}
    for program in [*programs, *map(program_of, gpu_slots)]:
        owner = component_of(program)
        if owner and owner not in components:
            chosen.setdefault(owner, []).append(program)
    if not chosen and not everything:
        raise ValueError(
            f"Say what to {verb}: -e {verb}_components=controller,node, -e {verb}_programs=autonomys-plot-server-2 "
            f"or -e {verb}_gpu_slots=2, on some hosts only with --limit. "
            f"-e {verb}_everything=true means all components"
        )
    return chosen or {component: [] for component in COMPONENTS}


def _require_there(variable: str, wanted: Mapping[str, object], there: There) -> None:
    """Refuse programs that no host of the run has, instead of doing nothing to them."""
    missing = [name for name in wanted if name not in there.names and (there.complete or not component_of(name))]
    if missing:
        named = ", ".join(str(wanted[name]) for name in missing)
        names = ", ".join(sorted(there.names)) or "none"
        raise ValueError(f"{variable} has {named}, which no host of this run has; its programs are {names}")


def last_ones(model: Model, chosen: Mapping[str, list[str]], hosts: Iterable[str]) -> list[str]:
    """Return what a stop of ``chosen`` on these hosts would leave nobody to do, each as a sentence."""
    problems = []
    for component, programs in sorted(chosen.items()):
        members = set(model["components"][component])
        left = members - set(kept_stopped(model, component)) - set(hosts)
        if not members & set(hosts) or (programs and not COMPONENTS[component].single):
            continue
        if COMPONENTS[component].majority and len(left) <= len(members) // 2:
            stopped = f"{len(members) - len(left)} of the {len(members)} NATS servers"
            problems.append(f"That would stop {stopped}, and JetStream with them")
        elif not left:
            problems.append(f"That would stop {component} on every host")
    return problems
