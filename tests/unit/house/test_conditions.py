# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No condition takes a variable for true because it is a text, and no role takes a text for a list or a number.

From an INI inventory, ``-e key=value`` and a survey every variable comes as a text; role specs validate it and leave
it so.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[3]
CONDITIONS = ("when", "that", "until", "failed_when", "changed_when")
# Ansible's own, which is a boolean.
BOOLEAN = {"ansible_check_mode"}
TYPES = {name: option["type"] for name, option in role_files.all_options().items()}

TASKS = sorted(
    [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("roles/*/handlers/*.yml"), *ROOT.glob("playbooks/**/*.yml")]
)
OURS = sorted(
    path
    for role in role_files.ROLES
    for folder in ("tasks", "vars", "templates")
    for path in (ROOT / "roles" / role / folder).rglob("*")
    if path.is_file()
)


def parse(text):
    environment = Environment(extensions=["jinja2.ext.do"])
    return environment.parse(text)


def conditions(data):
    """All conditions in a file of tasks or plays."""
    if isinstance(data, list):
        for item in data:
            yield from conditions(item)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key in CONDITIONS:
                yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str))
            else:
                yield from conditions(value)


def truths(node):
    """The parts of an expression whose truth is asked for."""
    if isinstance(node, nodes.Not):
        yield from truths(node.node)
    elif isinstance(node, (nodes.And, nodes.Or)):
        yield from truths(node.left)
        yield from truths(node.right)
    elif isinstance(node, nodes.CondExpr):
        yield from truths(node.test)
        yield from truths(node.expr1)
        yield from truths(node.expr2)
    else:
        yield node


def bare(node):
    """The name of a variable whose truth is asked for as it is."""
    if isinstance(node, nodes.Filter) and node.name in ("default", "d"):
        return bare(node.node)
    return node.name if isinstance(node, nodes.Name) and node.name not in BOOLEAN else None


def bare_conditions(text):
    expression = parse(f"{{{{ {text} }}}}").body[0].nodes[0]
    return [name for name in map(bare, truths(expression)) if name]


@pytest.mark.parametrize("path", TASKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_bare_variable_is_a_condition(path):
    found = conditions(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert [text for text in found if bare_conditions(text)] == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cluster_offline", ["cluster_offline"]),
        ("not (a or b | default(false))", ["a", "b"]),
        ("(a if b else c) and d | bool", ["b", "a", "c"]),
        ("cluster_offline | bool and not ansible_check_mode", []),
        ("x == 'started' and y is changed and z.ok and f(a)", []),
    ],
)
def test_bare_variables_are_seen(text, names):
    assert bare_conditions(text) == names


# Playbooks hand it over as they read it; nobody writes it down.
HANDED_OVER = {"cluster_reading"}


def templates(path):
    """The texts of a file that are templates, each with whether it is the whole value of an option of a task."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".j2":
        yield text, False
        return

    def walk(data, task):
        if isinstance(data, dict):
            for key, value in data.items():
                # What the filter typed_variables is given.
                if not str(key).endswith("_inputs"):
                    yield from walk(value, task)
        elif isinstance(data, list):
            for item in data:
                yield from walk(item, task)
        elif isinstance(data, str):
            yield data, task

    data = yaml.safe_load(text)
    yield from walk(data, path.parent.name == "tasks")
    for condition in conditions(data) if path.parent.name == "tasks" else []:
        yield f"{{{{ {condition} }}}}", False


def untyped(template, whole):
    """The variables of roles that a template uses as if they had their type."""
    tree = parse(template)
    converted = {
        id(found.node)
        for found in tree.find_all(nodes.Filter)
        if isinstance(found.node, nodes.Name) and found.name in ("bool", "int", "string")
    }
    # Written into a text a number is the same; and a module converts what it is given whole.
    written = {id(node) for output in tree.find_all(nodes.Output) for node in output.nodes}
    alone = whole and re.fullmatch(r"\s*{{\s*\w+\s*}}\s*", template)
    for name in tree.find_all(nodes.Name):
        kind = TYPES.get(name.name, "str")
        fine = kind in ("str", "path") or id(name) in converted or name.name in HANDED_OVER
        fine = fine or (kind in ("int", "float") and id(name) in written)
        if not (fine or (kind in ("bool", "int", "float") and alone)):
            yield name.name


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_roles_read_lists_maps_and_numbers_with_their_types(path):
    assert [(text, list(untyped(text, whole))) for text, whole in templates(path) if list(untyped(text, whole))] == []


@pytest.mark.parametrize(
    ("template", "whole", "names"),
    [
        ("{{ plot_client_farms | map(attribute='path') }}", True, ["plot_client_farms"]),
        ("{{ plot_client_disk_margin_mib * 1048576 }}", True, ["plot_client_disk_margin_mib"]),
        ("{{ plot_client_disk_margin_mib | int * 1048576 }}", True, []),
        ("{{ node_health_timeout }}", True, []),
        ("{{ node_health_timeout > 5 }}", True, ["node_health_timeout"]),
        ("http://127.0.0.1:{{ node_rpc_port }}", True, []),
        ("{{ cluster_revert_on_failure }}", True, []),
        ("{{ cluster_revert_on_failure }}", False, ["cluster_revert_on_failure"]),
        ("{{ nats_state == 'started' }}", False, []),
    ],
)
def test_untyped_variables_are_seen(template, whole, names):
    assert list(untyped(template, whole)) == names
