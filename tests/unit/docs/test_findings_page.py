# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/findings.md and the code say the same."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules.findings import RULES

PAGE = Path(__file__).parents[3] / "docs" / "findings.md"
ROW = re.compile(r"^\| `([A-Z]+[0-9]{3})` \| (\w+) \| (\w+) \| (.+?) \| .*\|$", re.MULTILINE)


def test_every_rule_has_its_row():
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) == len(set(rows))
    assert {row[0]: tuple(row[1:]) for row in rows} == {rule: tuple(entry) for rule, entry in RULES.items()}
