# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""PORT: rules about the ports that programs listen on."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .view import ERROR, HOST, Rule, finding, names

RULES = {
    "PORT001": Rule(ERROR, "inventory", "Programs of one host want the same port"),
    "PORT002": Rule(ERROR, "inventory", "A port is out of range"),
}


def check(view):
    for host in view.hosts:
        users = {}
        for port, component, use in ports(view, host):
            if not 1 <= port <= 65535:
                yield finding(
                    "PORT002", [host], component, f"{use} is {port}; ports go from 1 to 65535", "Choose another port."
                )
            else:
                users.setdefault(port, []).append((component, use))
        for port, uses in sorted(users.items()):
            if len(uses) > 1:
                components = sorted({component for component, _use in uses})
                message = f"Port {port} is wanted by {names([use for _component, use in uses])}"
                yield finding(
                    "PORT001",
                    [host],
                    components[0] if len(components) == 1 else HOST,
                    message,
                    "Give each its own port.",
                )


def ports(view, host):
    """``[(port, component, what it is for)]`` of the ports that the programs of a host listen on."""
    components = [component for component in COMPONENTS.values() if component.name in view.components(host)]
    result, slots, p2p = [], [], []
    for component in components:
        for name in component.ports:
            first = view.value(host, name)
            if isinstance(first, int):
                result.append((first, component.name, name))
                for slot in range(1, _slots(view, host) if component.slots else 0):
                    slots.append((first + slot, component.name, f"plot server {slot}"))
        for port in component.p2p_ports:
            p2p.append((port, component.name, f"the {component.name}'s peer-to-peer network"))
    return result + slots + p2p


def _slots(view, host):
    """Number of plot servers, as far as it is known."""
    listed = view.value(host, "plot_server_gpus")
    if listed:
        return len(listed)
    gpus = (view.facts.get(host) or {}).get("gpus") or {}
    return len((gpus.get("topology") or {}).get("gpus") or [])
