# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What every rule sees of the cluster, and what it answers."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple, TypedDict


class Rule(NamedTuple):
    """What is fixed of a rule."""

    # How severe its findings usually are.
    severity: str
    # Whether it is about the "inventory" alone, or about a "host".
    scope: str
    title: str


class Finding(TypedDict):
    """What a rule found."""

    rule: str
    # None: the rule's usual one.
    severity: str | None
    hosts: list[str]
    component: str
    message: str
    remedy: str


ERROR, WARNING, INFO = SEVERITIES = ("error", "warning", "info")

# The key of the facts under which stands what was read on the control node. No host can have a name with a space.
CONTROL = "control node"

# The component of findings that concern no single one.
INVENTORY = "inventory"
HOST = "host"


def finding(rule, hosts, component, message, remedy, severity=None):
    """One finding; ``severity`` where it differs from the rule's usual one."""
    return {
        "rule": rule,
        "severity": severity,
        "hosts": sorted(hosts),
        "component": component,
        "message": message,
        "remedy": remedy,
    }


class View:
    """The model and the facts with the questions that rules ask of them.

    ``values`` has per host the valid variables only, converted to their types: a rule that gets None leaves the fault to the
    rules about variables.
    """

    def __init__(self, model, facts, values):
        self.model = model
        self.hosts = sorted(model["hosts"])
        self.control = facts.get(CONTROL) or {}
        self.facts = {host: facts[host] for host in self.hosts if host in facts}
        self._values = values

    def value(self, host, name):
        """A variable of a host, None where it is missing or wrong."""
        return self._values[host].get(name)

    def address(self, host):
        """The host's address on the cluster's network, None unless it is text."""
        address = self.model["hosts"][host]["address"]
        return str(address) if isinstance(address, str) and address else None

    def ipv4(self, host):
        """The host's address as an ``IPv4Address``, None where it is none."""
        try:
            return ipaddress.IPv4Address(self.address(host))
        except ValueError:
            return None

    def members(self, component):
        """The hosts of a component."""
        return self.model["components"][component]

    def components(self, host):
        """The components of a host."""
        return self.model["hosts"][host]["components"]

    def derived(self, scheme, component, port_variable):
        """The URLs that the model derives for a component: as right as addresses and ports, which have rules of their own."""
        hosts = self.model["hosts"]
        return [
            f"{scheme}{hosts[host]['address']}:{hosts[host]['settings'].get(port_variable)}"
            for host in self.members(component)
        ]

    def read(self, kind, component=None):
        """The pairs (host, answer) of the hosts whose facts of that kind were read."""
        hosts = self.members(component) if component else self.hosts
        return [(host, self.facts[host][kind]) for host in hosts if (self.facts.get(host) or {}).get(kind) is not None]

    def by_value(self, hosts, name):
        """The hosts by their value of a variable: ``{value as text: [hosts]}``, without the hosts that have none."""
        groups = {}
        for host in hosts:
            if self.value(host, name) is not None:
                groups.setdefault(str(self.value(host, name)), []).append(host)
        return groups


def differing(groups):
    """``by_value`` in words: ``3MB on node-1 and node-2, 4MB on node-3``."""
    return ", ".join(f"{value} on {names(hosts)}" for value, hosts in sorted(groups.items()))


def names(hosts, most=5):
    """Host names as a sentence has them."""
    hosts = [str(host) for host in hosts]
    if len(hosts) > most:
        return f"{', '.join(hosts[:most])} and {len(hosts) - most} more"
    return " and ".join(filter(None, [", ".join(hosts[:-1]), hosts[-1]])) if hosts else "none"


def shown(value, most=80):
    """A value as a message shows it."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = repr(str(value))
    else:
        text = "null" if value is None else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
