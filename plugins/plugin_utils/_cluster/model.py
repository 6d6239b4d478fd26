# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The model: one pure function from the inventory to everything that crosses hosts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import (
    COMPONENTS,
    NATS_CLIENTS,
    clients_of,
    folder_variables,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.wanted import Asked

from .inputs import typed

PREFIXES = ("cluster_", "monitoring_", *(component + "_" for component in COMPONENTS))

# Component to its hosts, sorted.
Members = Mapping[str, list[str]]


class _Host(TypedDict):
    address: Any
    components: list[str]
    # Every cluster_* and <role>_* variable with the type that its role gives it: the inventory's value, else the
    # derived one, else the default.
    settings: dict[str, Any]
    asked: Asked


class Host(_Host, total=False):
    """What the model knows of a host."""

    # The variables whose templates have no value, and why.
    unresolved: Mapping[str, str]


class Connection(TypedDict):
    """A program of a host that connects to a program of another."""

    component: str
    host: str
    to_component: str
    to_host: str
    port: Any


class Model(TypedDict):
    """The whole cluster. All lists are sorted, whatever the order of the inventory."""

    hosts: dict[str, Host]
    components: dict[str, list[str]]
    # Component to how many hosts may restart at once, as the inventory says it.
    roll: dict[str, str]
    connections: list[Connection]
    # The hosts that monitor the cluster; none where nothing does.
    monitoring: list[str]


def build_model(
    groups: Mapping[str, Iterable[str]],
    variables: Mapping[str, Mapping[str, Any]],
    defaults: Mapping[str, Mapping[str, Any]],
    unresolved: Mapping[str, Mapping[str, str]] | None = None,
) -> Model:
    """Return the whole cluster as the inventory describes it.

    Args:
        groups: group name to host names.
        variables: host name to the variables that the inventory gives it.
        defaults: host name to the defaults of the roles that it has (role ``common`` included), templates resolved.
        unresolved: host name to the variables whose templates have no value, and why.
    """
    members = {component: sorted(groups.get(component, [])) for component in COMPONENTS}
    hosts: dict[str, Host] = {}
    for name in sorted(variables):
        given = {key: value for key, value in variables[name].items() if key.startswith(PREFIXES)}
        settings = typed({**defaults.get(name, {}), **given})
        hosts[name] = {
            "address": settings.get("cluster_address"),
            "components": [component for component in COMPONENTS if name in members[component]],
            "settings": settings,
            "asked": {"gpus": False, "folders": [], "farms": []},
        }
        if unresolved and name in unresolved:
            hosts[name]["unresolved"] = unresolved[name]
    for name, host in hosts.items():
        derived = _derived(name, hosts, members)
        host["settings"].update({key: value for key, value in derived.items() if key not in variables[name]})
        host["asked"] = _asked(host)
    return {
        "hosts": hosts,
        "components": members,
        "roll": {component: _roll(hosts, members[component], component) for component in COMPONENTS},
        "connections": _connections(hosts, members),
        "monitoring": sorted(groups.get("monitoring", [])),
    }


def _derived(name: str, hosts: Mapping[str, Host], members: Members) -> dict[str, Any]:
    """Return the settings of a host that others decide."""

    def setting(host: str, key: str) -> Any:
        return hosts[host]["settings"].get(key)

    components, servers = hosts[name]["components"], members["nats"]
    derived: dict[str, Any] = {"cluster_components": components}
    if "nats" in components:
        derived["nats_peers"] = {str(setting(host, "nats_server_name")): hosts[host]["address"] for host in servers}
        stopped = [host for host in servers if setting(host, "nats_state") == "stopped"]
        derived["nats_held_peers"] = [str(setting(host, "nats_server_name")) for host in stopped]
    for component in NATS_CLIENTS:
        if component in components:
            derived[component + "_nats_servers"] = [
                f"nats://{hosts[host]['address']}:{setting(host, 'nats_client_port')}" for host in servers
            ]
    if "controller" in components and members["node"]:
        node = _node_of(name, members)
        derived["controller_node_rpc_url"] = f"ws://{hosts[node]['address']}:{setting(node, 'node_rpc_port')}"
    return derived


def _asked(host: Host) -> Asked:
    settings = host["settings"]
    farms = settings.get("plot_client_farms") if "plot_client" in host["components"] else None
    paths = [farm.get("path") for farm in farms if isinstance(farm, dict)] if isinstance(farms, list) else []
    return {
        "gpus": any(COMPONENTS[component].gpus for component in host["components"]),
        "folders": _absolute(settings.get(name) for name in folder_variables()),
        "farms": _absolute(paths),
    }


def _absolute(paths: Iterable[Any]) -> list[str]:
    """Return the paths that can be asked for, each once; what is wrong with others is a finding."""
    return list(dict.fromkeys(str(path) for path in paths if isinstance(path, str) and path.startswith("/")))


def _node_of(controller: str, members: Members) -> str:
    """Return the node on the controller's own host, else one in turn.

    Losing a node leaves the others their controllers then.
    """
    nodes = members["node"]
    return controller if controller in nodes else nodes[members["controller"].index(controller) % len(nodes)]


def _roll(hosts: Mapping[str, Host], members: list[str], component: str) -> str:
    return str(hosts[members[0]]["settings"].get(component + "_roll")) if members else "1"


def _connections(hosts: Mapping[str, Host], members: Members) -> list[Connection]:
    def links(component: str, port: str, clients: Collection[str]) -> Iterator[Connection]:
        for client in clients:
            for host in members[client]:
                for server in members[component]:
                    number = hosts[server]["settings"].get(port)
                    yield {
                        "component": client,
                        "host": host,
                        "to_component": component,
                        "to_host": server,
                        "port": number,
                    }

    found: list[Connection] = []
    for name, component in COMPONENTS.items():
        if component.service:
            found += links(name, component.service.port, clients_of(name))
        if name == "nats":
            found += [link for link in links(name, "nats_cluster_port", [name]) if link["host"] != link["to_host"]]
    return found
