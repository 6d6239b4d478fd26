# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The model: one pure function from the inventory to everything that crosses hosts."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import (
    COMPONENTS,
    NATS_CLIENTS,
    clients_of,
)

PREFIXES = ("cluster_",) + tuple(component + "_" for component in COMPONENTS)


def build_model(groups, variables, defaults):
    """Derive the whole cluster from the inventory.

    Args:
        groups: group name to list of host names.
        variables: host name to the variables that the inventory gives it.
        defaults: host name to the defaults of the roles that it has (role ``common`` included), templates resolved.

    Returns:
        ``{"hosts": {name: {"address", "components", "settings"}}, "components": {component: [hosts]}, "roll": {component: serial},
        "connections": [{"component", "host", "to_component", "to_host", "port"}]}``. ``settings`` holds every ``cluster_*`` and ``<role>_*``
        variable of the host: the inventory's value, else the derived one, else the default. All lists are sorted, whatever
        the order of the inventory.
    """
    members = {component: sorted(groups.get(component, [])) for component in COMPONENTS}
    hosts = {}
    for name in sorted(variables):
        components = [component for component in COMPONENTS if name in members[component]]
        given = {key: value for key, value in variables[name].items() if key.startswith(PREFIXES)}
        hosts[name] = {"components": components, "settings": dict(defaults.get(name, {}), **given)}
        hosts[name]["address"] = hosts[name]["settings"].get("cluster_address")

    def setting(host, key):
        return hosts[host]["settings"].get(key)

    nats_peers = {str(setting(host, "nats_server_name")): hosts[host]["address"] for host in members["nats"]}
    held = [
        str(setting(host, "nats_server_name")) for host in members["nats"] if setting(host, "nats_state") == "stopped"
    ]
    nats_servers = [f"nats://{hosts[host]['address']}:{setting(host, 'nats_client_port')}" for host in members["nats"]]
    node_urls = {host: f"ws://{hosts[host]['address']}:{setting(host, 'node_rpc_port')}" for host in members["node"]}

    for name, host in hosts.items():
        derived = {"cluster_components": host["components"]}
        if "nats" in host["components"]:
            derived.update(nats_peers=nats_peers, nats_held_peers=held)
        for component in NATS_CLIENTS:
            if component in host["components"]:
                derived[component + "_nats_servers"] = nats_servers
        if "controller" in host["components"] and node_urls:
            derived["controller_node_rpc_url"] = node_urls[_node_of(name, members)]
        given = {key for key in variables[name] if key in derived}
        host["settings"].update({key: value for key, value in derived.items() if key not in given})

    return {
        "hosts": hosts,
        "components": members,
        "roll": {component: _roll(hosts, members, component) for component in COMPONENTS},
        "connections": _connections(hosts, members),
    }


def _node_of(controller, members):
    """The node on the controller's own host, else the nodes in turn, so that losing one leaves the others their controllers."""
    nodes = members["node"]
    return controller if controller in nodes else nodes[members["controller"].index(controller) % len(nodes)]


def _roll(hosts, members, component):
    values = [hosts[host]["settings"].get(component + "_roll") for host in members[component]]
    return str(values[0]) if values else "1"


def _connections(hosts, members):
    def to(component, port_variable, clients):
        return [
            {
                "component": client,
                "host": host,
                "to_component": component,
                "to_host": server,
                "port": hosts[server]["settings"].get(port_variable),
            }
            for client in clients
            for host in members[client]
            for server in members[component]
        ]

    routes = [link for link in to("nats", "nats_cluster_port", ["nats"]) if link["host"] != link["to_host"]]
    links = []
    for name, component in COMPONENTS.items():
        links += to(name, component.service.port, clients_of(name)) if component.service else []
        links += routes if name == "nats" else []
    return links
