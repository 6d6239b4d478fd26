# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake chain: arithmetic, pieces, sectors, solutions."""

from __future__ import annotations

import pytest
from autonomys_fakes import chain

GENESIS = chain.genesis_hash("mainnet")


def test_sizes_are_the_real_ones():
    assert chain.sector_size(1000) + chain.SECTOR_METADATA_SIZE == 1_057_027_180
    assert chain.sector_size() == 1_056_960
    assert chain.plot_file_size(1) == 1_060_864
    assert chain.metadata_file_size(1) == 1_048_576 + 135_168


def test_chains_differ():
    assert len({chain.genesis_hash(name) for name in chain.CHAINS}) == len(chain.CHAINS)


def test_piece_and_sector():
    piece = chain.make_piece(GENESIS, 3)
    assert len(piece) == chain.PIECE_SIZE
    assert chain.piece_valid(GENESIS, 3, piece)
    assert not chain.piece_valid(GENESIS, 4, piece)
    assert not chain.piece_valid(chain.genesis_hash("taurus"), 3, piece)
    assert not chain.piece_valid(GENESIS, 3, b"x" + piece[1:])
    assert not chain.piece_valid(GENESIS, 3, piece[:-1])

    sector = chain.encode_sector(piece, "farm", 0)
    assert len(sector) == chain.sector_size()
    assert chain.sector_valid(sector)
    assert not chain.sector_valid(bytes(len(sector)))
    assert sector != chain.encode_sector(piece, "other farm", 0)


@pytest.mark.parametrize(
    ("change", "late", "error"),
    [
        ({}, 0.5, None),
        ({}, chain.FARMING_TIMEOUT + 1, "outside of its time"),
        ({}, -2, "outside of its time"),
        ({"proof": "00"}, 0, "wrong"),
        ({"chunk": "ff"}, 0, "wrong"),
        ({"slot": None}, 0, "no slot"),
    ],
)
def test_solution(change, late, error):
    slot = chain.slot_at(1_800_000_000)
    solution = {"slot": slot, "chunk": "ab", "proof": chain.prove(chain.challenge(GENESIS, slot), "ab"), **change}
    found = chain.solution_error(GENESIS, solution, chain.slot_time(slot) + late)
    assert found is None if error is None else error in found
