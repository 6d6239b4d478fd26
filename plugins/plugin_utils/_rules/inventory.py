# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""INV: rules about groups, addresses and what must be the same on all hosts."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, clients_of

from .._words import names, shown
from .view import ERROR, INVENTORY, WARNING, Finding, Rule, View, differing, finding

RULES = {
    "INV001": Rule(ERROR, "inventory", "A component's group is missing or empty"),
    "INV002": Rule(ERROR, "inventory", "A group's name is mistyped"),
    "INV003": Rule(WARNING, "inventory", "A host is in no component's group"),
    "INV004": Rule(ERROR, "inventory", "An address is not an IP address"),
    "INV005": Rule(ERROR, "inventory", "Hosts share an address"),
    "INV006": Rule(ERROR, "inventory", "An address cannot be reached by other hosts"),
    "INV007": Rule(WARNING, "inventory", "Hosts differ in how many may restart at once"),
}


def check(view: View) -> Iterator[Finding]:
    yield from _groups(view)
    yield from _addresses(view)
    yield from _rolls(view)


def _groups(view: View) -> Iterator[Finding]:
    groups = view.control.get("groups") or {}
    empty = [component for component in COMPONENTS if not view.members(component)]
    mistyped = {
        group: component
        for component in empty
        for group in sorted(groups)
        if group not in COMPONENTS and groups[group] and _close(group, component)
    }
    for group, component in sorted(mistyped.items()):
        message = f"The group {group} is not a component's, and the group {component} has no hosts"
        yield finding("INV002", groups[group], INVENTORY, message, f"Rename it to {component}.")
    if len(empty) == len(COMPONENTS) and not mistyped:
        message = "No component's group has hosts, so there is no cluster"
        remedy = f"Add the groups {', '.join(COMPONENTS)} with their hosts, as in the inventory template."
        yield finding("INV001", [], INVENTORY, message, remedy, ERROR)
        return
    for component in empty:
        if component not in mistyped.values():
            yield from _missing(view, component)
    for host in view.hosts:
        if not view.components(host):
            yield from _idle(host, [group for group in sorted(groups) if host in groups[group]], set(mistyped))


def _idle(host: str, groups: Sequence[str], mistyped: set[str]) -> Iterator[Finding]:
    """Judge a host that is in no component's group."""
    others = [group for group in groups if group not in COMPONENTS]
    guess = [component for group in others for component in COMPONENTS if _close(group, component)]
    if guess and not mistyped.intersection(groups):
        message = f"The host is in no component's group, only in {_listed(groups)}"
        yield finding("INV002", [host], INVENTORY, message, f"Did you mean the group {guess[0]}?")
    elif not guess and "monitoring" not in groups:
        message = "The host is in no component's group, so nothing runs on it"
        remedy = (
            f"Add it to one of the groups {', '.join(COMPONENTS)}, or accept this finding if the host has another task."
        )
        yield finding("INV003", [host], INVENTORY, message, remedy)


def _missing(view: View, component: str) -> Iterator[Finding]:
    service, clients = COMPONENTS[component].service, clients_of(component)
    message = f"The group {component} is missing or has no hosts: {COMPONENTS[component].without}"
    remedy = f"Add a group {component} with its hosts to the inventory"
    if not service:
        yield finding("INV001", [], component, message, remedy + ".", WARNING)
    elif any(not view.value(host, f"{client}_{service.urls}") for client in clients for host in view.members(client)):
        given = f"{clients[0] if len(clients) == 1 else '<role>'}_{service.urls}"
        yield finding("INV001", [], component, message, f"{remedy}, or set {given}.")


def _close(group: str, component: str) -> bool:
    return difflib.SequenceMatcher(None, str(group).lower().replace("-", "_"), component).ratio() >= 0.85


def _listed(groups: Iterable[str]) -> str:
    return ", ".join(group for group in groups if group != "all") or "none"


def _addresses(view: View) -> Iterator[Finding]:
    hosts = [host for host in view.hosts if view.components(host)]
    owners: dict[str, list[str]] = {}
    for host in hosts:
        faults = list(_address(view, host, len(hosts) == 1))
        yield from faults
        address = view.address(host)
        if address and not faults:
            owners.setdefault(address, []).append(host)
    for address, sharing in sorted(owners.items()):
        if len(sharing) > 1:
            message = f"{names(sharing)} share the address {address}"
            yield finding("INV005", sharing, INVENTORY, message, "Give each host its own cluster_address.")


def _address(view: View, host: str, alone: bool) -> Iterator[Finding]:
    address = view.address(host)
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        message = f"cluster_address is {shown(view.model['hosts'][host]['address'])}, which is not an IP address"
        remedy = (
            "Set cluster_address (or ansible_host) to the host's IP address: a name that does not resolve keeps "
            "programs from starting."
        )
        yield finding("INV004", [host], INVENTORY, message, remedy)
        return
    if parsed.version == 6:
        message = f"cluster_address is the IPv6 address {address}; the cluster's URLs and routes need IPv4"
        yield finding("INV004", [host], INVENTORY, message, "Set cluster_address to an IPv4 address of the host.")
    elif not alone and (parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast or parsed.is_link_local):
        message = f"cluster_address is {address}, at which other hosts cannot reach it"
        remedy = "Set cluster_address to the host's address on the cluster's network."
        yield finding("INV006", [host], INVENTORY, message, remedy)


def _rolls(view: View) -> Iterator[Finding]:
    for component in COMPONENTS:
        name, members = component + "_roll", view.members(component)
        groups = view.by_value(members, name)
        for value, hosts in sorted(groups.items()):
            number = value[:-1] if value.endswith("%") else value
            if not (number.isdigit() and int(number) >= 1):
                message = f"{name} is {shown(value)}; it must be a number from 1 or a share such as 25%"
                yield finding("INV007", hosts, component, message, "Correct it for all hosts of the component.", ERROR)
        if len(groups) > 1:
            message = f"{name} differs: {differing(groups)}; {view.model['roll'][component]} is used"
            yield finding("INV007", members, component, message, f"Set it once, for the group {component}.")
