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
    folder_variables,
)

from .inputs import typed

PREFIXES = ("cluster_", *(component + "_" for component in COMPONENTS))


def build_model(groups, variables, defaults, unresolved=None):
    """Derive the whole cluster from the inventory.

    Args:
        groups: group name to list of host names.
        variables: host name to the variables that the inventory gives it.
        defaults: host name to the defaults of the roles that it has (role ``common`` included), templates resolved.
        unresolved: host name to the variables whose templates have no value, and why.

    Returns:
        ``{"hosts": {name: {"address", "components", "settings", "asked", "unresolved"}}, "components": {component: [hosts]},
        "roll": {component: serial}, "connections": [{"component", "host", "to_component", "to_host", "port"}]}``.
        ``settings`` holds every ``cluster_*`` and ``<role>_*`` variable of the host with the type that its role gives it: the
        inventory's value, else the derived one, else the default. All lists are sorted, whatever the order of the inventory.
    """
    members = {component: sorted(groups.get(component, [])) for component in COMPONENTS}
    hosts = {}
    for name in sorted(variables):
        components = [component for component in COMPONENTS if name in members[component]]
        given = {key: value for key, value in variables[name].items() if key.startswith(PREFIXES)}
        settings = typed(dict(defaults.get(name, {}), **given))
        hosts[name] = {"components": components, "settings": settings, "address": settings.get("cluster_address")}
        if name in (unresolved or {}):
            hosts[name]["unresolved"] = unresolved[name]
    for name, host in hosts.items():
        derived = _derived(name, hosts, members)
        host["settings"].update({key: value for key, value in derived.items() if key not in variables[name]})
        host["asked"] = _asked(host)
    return {
        "hosts": hosts,
        "components": members,
        "roll": {component: _roll(hosts, members, component) for component in COMPONENTS},
        "connections": _connections(hosts, members),
    }


def _derived(name, hosts, members):
    """The settings of a host that others decide."""

    def setting(host, key):
        return hosts[host]["settings"].get(key)

    components = hosts[name]["components"]
    derived = {"cluster_components": components}
    if "nats" in components:
        servers = members["nats"]
        derived["nats_peers"] = {str(setting(host, "nats_server_name")): hosts[host]["address"] for host in servers}
        stopped = [host for host in servers if setting(host, "nats_state") == "stopped"]
        derived["nats_held_peers"] = [str(setting(host, "nats_server_name")) for host in stopped]
    for component in NATS_CLIENTS:
        if component in components:
            derived[component + "_nats_servers"] = [
                f"nats://{hosts[host]['address']}:{setting(host, 'nats_client_port')}" for host in members["nats"]
            ]
    if "controller" in components and members["node"]:
        node = _node_of(name, members)
        derived["controller_node_rpc_url"] = f"ws://{hosts[node]['address']}:{setting(node, 'node_rpc_port')}"
    return derived


def _asked(host):
    """What preflight asks of a host's disks: folders with data, and the paths of farms."""
    settings = host["settings"]
    farms = settings.get("plot_client_farms") if "plot_client" in host["components"] else None
    paths = [farm.get("path") for farm in farms if isinstance(farm, dict)] if isinstance(farms, list) else []
    return {"folders": _absolute(settings.get(name) for name in folder_variables()), "farms": _absolute(paths)}


def _absolute(paths):
    """The paths that can be asked for, each once; what is wrong with others is a finding."""
    return list(dict.fromkeys(str(path) for path in paths if isinstance(path, str) and path.startswith("/")))


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
