# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody sees first."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_first_screen_shows_the_report():
    first = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert "](docs/report.png)" in first
    assert (ROOT / "docs/report.png").stat().st_size < 300_000
