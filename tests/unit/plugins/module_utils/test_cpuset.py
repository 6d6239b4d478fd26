# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import (
    CpuSetError,
    format_cpu_list,
    parse_cpu_list,
    parse_cpu_mask,
    ranges,
)
from hypothesis import given, settings
from hypothesis import strategies as st

CPUS = st.sets(st.integers(0, 1023))


@settings(max_examples=100, deadline=None)
@given(CPUS)
def test_list_there_and_back(cpus):
    text = format_cpu_list(cpus)
    assert parse_cpu_list(text) == cpus
    assert format_cpu_list(parse_cpu_list(text)) == text


@settings(max_examples=100, deadline=None)
@given(CPUS, st.integers(0, 3))
def test_mask_there_and_back(cpus, leading_groups):
    digits = f"{sum(1 << cpu for cpu in cpus):x}"
    digits = digits.zfill(-(-len(digits) // 8) * 8 + 8 * leading_groups)
    assert parse_cpu_mask(",".join(digits[i : i + 8] for i in range(0, len(digits), 8))) == cpus


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", set()),
        (None, set()),
        ("\n", set()),
        ("0", {0}),
        ("0-3,8\n", {0, 1, 2, 3, 8}),
        ("1-1,3-3", {1, 3}),
        ("3,1", {1, 3}),
    ],
)
def test_lists(text, wanted):
    assert parse_cpu_list(text) == wanted


@pytest.mark.parametrize("text", ["a", "1-", "-1", "1,,2", "3-1", "0-9999", "1 2", "0-3;5", "٣"])
def test_wrong_lists(text):
    with pytest.raises(CpuSetError, match="CPU list"):
        parse_cpu_list(text)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", set()),
        ("0", set()),
        ("f", {0, 1, 2, 3}),
        ("0000,00000000,0000ffff\n\n", set(range(16))),
        ("1,00000000", {32}),
        ("0xff", set(range(8))),
    ],
)
def test_masks(text, wanted):
    assert parse_cpu_mask(text) == wanted


@pytest.mark.parametrize("text", ["x", "f,,f", "f" * 3000])
def test_wrong_masks(text):
    with pytest.raises(CpuSetError, match="CPU mask"):
        parse_cpu_mask(text)


def test_ranges():
    assert ranges([5, 1, 2, 3]) == [(1, 3), (5, 5)]
