# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks registered, and that only one file knows the names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import registered

PLUGINS = Path(__file__).parents[5] / "plugins"
# Variables of playbooks and roles begin like this. What ends with two underscores is Python's own.
NAME = re.compile(r"(?<![\w_])__[a-z]\w*(?<!__)\b")
# role_files reads a table by its name in a role's vars, which is no registered variable.
KNOW_NAMES = {"plugin_utils/_cluster/registered.py", "plugin_utils/_cluster/role_files.py"}
FILES = sorted(str(path.relative_to(PLUGINS)) for path in PLUGINS.rglob("*.py"))


def names_in(text):
    """The names in strings, without examples of documentation."""
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if not is_examples(node)]
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    found = {name for value in constants if isinstance(value, str) for name in NAME.findall(value)}
    made = (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))
    return found | {text for text in made if text.startswith(("f'__{", 'f"__{'))}


def is_examples(node):
    return isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == ["EXAMPLES"]


@pytest.mark.parametrize("path", [path for path in FILES if path not in KNOW_NAMES])
def test_no_other_file_knows_names_of_variables(path):
    assert names_in((PLUGINS / path).read_text(encoding="utf-8")) == set()


def test_the_test_sees_names():
    assert names_in('x["__roll_at_work"]') == {"__roll_at_work"}
    assert names_in('f"__{component}_program"') == {"f'__{component}_program'"}
    assert names_in('EXAMPLES = "{{ __nats_settings }}"') == set()
    assert names_in('f"__nats_{x}"; y = "the fact C(__selection), __init__"') == {"__nats_", "__selection"}


def test_the_answers_of_roles():
    variables = {"__nats_program": {"changed": True}, "__nats_health": {"healthy": True}}
    assert registered.program_result(variables, "nats") == {"changed": True}
    assert registered.health_result(variables, "nats") == {"healthy": True}
    assert registered.restart_result(variables, "nats") == {}


def test_the_programs_that_were_started():
    first, again = {"name": "nats-server", "pid": 5}, {"name": "nats-server", "pid": 9}
    variables = {"__nats_program": {"started": [first]}, "__nats_first_start": {"skipped": True}}
    assert registered.started_programs(variables, "nats") == [first]
    assert registered.started_programs({**variables, "__nats_first_start": {"started": [again]}}, "nats") == [again]
    assert registered.started_programs({**variables, "__nats_first_start": {"started": []}}, "nats") == [first]
    assert registered.started_programs(variables, "node") == []
    assert registered.start_check_result({"__cluster_start_check": {"programs": []}}) == {"programs": []}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, None),
        ({"__roll_at_work": {"component": "node", "at_work": True}}, None),
        ({"__roll_at_work": {"component": "nats", "at_work": False}}, {"component": "nats", "at_work": False}),
    ],
)
def test_what_a_host_told_of_a_component(variables, told):
    assert registered.serving_result(variables, "nats") == told


def test_preflight_counts_where_it_judged():
    assert registered.preflight_result({}) is None
    assert registered.preflight_result({"__preflight": {"skipped": True}}) is None
    assert registered.preflight_result({"__preflight": {"findings": []}}) == {"findings": []}
