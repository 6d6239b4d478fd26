# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""PORT: rules about the ports that programs listen on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .._words import names
from .view import ERROR, HOST, Finding, Rule, View, finding

RULES = {
    "PORT001": Rule(ERROR, "inventory", "Programs of one host want the same port"),
    "PORT002": Rule(ERROR, "inventory", "A port is out of range"),
}


class Port(NamedTuple):
    """A port that a program listens on."""

    number: int
    component: str
    # What it is for, as a sentence has it.
    use: str


def check(view: View) -> Iterator[Finding]:
    for host in view.hosts:
        users: dict[int, list[Port]] = {}
        for port in ports(view, host):
            if 1 <= port.number <= 65535:
                users.setdefault(port.number, []).append(port)
            else:
                message = f"{port.use} is {port.number}; ports go from 1 to 65535"
                yield finding("PORT002", [host], port.component, message, "Choose another port.")
        for number, wanting in sorted(users.items()):
            if len(wanting) > 1:
                components = sorted({port.component for port in wanting})
                message = f"Port {number} is wanted by {names([port.use for port in wanting])}"
                component = components[0] if len(components) == 1 else HOST
                yield finding("PORT001", [host], component, message, "Give each its own port.")


def ports(view: View, host: str) -> list[Port]:
    """Return the ports that the programs of a host listen on."""
    result, slots, p2p = [], [], []
    for component in COMPONENTS.values():
        if component.name not in view.components(host):
            continue
        for name in component.ports:
            first = view.value(host, name)
            if isinstance(first, int):
                result.append(Port(first, component.name, name))
                for slot in range(1, _slots(view, host) if component.slots else 0):
                    slots.append(Port(first + slot, component.name, f"plot server {slot}"))
        for number in component.p2p_ports:
            p2p.append(Port(number, component.name, f"the {component.name}'s peer-to-peer network"))
    return result + slots + p2p


def _slots(view: View, host: str) -> int:
    """Return the number of plot servers, as far as it is known."""
    listed = view.value(host, "plot_server_gpus")
    if listed:
        return len(listed)
    gpus = view.facts.get(host, {}).get("gpus") or {}
    return len((gpus.get("topology") or {}).get("gpus") or [])
