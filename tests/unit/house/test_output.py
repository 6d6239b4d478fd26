# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes to the operator's terminal passes through ``printable``.

Ansible's ``Display`` prints whatever a host sent.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
FILES = sorted(
    path.relative_to(PLUGINS) for folder in ("action", "plugin_utils") for path in (PLUGINS / folder).rglob("*.py")
)


def unguarded(source):
    """The lines that print something else than a constant or what ``printable`` returns."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        if name not in ("display", "v", "vv", "vvv", "warning", "error", "deprecated", "print") or not node.args:
            continue
        guarded = isinstance(node.args[0], ast.Call) and getattr(node.args[0].func, "id", None) == "printable"
        if not guarded and not isinstance(node.args[0], ast.Constant):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_nothing_is_printed_as_a_host_sent_it(path):
    assert unguarded((PLUGINS / path).read_text(encoding="utf-8")) == []


def test_the_rule_sees_what_breaks_it():
    assert unguarded("Display().display(text)\ndisplay.display('')\ndisplay.warning(printable(text))\nprint(text)") == [
        1,
        4,
    ]
