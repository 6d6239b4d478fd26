# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._kinds import (
    KindError,
    flag,
    items,
    mapping,
    number,
    text,
    whole,
)

RIGHT = {
    mapping: ({}, [{}, {"a": 1}]),
    items: ([], [[], [{}, {"a": 1}]]),
    text: (None, ["", "x"]),
    flag: (None, [True, False]),
    whole: (None, [0, 7]),
    number: (None, [0, 1.5]),
}
EVERYTHING = [
    {},
    {"a": 1},
    [],
    [{}, {"a": 1}],
    [1],
    "",
    "x",
    True,
    False,
    0,
    7,
    -1,
    1.5,
    -0.5,
    float("nan"),
    float("inf"),
]
# What is of two kinds.
ALSO = {items: [[]], number: [7], mapping: []}


@pytest.mark.parametrize("kind", RIGHT, ids=lambda kind: kind.__name__)
def test_a_value_is_of_its_kind_or_missing_or_an_error(kind):
    empty, right = RIGHT[kind]
    assert kind({}, "a") == kind({"a": None}, "a") == empty
    for value in right + ALSO.get(kind, []):
        assert kind({"a": value}, "a") == value
    accepted = [repr(value) for value in right + ALSO.get(kind, [])]
    for value in EVERYTHING:
        if repr(value) not in accepted:
            with pytest.raises(KindError, match="^a is n"):
                kind({"a": value}, "a")
