# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a reading may be."""

from __future__ import annotations

import json

from ansible_collections.autonomys.cluster.plugins.module_utils._reading.size import MAX_BYTES, fitted, without_files
from hypothesis import given
from hypothesis import strategies as st


def test_what_fits_stays_as_it_is():
    assert fitted({"host": {"a": 1}, "gpus": None}) == {"host": {"a": 1}, "gpus": None}


def test_a_part_that_is_too_long_says_so_and_spoils_no_other():
    found = fitted({"host": {"files": "x" * MAX_BYTES}, "disks": {"/mnt/a": {}}})
    assert found == {
        "host": {"error": f"its answer takes {MAX_BYTES + 13} bytes, and {MAX_BYTES} are left for it"},
        "disks": {"/mnt/a": {}},
    }


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=40), max_size=6), st.integers(0, 100))
def test_all_together_take_no_more(parts, most):
    found = fitted(parts, most)
    assert list(found) == list(parts)
    assert sum(len(json.dumps(part)) for name, part in found.items() if part == parts[name]) <= most


def test_open_files_are_judged_and_not_sent():
    looked = {"healthy": True, "evidence": {"programs": [{"name": "a", "open_files": ["/mnt/a/plot.bin"]}]}}
    assert without_files(looked)["evidence"] == {"programs": [{"name": "a", "open_files": []}]}
    assert without_files({"evidence": {"nats": {}}}) == {"evidence": {"nats": {}}}
