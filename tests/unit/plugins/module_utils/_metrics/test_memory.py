# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered from one round to the next."""

from __future__ import annotations

import json

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.memory import added, best_since, starts
from hypothesis import given
from hypothesis import strategies as st


def test_a_new_process_is_a_start():
    found = starts({}, {"a": 5})
    assert found == {"a": {"pid": 5, "count": 0}}
    assert starts(found, {"a": 5}) == found
    # While it is down nothing has started.
    down = starts(found, {"a": None})
    assert down == found
    assert starts(down, {"a": 9}) == {"a": {"pid": 9, "count": 1}}


def test_what_was_never_seen_running_starts_for_the_first_time():
    assert starts(starts({}, {"a": None}), {"a": 3}) == {"a": {"pid": 3, "count": 0}}


def test_since_when_a_block_is_the_best():
    first = best_since({}, 10, 100.0)
    assert first == {"best": 10, "since": 100.0}
    assert best_since(first, 10, 160.0) == first
    assert best_since(first, 11, 160.0) == {"best": 11, "since": 160.0}
    assert best_since(first, None, 160.0) == first and best_since({}, None, 1.0) is None
    # A clock that was set back.
    assert best_since(first, 10, 50.0) == {"best": 10, "since": 50.0}


def test_counters_grow():
    assert added({"a": 1, "b": "x"}, {"a": 2, "c": 1}) == {"a": 3, "c": 1}


@pytest.mark.parametrize("read", [starts, best_since, added])
@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_whatever_was_kept_is_no_failure(read, kept):
    former = kept if isinstance(kept, dict) else {"a": kept, "best": kept, "since": kept}
    new = {starts: {"a": 1}, best_since: 3, added: {"a": 1}}[read]
    json.dumps(read(former, new, 5.0) if read is best_since else read(former, new))
