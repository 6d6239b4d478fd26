# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rule's id leads to one file: the docstring names the prefix, and no other file defines or raises it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules.findings import RULES

FOLDER = Path(__file__).parents[3] / "plugins" / "plugin_utils" / "_rules"
ID = re.compile(r"^[A-Z]+[0-9]{3}$")


def files():
    """Per file of rules its syntax tree."""
    trees = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.py"))}
    return {name: tree for name, tree in trees.items() if defined(tree)}


def defined(tree):
    """The ids that a file defines in RULES."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            if [getattr(target, "id", None) for target in node.targets] == ["RULES"]:
                return [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
    return []


def raised(tree):
    """The ids that a file names anywhere but in the keys of RULES."""
    keys = {id(key) for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys if key is not None}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {node.value for node in constants if ID.match(node.value) and id(node) not in keys}


def test_a_file_defines_the_rules_of_the_prefix_that_its_docstring_names():
    owners = {}
    for name, tree in files().items():
        prefix = ast.get_docstring(tree).split(":")[0]
        assert {rule[:-3] for rule in defined(tree)} == {prefix}, name
        assert prefix not in owners, (name, owners[prefix])
        owners[prefix] = name
    assert sorted(owners) == sorted({rule[:-3] for rule in RULES})


def test_a_rule_is_raised_in_its_own_file_only():
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert sorted(raised(tree)) == sorted(defined(tree)), path.name


def test_ids_are_in_order():
    for name, tree in files().items():
        assert defined(tree) == sorted(defined(tree)), name
