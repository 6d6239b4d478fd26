# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests of plugins/X/y.py are in tests/unit/plugins/X/test_y.py, or in test_y_<aspect>.py beside it.

A file of a package may be tested through its neighbours; then the package's own folder has the tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS, TESTS = ROOT / "plugins", ROOT / "tests/unit/plugins"


def mirrored(path):
    """Files of tests that belong to a file below plugins/."""
    stem = path.stem.lstrip("_")
    folder = TESTS / path.parent
    return [folder / f"test_{stem}.py", *folder.glob(f"test_{stem}_*.py")]


def code():
    found = [
        path.relative_to(PLUGINS)
        for part in ("module_utils", "plugin_utils")
        for path in (PLUGINS / part).rglob("*.py")
    ]
    return sorted(path for path in found if path.name != "__init__.py")


@pytest.mark.parametrize("path", code(), ids=str)
def test_code_has_tests_where_one_looks_for_them(path):
    package = TESTS / path.parent
    in_a_package = len(path.parts) > 2
    assert any(test.exists() for test in mirrored(path)) or (in_a_package and any(package.glob("test_*.py")))


@pytest.mark.parametrize("path", sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")), ids=str)
def test_tests_are_of_something(path):
    places = [(PLUGINS / path.parent).glob("*.py")] if (PLUGINS / path.parent).is_dir() else []
    names = {found.stem.lstrip("_") for place in places for found in place}
    stem = path.stem[len("test_") :]
    assert any(stem == name or stem.startswith(name + "_") for name in names)
