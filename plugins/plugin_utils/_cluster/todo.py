# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a run has to do, and where: by what every host told would change on it, and how healthy it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.wanted import ComponentReading

from .model import Model
from .readings import Changes


class Todo(TypedDict):
    """Hosts by what is done to them, sorted; a component that is on none of them is not in it."""

    # Prepare the host, install binaries.
    prepare: list[str]
    # Configure and start the component, and restart what must.
    act: dict[str, list[str]]
    # Wait until the component is healthy.
    verify: dict[str, list[str]]
    # Install, write or start what monitors the host, or the cluster.
    monitor: list[str]


def todo(model: Model, told: Mapping[str, Changes], ready: Collection[str]) -> Todo:
    """Return what a run does on the hosts that may go on."""
    hosts = [host for host in sorted(told) if host in ready]
    act: dict[str, list[str]] = {}
    verify: dict[str, list[str]] = {}
    for component in COMPONENTS:
        members = [host for host in hosts if component in model["hosts"][host]["components"]]
        acting = [host for host in members if changes(told[host]["components"][component])]
        if acting:
            act[component] = acting
        # As soon as anything changes, or what it uses does, it is looked at everywhere.
        concerned = members if acting or any(used in act for used in COMPONENTS[component].uses) else []
        sick = [host for host in members if host in concerned or not healthy(told[host]["components"][component])]
        if sick:
            verify[component] = sick
    return {
        # A host that only monitors runs none of the cluster's programs.
        "prepare": [host for host in hosts if model["hosts"][host]["components"] and prepares(told[host])],
        "act": act,
        "verify": verify,
        "monitor": [host for host in hosts if told[host]["monitoring"]],
    }


def prepares(told: Changes) -> bool:
    """Return whether a host must be prepared; what is not known counts as something to do."""
    return bool(told["prepare"]) or bool(told["release"].get("changed", True))


def changes(told: ComponentReading) -> bool:
    """Return whether something of a component would change; what is not known counts as something to do."""
    program = told.get("program")
    if program is None:
        return True
    configuration = told.get("configuration", {})
    return bool(program["changed"] or program["restart_required"] or configuration.get("changed"))


def healthy(told: ComponentReading) -> bool:
    """Return whether a component is healthy, or kept stopped and so not asked."""
    return "health" not in told or bool(told["health"]["healthy"])


def groups(found: Todo, orphans: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield ``(group, host)`` for the groups by which the plays of ``site.yml`` find their hosts.

    *orphans* are the hosts from which programs are to be removed.
    """
    acting = {
        *found["prepare"],
        *found["monitor"],
        *orphans,
        *(host for hosts in found["act"].values() for host in hosts),
    }
    yield from (("cluster_acts", host) for host in sorted(acting))
    yield from (("cluster_prepare", host) for host in found["prepare"])
    yield from (("cluster_monitor", host) for host in found["monitor"])
    for verb, members in (("todo", found["act"]), ("verify", found["verify"])):
        for component, hosts in members.items():
            yield from ((f"cluster_{verb}_{component}", host) for host in hosts)
