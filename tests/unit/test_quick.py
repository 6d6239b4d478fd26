# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make quick` looks at."""

from __future__ import annotations

import quick


def test_only_linters_that_have_something_to_look_at_run():
    assert quick.lints(["README.md"]) == {}
    assert list(quick.lints(["tests/run.py"])) == ["ruff", "ruff format"]
    assert list(quick.lints(["inventories/demo/hosts.yml"])) == ["yamllint"]
    assert quick.lints(["roles/nats/tasks/main.yml", "README.md"])["ansible-lint"][2:] == ["roles/nats/tasks/main.yml"]
    assert "mypy" in quick.lints(["plugins/modules/plan.py"])
    assert "mypy of tools" in quick.lints(["tools/sbom.py"])


def test_a_change_that_users_see_has_a_fragment():
    missing = quick.fragment_missing(["plugins/modules/plan.py", "tests/run.py"])
    assert "plugins/modules/plan.py changed" in missing and "trivial" in missing
    assert quick.fragment_missing(["plugins/modules/plan.py", "changelogs/fragments/plan.yml"]) is None
    assert quick.fragment_missing(["tests/run.py", "docs/numa.md"]) is None


def test_what_is_left_out_is_there():
    assert [path for path in quick.LEFT_OUT if not (quick.REPOSITORY / path).exists()] == []
