# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.filter.max_sectors import max_sectors as max_sectors_filter
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import (
    SECTOR_METADATA_BYTES,
    SectorsError,
    existing_sectors,
    farm_files,
    max_sectors,
    sector_bytes,
    sector_size,
)
from hypothesis import given, settings
from hypothesis import strategies as st


def test_published_sizes():
    assert sector_size() == 1_056_896_064
    assert SECTOR_METADATA_BYTES == 131_116
    assert sector_bytes() == 1_057_027_180
    assert sector_size(1) == 1_056_960
    assert sum(farm_files(8000).values()) == 8_456_218_488_576 + 4096 - 8_456_218_488_576 % 4096


# What a real ext4 of this size said: blocks of 1 KiB available to root and to others
@pytest.mark.parametrize("kib, wanted", [(7_359_117_608, 7129), (7_749_758_992, 7507)])
def test_measured_on_8e12_bytes(kib, wanted):
    assert max_sectors(kib * 1024) == wanted
    assert max_sectors_filter(kib * 1024) == wanted


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**14), st.integers(0, 10**13), st.integers(1, 2000), st.integers(0, 10**10))
def test_largest_number_that_fits(available, existing, pieces, margin):
    room = available + existing
    count = max_sectors(available, existing, pieces, margin)
    assert 0 <= count <= 65534
    if count:
        assert sum(farm_files(count, pieces).values()) + margin <= room
    if count < 65534:
        assert sum(farm_files(count + 1, pieces).values()) + margin + 2 * 2**20 > room


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 65534), st.integers(1, 2000))
def test_number_of_sectors_from_the_files(sectors, pieces):
    assert existing_sectors(sum(farm_files(sectors, pieces).values()), pieces) == sectors


def test_farm_files_are_whole_blocks():
    assert farm_files(1, 1) == {"plot.bin": 1_060_864, "metadata.bin": 1_179_692 + 4096 - 1_179_692 % 4096}


def test_no_room():
    assert max_sectors(0) == 0
    assert max_sectors(10**9) == 0
    assert max_sectors(10**12, margin_bytes=10**13) == 0
    assert max_sectors(10**18) == 65534


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((-1,), "available_bytes must be an integer of at least 0, not -1"),
        (("7T",), "available_bytes must be an integer of at least 0, not '7T'"),
        ((1, True), "existing_plot_bytes must be"),
        ((1, 0, 0), "pieces_in_sector must be an integer from 1 to 65535, not 0"),
        ((1, 0, 1000, 1.5), "margin_bytes must be"),
    ],
)
def test_wrong_numbers(arguments, message):
    with pytest.raises(SectorsError, match=message):
        max_sectors(*arguments)
    with pytest.raises(AnsibleFilterError, match=message):
        max_sectors_filter(*arguments)


@settings(max_examples=200, deadline=None)
@given(sectors=st.integers(1, 65534), pieces=st.sampled_from([1, 7, 1000]))
def test_the_files_of_a_farm_tell_its_number_of_sectors(sectors, pieces):
    assert existing_sectors(sum(farm_files(sectors, pieces).values()), pieces) == sectors
