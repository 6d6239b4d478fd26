# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every list of components names all of them: what a new component must be added to is told here.

What is known of a component is in its file in plugins/module_utils/_components; Python elsewhere reads it from the
registry. Written out are the lists that people or Ansible read: blocks of playbooks, example inventories, choices in
documentation, tables of pages.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.module_utils._components import names, nats
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

ROOT = Path(__file__).parents[3]
ORDER = list(COMPONENTS)
PLUGINS = [path for path in sorted((ROOT / "plugins").rglob("*.py")) if path.parent.name != "_components"]

EVERY = pytest.mark.parametrize("component", ORDER)


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def assert_named(found: list[str], where: str, wanted: list[str] | None = None) -> None:
    """Assert that a list has all components in the order of the registry, and say where it is when it has not."""
    wanted = ORDER if wanted is None else wanted
    assert found == wanted, f"{where} has {', '.join(found)}; the registry has {', '.join(wanted)}"


# Playbooks


@pytest.mark.parametrize(
    ("playbook", "order"),
    [("site", ORDER), ("restart", ORDER), ("stop", ORDER[::-1])],
)
def test_playbooks_have_a_block_for_each_component_in_the_order_of_the_registry(
    playbook: str, order: list[str]
) -> None:
    blocks = [
        play.get("vars", {}) for play in read(f"playbooks/{playbook}.yml") if "ansible.builtin.import_playbook" in play
    ]
    assert_named([block["component"] for block in blocks if "component" in block], f"playbooks/{playbook}.yml", order)


def test_clients_are_given_the_servers_of_the_model() -> None:
    given = set(read("playbooks/vars/from_model.yml"))
    served = {
        f"{client}_{server.service.urls}"
        for server in COMPONENTS.values()
        if server.service
        for client in COMPONENTS
        if server.name in COMPONENTS[client].uses
    }
    known = {f"{component}_{urls}" for component in ORDER for urls in ("nats_servers", "node_rpc_url")}
    assert given & known == served, "playbooks/vars/from_model.yml"


# Roles


@EVERY
def test_the_tasks_of_a_role_name_its_component_and_its_file_of_programs(component: str) -> None:
    named = {
        (task[action].get("component", component), task[action].get("name"))
        for tasks in ("main", "restart", "verify")
        for task in read(f"roles/{component}/tasks/{tasks}.yml")
        for action in task
        if action.rpartition(".")[2] in ("supervisor_program", "component_restart", "component_health")
    }
    assert named == {(component, COMPONENTS[component].file)}


@EVERY
def test_a_role_makes_the_programs_of_its_component(component: str) -> None:
    values = read(f"roles/{component}/vars/main.yml")
    # The health check of a component with an application of its own asks that.
    for what in ("programs", *(["expectations"] if not COMPONENTS[component].application else [])):
        assert f"autonomys.cluster.component_{what}('{component}'" in values[f"__{component}_{what}"]


def test_the_configuration_of_nats_is_read_where_the_program_has_it() -> None:
    assert read("roles/nats/vars/main.yml")["__nats_config"] == nats.CONFIG
    [task] = read("roles/common/tasks/host.yml")
    assert nats.CONFIG in task["autonomys.cluster.host_info"]["files"]


def test_a_host_runs_all_components_where_nothing_else_is_said() -> None:
    defaults = read("roles/common/defaults/main.yml")
    assert_named(defaults["cluster_components"], "cluster_components in roles/common/defaults/main.yml")


# Inventories and scenarios


@pytest.mark.parametrize("inventory", sorted(path.name for path in (ROOT / "inventories").iterdir()))
def test_example_inventories_have_a_group_for_each_component(inventory: str) -> None:
    groups = read(f"inventories/{inventory}/hosts.yml")["all"]["children"]
    assert_named([group for group in groups if group in COMPONENTS], f"inventories/{inventory}/hosts.yml")


@EVERY
def test_each_role_has_a_scenario(component: str) -> None:
    scenario = ROOT / "molecule" / component
    assert (scenario / "molecule.yml").is_file()
    assert (scenario / "tests" / f"test_{component}.py").is_file()


# What people read


def documented_choices(path: Path) -> Iterator[list[str]]:
    """Yield the choices of the options in a plugin's documentation."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            options = yaml.safe_load(ast.literal_eval(node.value)).get("options") or {}
            yield from (option["choices"] for option in options.values() if "choices" in option)


def test_choices_in_the_documentation_of_plugins_are_the_components() -> None:
    lists = [(path, choices) for path in PLUGINS for choices in documented_choices(path)]
    lists = [(path, choices) for path, choices in lists if len(set(choices) & set(ORDER)) > 2]
    assert len(lists) >= 4
    for path, choices in lists:
        assert_named(choices, f"the choices in {path.relative_to(ROOT)}")


@pytest.mark.parametrize(
    ("page", "row"),
    [
        ("README.md", "| [`{}`](roles/{}/README.md) |"),
        ("docs/operations.md", "| `{}` |"),
        ("docs/findings.md", "`{}_`"),
    ],
)
def test_pages_that_list_the_components_list_all(page: str, row: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [component for component in ORDER if row.format(component, component) not in text]
    assert missing == [], f"{page} lacks a row for each of them"


# Python: nothing but the registry knows which components there are


def literals(path: Path) -> Iterator[ast.expr]:
    """Yield the expressions of a file's code, without its documentation."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        name = getattr(statement.targets[0], "id", "") if isinstance(statement, ast.Assign) else ""
        if name not in ("DOCUMENTATION", "EXAMPLES", "RETURN"):
            yield from (node for node in ast.walk(statement) if isinstance(node, ast.expr))


def strings(nodes: list[Any]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT / "plugins")))
def test_no_other_file_has_a_table_of_components(path: Path) -> None:
    for node in literals(path):
        items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        assert len(strings(items) & set(ORDER)) < 3, f"line {node.lineno}"


# Names, and what begins them.
NAMES = {"autonomys-", names.PLOT_SERVER + "-"}.union(
    *({component.file, component.binary, *component.programs} for component in COMPONENTS.values())
)


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT / "plugins")))
def test_no_other_file_makes_or_reads_names_of_programs_and_paths_of_binaries(path: Path) -> None:
    for node in literals(path):
        for text in strings([node]):
            assert text.lstrip("^") not in NAMES, f"line {node.lineno}"
            assert not re.search(r"/(releases|nats|\([^)]*\bnats\))/", text), f"line {node.lineno}"
