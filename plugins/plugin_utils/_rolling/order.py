# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The order of a roll: which hosts one after another, how many at once, and who else is asked. Pure functions."""

from __future__ import annotations

from typing import Any, Collection, Iterable, Mapping, TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .._cluster.model import Model


class Roll(TypedDict):
    """A rolling restart of one component."""

    hosts: list[str]
    serial: int
    # Who is asked before each step, and whether one that is at work is enough.
    members: list[str]
    one_is_enough: bool


def roll(model: Model, component: str, concerned: Iterable[str], last: Iterable[str]) -> Roll:
    """Return the roll of a component.

    Args:
        model: what ``build_model`` returns.
        concerned: the hosts on which something must restart.
        last: hosts that restart last, such as the one with the leader of the NATS servers.
    """
    hosts = in_order(concerned, last)
    needs = COMPONENTS[component].needs
    return {
        "hosts": hosts,
        "serial": at_once(model["roll"][component], len(hosts)),
        # Who need not be at work is not asked: NATS servers answer for each other.
        "members": members(model, component) if needs else [],
        "one_is_enough": needs == "one",
    }


def in_order(hosts: Iterable[str], last: Iterable[str] = ()) -> list[str]:
    """Return the hosts sorted, whatever the order of the inventory, with some of them at the end."""
    final = set(last)
    return sorted(hosts, key=lambda host: (host in final, host))


def at_once(share: object, count: int) -> int:
    """Return how many of so many hosts may restart at once, by a number or a share such as ``25%``; at least one."""
    text = str(share).strip()
    number = count * int(text[:-1]) // 100 if text.endswith("%") else int(text)
    return max(1, number)


def batches(hosts: Collection[str], share: object, last: Iterable[str] = ()) -> list[list[str]]:
    """Return the hosts in the order of a roll, cut into those that restart at once."""
    ordered = in_order(hosts, last)
    size = at_once(share, len(ordered))
    return [ordered[first : first + size] for first in range(0, len(ordered), size)]


def members(model: Mapping[str, Any], component: str) -> list[str]:
    """Return the hosts on which a component is meant to run, sorted."""
    return sorted(set(model["components"][component]) - set(kept_stopped(model, component)))


def kept_stopped(model: Mapping[str, Any], component: str) -> list[str]:
    """Return the hosts on which a component is kept stopped for maintenance."""
    return [
        host
        for host in model["components"][component]
        if model["hosts"][host]["settings"].get(component + "_state") == "stopped"
    ]
