# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The components in the order in which a cluster is started; stopped in the other direction."""

from __future__ import annotations

from . import caches, controller, nats, node, plot_client, plot_server, proof_server
from .common import Component, Expectation, Facts, Program, Settings, expectation

COMPONENTS: dict[str, Component] = {
    module.COMPONENT.name: module.COMPONENT
    for module in (nats, node, controller, proof_server, caches, plot_server, plot_client)
}

# Components whose programs are clients of NATS.
NATS_CLIENTS = tuple(name for name, component in COMPONENTS.items() if component.nats_client)


def programs(component: str, settings: Settings, facts: Facts | None = None) -> list[Program]:
    """Return the supervised programs of a component in the shape of ``supervisor_program``'s option ``programs``."""
    return [program for program, _evidence in COMPONENTS[component].build(settings, facts or {})]


def expectations(component: str, settings: Settings, facts: Facts | None = None) -> list[Expectation]:
    """Return what evidence a healthy component shows, per program."""
    return [expectation(program, evidence) for program, evidence in COMPONENTS[component].build(settings, facts or {})]


def component_of(program: str) -> str | None:
    """Return the component that a program belongs to, None for one that this collection does not know."""
    return next((name for name, component in COMPONENTS.items() if component.owns(program)), None)


def clients_of(server: str) -> list[str]:
    """Return the components that use a component."""
    return [name for name, component in COMPONENTS.items() if server in component.uses]


def folder_variables() -> list[str]:
    """Return the variables with folders whose disks are asked for."""
    return [folder.variable for component in COMPONENTS.values() for folder in component.folders]
