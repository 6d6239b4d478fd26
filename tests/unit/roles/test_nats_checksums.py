# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pinned checksums of nats-server."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def test_pinned_checksums():
    table = yaml.safe_load((ROOT / "roles" / "common" / "vars" / "main" / "nats_checksums.yml").read_text())[
        "__common_nats_checksums"
    ]
    assert len(table) == 66
    values = [checksum for version in table.values() for checksum in version.values()]
    assert all(re.match("^[0-9a-f]{64}$", value) for value in values)
    assert len(set(values)) == len(values)
    assert all(isinstance(version, str) and set(entry) == {"amd64", "arm64"} for version, entry in table.items())
