# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.limits import name_fault, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("2m", 120), ("1m30s", 90), ("0.5h", 1800), ("500ms", 0.5), ("1h1m1s", 3661), ("1.5s", 1.5)],
)
def test_durations_are_read_as_nats_server_reads_them(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["30", "30 s", "", "s", "30sec", "1d", "-", "30s ", None, 30, "1m 30s", "9" * 5000 + "s"]
)
def test_durations_that_nats_server_refuses(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("name", "fault"),
    [("node-1", None), ("101", None), ("node 1", "it has a space"), ("a\tb", "it has a space"), ("", "it is empty")],
)
def test_names(name, fault):
    assert name_fault(name) == fault
