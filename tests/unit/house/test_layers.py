# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom in plugins/: the wall between hosts and control node, the order of the rooms, and no way back."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
COLLECTION = "ansible_collections.autonomys.cluster.plugins"

# Room (a private package, or a private file that stands alone) to the rooms that it may import. Whatever is further
# down may be
# imported too, since this is closed over its own arrows below.
HOST_ROOMS = {
    "_cpuset": ["_foreign"],
    "_sectors": [],
    "_foreign": [],
    "_http": ["_foreign"],
    "_kinds": [],
    "_printable": [],
    "_job": ["_host"],
    "_lock": ["_host", "_kinds"],
    "_secrets": [],
    "_node_rpc": ["_http", "_kinds"],
    "_host": ["_cpuset", "_sectors"],
    "_gpu": ["_host"],
    "_supervisor": ["_host", "_http", "_printable", "_secrets"],
    "_release": ["_host", "_http"],
    "_nats": ["_host", "_http", "_kinds"],
    "_components": ["_gpu", "_supervisor", "_release", "_nats", "_sectors"],
    "_health": ["_components", "_node_rpc"],
    "_looking": ["_health"],
    "_reading": ["_lock", "_looking"],
    "_metrics": ["_reading"],
}
CONTROL_ROOMS = {
    "_artifacts": [],
    "_awx": ["_words"],
    "_words": [],
    "_ss58": [],
    "_secrets": [],
    "_pieces": [],
    "_sources": [],
    "_status": ["_words"],
    "_status_page": ["_plan", "_status"],
    "_lock": ["_words"],
    "_cluster": [],
    "_looking": ["_cluster"],
    "_monitoring": ["_cluster"],
    "_rolling": ["_cluster", "_lock", "_looking", "_words"],
    "_rules": ["_rolling", "_ss58", "_secrets", "_sources"],
    "_plan": ["_rules"],
}


def closed(rooms):
    """The rooms with everything that they reach."""

    def reach(room):
        direct = rooms[room]
        return set(direct).union(*(reach(each) for each in direct))

    return {room: reach(room) | {room} for room in rooms}


HOST_MAY, CONTROL_MAY = closed(HOST_ROOMS), closed(CONTROL_ROOMS)


def code_files(*folders):
    return sorted(path.relative_to(PLUGINS) for folder in folders for path in (PLUGINS / folder).rglob("*.py"))


def imported(path, source=None):
    """Absolute dotted names of all modules that a file of plugins/ imports, wherever in it."""
    package = [COLLECTION, *path.parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(source or (PLUGINS / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            base = (start + (node.module or "")).rstrip(".")
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


def own(path, names=None):
    """(layer, room) of every import from this collection, such as ("module_utils", "_host")."""
    inside = [
        name[len(COLLECTION) + 1 :].split(".") for name in names or imported(path) if name.startswith(COLLECTION + ".")
    ]
    return {(parts[0], parts[1]) for parts in inside}


def broken_rules(path, names=None):
    """The imports of a file that the rules do not allow, each as a text."""
    names = imported(path) if names is None else names
    layer, room = path.parts[0], path.parts[1].partition(".")[0]
    found = []
    for target_layer, target in own(path, names):
        allowed = {
            "modules": target_layer == "module_utils",
            "module_utils": target_layer == "module_utils" and target in HOST_MAY.get(room, ()),
            "plugin_utils": target_layer == "module_utils"
            or (target_layer == "plugin_utils" and target in CONTROL_MAY.get(room, ())),
            "action": target_layer in ("module_utils", "plugin_utils"),
            "filter": target_layer in ("module_utils", "plugin_utils"),
            "doc_fragments": False,
        }[layer]
        if not allowed:
            found.append(f"{target_layer}.{target}")
    if layer == "module_utils":
        outside = {name.partition(".")[0] for name in names if not name.startswith(COLLECTION + ".")}
        found += sorted(outside - set(sys.stdlib_module_names))
    return found


FILES = code_files("modules", "module_utils", "plugin_utils", "action", "filter", "doc_fragments")


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_go_one_way(path):
    assert broken_rules(path) == []


@pytest.mark.parametrize(("layer", "rooms"), [("module_utils", HOST_ROOMS), ("plugin_utils", CONTROL_ROOMS)])
def test_every_room_is_private_and_has_its_place(layer, rooms):
    found = {path.parts[1].partition(".")[0] for path in code_files(layer)}
    assert {room for room in found if not room.startswith("_")} == set()
    assert found <= set(rooms)


def test_inside_a_package_names_are_plain_and_there_is_no_circle():
    graph = {}
    for path in code_files("module_utils", "plugin_utils"):
        name = f"{COLLECTION}.{'.'.join(path.with_suffix('').parts)}"
        if len(path.parts) > 2 and path.name != "__init__.py":
            assert not path.name.startswith("_")
        graph[name.replace(".__init__", "")] = imported(path)
    graph = {
        name: {known for known in graph for target in targets if target == known or target.startswith(known + ".")}
        for name, targets in graph.items()
    }
    done = set()

    def visit(name, way):
        assert name not in way, " → ".join([*way, name])
        if name not in done:
            for target in graph[name] - {name}:
                visit(target, [*way, name])
            done.add(name)

    for name in graph:
        visit(name, [])


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("module_utils/_host/parse.py", "from .._gpu.topology import read_topology", ["module_utils._gpu"]),
        ("module_utils/_cpuset.py", "from ansible.module_utils.basic import AnsibleModule", ["ansible"]),
        ("module_utils/_cpuset.py", f"from {COLLECTION}.plugin_utils import _status", ["plugin_utils._status"]),
        ("modules/release.py", f"from {COLLECTION}.plugin_utils import _status", ["plugin_utils._status"]),
        ("plugin_utils/_rolling/step.py", "from .._plan import build", ["plugin_utils._plan"]),
        ("action/plan.py", f"from {COLLECTION}.action.preflight import host_facts", ["action.preflight"]),
    ],
)
def test_the_rules_see_what_breaks_them(file, source, expected):
    path = Path(file)
    assert broken_rules(path, imported(path, source)) == expected


@pytest.mark.parametrize("path", code_files("module_utils", "plugin_utils"), ids=str)
def test_private_files_say_that_they_are_private(path):
    lines = (PLUGINS / path).read_text(encoding="utf-8").splitlines()
    assert lines[4:6] == [
        "# Private to this collection: what is in here can change with any release.",
        "# Other collections and playbooks must not import it.",
    ]
