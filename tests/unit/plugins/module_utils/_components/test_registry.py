# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every component says of itself, and what is read of all of them together."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components import names
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Component
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import (
    COMPONENTS,
    NATS_CLIENTS,
    clients_of,
    component_of,
    expectations,
    folder_variables,
    programs,
)
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import (
    machine,
    role_settings,
)

EVERY = pytest.mark.parametrize("component", COMPONENTS.values(), ids=list(COMPONENTS))

FARM = {"path": "/mnt/a", "sectors": 5}


def settings_of(component: Component) -> dict[str, Any]:
    required = {
        "controller_node_rpc_url": "ws://10.0.0.1:9944",
        "plot_client_farms": [FARM],
        "plot_client_reward_address": "st",
    }
    return role_settings(component.name, **required, nats_held_peers=[])


@EVERY
def test_the_programs_of_a_component_are_known_as_its_own(component: Component) -> None:
    made = programs(component.name, settings_of(component), {"gpus": {"topology": machine("seed-2x48c-4gpu")}})
    assert [component_of(program["name"]) for program in made] == [component.name] * len(made)
    assert all(names.is_ours(program["name"]) for program in made)
    assert component.single == (len(made) == 1)


@EVERY
def test_the_programs_of_a_component_run_its_binary(component: Component) -> None:
    for program in programs(component.name, settings_of(component), {"gpus": {"topology": machine("seed-2x48c-4gpu")}}):
        binary = names.read_command(program["command"])
        assert binary and binary.name == component.binary


@EVERY
def test_nats_clients_are_told_the_servers_and_must_be_connected(component: Component) -> None:
    settings, facts = settings_of(component), {"gpus": {"topology": machine("seed-2x48c-4gpu")}}
    for program, expected in zip(
        programs(component.name, settings, facts), expectations(component.name, settings, facts)
    ):
        assert ("--nats-server" in program["command"]) == component.nats_client
        assert ("connected_any" in expected) == component.nats_client


@EVERY
def test_ports_on_which_a_program_must_listen_are_among_its_ports(component: Component) -> None:
    settings = settings_of(component)
    for expected in expectations(component.name, settings, {"gpus": {"topology": machine("seed-2x48c-4gpu")}}):
        assert set(expected.get("listening", [])) <= set(component.ports_of(settings, expected["name"]))


@EVERY
def test_what_a_component_names_exists(component: Component) -> None:
    settings = settings_of(component)
    folders = itertools.chain.from_iterable((folder.variable, folder.room) for folder in component.folders)
    stop = [component.shortest_stop.after] if component.shortest_stop and component.shortest_stop.after else []
    variables = [*component.ports, *(name for name in folders if isinstance(name, str)), *stop]
    assert set(variables) <= set(settings)
    assert set(component.uses) <= set(COMPONENTS)
    assert all(COMPONENTS[server].service for server in component.uses)
    assert component.without
    assert component.needs in ("one", "all", "share", None)


def test_programs_and_files_of_components_differ() -> None:
    files = [component.file for component in COMPONENTS.values()]
    assert len(set(files)) == len(files)
    known = [program for component in COMPONENTS.values() for program in component.programs or (component.file,)]
    assert len(set(known)) == len(known)


@pytest.mark.parametrize(
    "program", ["nginx", "autonomys-old", "autonomys-plot-server", "autonomys-caches", "nats-server-2"]
)
def test_foreign_programs_belong_to_no_component(program: str) -> None:
    assert component_of(program) is None


def test_reads_of_all_components() -> None:
    assert list(COMPONENTS)[:3] == ["nats", "node", "controller"]
    assert clients_of("nats") == list(NATS_CLIENTS)
    assert {"nats", "node"}.isdisjoint(NATS_CLIENTS)
    assert clients_of("node") == ["controller"]
    assert {"nats_store_dir", "node_base_path", "caches_sharded_path"} <= set(folder_variables())


@pytest.mark.parametrize(
    ("component", "needs"),
    [
        ("nats", None),
        ("node", "one"),
        ("controller", "one"),
        ("proof_server", "one"),
        ("caches", "all"),
        ("plot_server", "share"),
        ("plot_client", "all"),
    ],
)
def test_who_must_be_at_work_while_a_host_is_away(component: str, needs: str | None) -> None:
    assert COMPONENTS[component].needs == needs


def test_ports_of_plot_servers_are_counted_from_the_first() -> None:
    component, settings = COMPONENTS["plot_server"], {"plot_server_port": "9966"}
    assert component.ports_of(settings, "autonomys-plot-server-3") == [9969]
    assert component.ports_of(settings, "autonomys-old") == []
