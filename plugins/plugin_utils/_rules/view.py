# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What every rule sees of the cluster, and what it answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from .._words import names


class Rule(NamedTuple):
    """What is fixed about a rule."""

    # How severe its findings usually are.
    severity: str
    # Whether it is about the "inventory" alone, or about a "host".
    scope: str
    title: str


class Finding(TypedDict):
    """What a rule found."""

    rule: str
    severity: str
    hosts: list[str]
    component: str
    message: str
    remedy: str


ERROR, WARNING, INFO = SEVERITIES = ("error", "warning", "info")

# The severity of a finding that is as severe as its rule usually is.
USUAL = ""

# The key of the facts that has what was read on the control node. No host can have a name with a space.
CONTROL = "control node"

# The component of findings that concern no single one.
INVENTORY = "inventory"
HOST = "host"


def finding(
    rule: str, hosts: Iterable[str], component: str, message: str, remedy: str, severity: str = USUAL
) -> Finding:
    """Return one finding; ``severity`` is given where it differs from the rule's usual one."""
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

    ``values`` has per host the valid variables only, converted to their types: a rule that gets None leaves the fault
    to the rules about variables.
    """

    def __init__(
        self, model: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]], values: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.model = model
        self.hosts: list[str] = sorted(model["hosts"])
        self.control: Mapping[str, Any] = facts.get(CONTROL) or {}
        self.facts = {host: facts[host] for host in self.hosts if host in facts}
        self._values = values

    def value(self, host: str, name: str) -> Any:
        """Return a variable of a host, None where it is missing or wrong."""
        return self._values[host].get(name)

    def address(self, host: str) -> str | None:
        """Return the host's address on the cluster's network, None unless it is text."""
        address = self.model["hosts"][host]["address"]
        return str(address) if isinstance(address, str) and address else None

    def ipv4(self, host: str) -> ipaddress.IPv4Address | None:
        """Return the host's address as an ``IPv4Address``, None where it is none."""
        try:
            return ipaddress.IPv4Address(self.address(host) or "")
        except ValueError:
            return None

    def members(self, component: str) -> list[str]:
        """Return the hosts of a component."""
        hosts: list[str] = self.model["components"][component]
        return hosts

    def components(self, host: str) -> list[str]:
        """Return the components of a host."""
        components: list[str] = self.model["hosts"][host]["components"]
        return components

    def derived(self, scheme: str, component: str, port_variable: str) -> list[str]:
        """Return the URLs that the model derives for a component: addresses and ports have rules of their own."""
        hosts = self.model["hosts"]
        return [
            f"{scheme}{hosts[host]['address']}:{hosts[host]['settings'].get(port_variable)}"
            for host in self.members(component)
        ]

    def host_facts(self, host: str) -> Mapping[str, Any]:
        """Return what was read of a host itself; empty where it was not read."""
        return self.facts.get(host, {}).get("host") or {}

    def read(self, kind: str, component: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the pairs (host, answer) of the hosts whose facts of that kind were read."""
        hosts = self.members(component) if component else self.hosts
        answers = [(host, self.facts.get(host, {}).get(kind)) for host in hosts]
        return [(host, answer) for host, answer in answers if answer is not None]

    def by_value(self, hosts: Iterable[str], name: str) -> dict[str, list[str]]:
        """Return ``{value of a variable, as text: [hosts]}``, without the hosts that have none."""
        groups: dict[str, list[str]] = {}
        for host in hosts:
            if self.value(host, name) is not None:
                groups.setdefault(str(self.value(host, name)), []).append(host)
        return groups


def differing(groups: Mapping[str, Sequence[str]]) -> str:
    """Return ``by_value`` in words: ``3MB on node-1 and node-2, 4MB on node-3``."""
    return ", ".join(f"{value} on {names(hosts)}" for value, hosts in sorted(groups.items()))
