# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Code that is read in one go: no long files, no long functions, and no checks that a comment switches off."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 50
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
SWITCHED_OFF = re.compile(r"#\s*(type:\s*ignore|noqa|pylint:|mypy:|ruff:|pragma:)")


def code_files(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, check=True, text=True, stdout=-1
    )
    return sorted(Path(name) for name in listed.stdout.split() if (ROOT / name).exists())


def is_documentation(node):
    return (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in DOCUMENTATION
    )


def code_lines(source):
    """Number of lines that are neither blank nor a module's documentation."""
    left_out = {
        number
        for node in ast.parse(source).body
        if is_documentation(node)
        for number in range(node.lineno, node.end_lineno + 1)
    }
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in lines if line.strip() and number not in left_out)


def long_functions(source):
    """Names of functions that are too long, with their lines."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lengths = {node.name: node.end_lineno - node.lineno + 1 for node in nodes}
    return {name: length for name, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION}


CODE = code_files("plugins/*.py", "roles/*.py")


@pytest.mark.parametrize("path", CODE, ids=str)
def test_files_and_functions_are_short(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    assert code_lines(source) <= MOST_LINES_OF_A_FILE
    assert long_functions(source) == {}


@pytest.mark.parametrize("path", code_files("plugins/*.py", "roles/*.py", "tests/*.py", "molecule/*.py"), ids=str)
def test_no_comment_switches_a_check_off(path):
    assert SWITCHED_OFF.findall((ROOT / path).read_text(encoding="utf-8")) == []


def test_what_is_too_long_is_seen():
    body = "    x = 1\n" * 60
    assert long_functions("def f():\n" + body) == {"f": 61}
    assert code_lines('DOCUMENTATION = r"""\na\nb\n"""\n\nx = 1\n') == 1
    assert SWITCHED_OFF.search("x = f()  # " + "type: ignore")
