# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake chain: pure functions that every process can evaluate by itself.

Slots come from the wall clock and pieces from the genesis hash, so that nodes, caches and farms agree without talking.
"""

from __future__ import annotations

import hashlib

#: Chains that the fakes know, with the name that `system_chain` answers.
CHAINS = {
    "mainnet": "Autonomys Mainnet",
    "taurus": "Autonomys Taurus",
    "chronos": "Autonomys Chronos",
}
GENESIS_TIME = 1_730_851_200  # 2024-11-06 00:00 UTC, when mainnet started
SLOTS_PER_BLOCK = 6
#: A solution is worth something only this long after its slot.
FARMING_TIMEOUT = 4.0

#: One piece a sector makes a sector about 1 MiB instead of 1 GB; all other sizes are the real ones.
PIECES_IN_SECTOR = 1
#: Length of the archived history.
ARCHIVED_PIECES = 8
RECORD_SIZE = 1024 * 1024
COMMITMENT_SIZE = WITNESS_SIZE = 48
PIECE_SIZE = RECORD_SIZE + COMMITMENT_SIZE + WITNESS_SIZE
CONTENTS_MAP_SIZE = 8192
RECORD_METADATA_SIZE = 128
CHECKSUM_SIZE = 64
SECTOR_METADATA_SIZE = 131_116
METADATA_HEADER_SIZE = 1024 * 1024
DISK_SECTOR_SIZE = 4096
MAX_SECTORS = 65_534
MAX_FARMS = 256


def sector_size(pieces: int = PIECES_IN_SECTOR) -> int:
    """Return the bytes of an encoded sector of so many pieces."""
    return pieces * (RECORD_SIZE + CONTENTS_MAP_SIZE + RECORD_METADATA_SIZE) + CHECKSUM_SIZE


def _round_up(size: int) -> int:
    return -(-size // DISK_SECTOR_SIZE) * DISK_SECTOR_SIZE


def plot_file_size(sectors: int) -> int:
    """Return the size of a farm's plot.bin."""
    return _round_up(sectors * sector_size())


def metadata_file_size(sectors: int) -> int:
    """Return the size of a farm's metadata.bin."""
    return _round_up(METADATA_HEADER_SIZE + sectors * SECTOR_METADATA_SIZE)


def genesis_hash(chain: str) -> str:
    """Return the genesis hash of a chain, in hex."""
    return hashlib.sha256(b"autonomys-fake-genesis:" + chain.encode()).hexdigest()


def slot_at(now: float) -> int:
    """Return the number of the slot that is current at a Unix time."""
    return int(now - GENESIS_TIME)


def slot_time(slot: int) -> float:
    """Return the Unix time at which a slot begins."""
    return float(GENESIS_TIME + slot)


def best_block(slot: int) -> int:
    """Return the number of the best block at a slot."""
    return slot // SLOTS_PER_BLOCK


def block_hash(genesis: str, number: int) -> str:
    """Return the hash of a block, in hex."""
    return "0x" + hashlib.sha256(f"{genesis}:block:{number}".encode()).hexdigest()


def challenge(genesis: str, slot: int) -> str:
    """Return the challenge of a slot, in hex."""
    return hashlib.sha256(f"{genesis}:slot:{slot}".encode()).hexdigest()


def make_piece(genesis: str, index: int) -> bytes:
    """Return a piece of the archived history: record, commitment to it, witness of its place."""
    record = hashlib.shake_256(f"{genesis}:piece:{index}".encode()).digest(RECORD_SIZE)
    commitment = hashlib.sha384(record).digest()
    return record + commitment + _witness(genesis, index, commitment)


def _witness(genesis: str, index: int, commitment: bytes) -> bytes:
    return hashlib.sha384(f"{genesis}:{index}:".encode() + commitment).digest()


def piece_valid(genesis: str, index: int, piece: bytes) -> bool:
    """Say whether bytes are that piece of that chain."""
    if len(piece) != PIECE_SIZE:
        return False
    commitment = piece[RECORD_SIZE : RECORD_SIZE + COMMITMENT_SIZE]
    return hashlib.sha384(piece[:RECORD_SIZE]).digest() == commitment and piece[-WITNESS_SIZE:] == _witness(
        genesis, index, commitment
    )


def piece_of_sector(farm_id: str, sector_index: int) -> int:
    """Return the index of the piece that goes into a sector."""
    digest = hashlib.sha256(f"{farm_id}:{sector_index}".encode()).digest()
    return int.from_bytes(digest[:8], "little") % ARCHIVED_PIECES


def encode_sector(piece: bytes, farm_id: str, sector_index: int) -> bytes:
    """Encode a piece into a sector that is unlike any other farm's."""
    seed = f"{farm_id}:{sector_index}".encode()
    key_stream = int.from_bytes(hashlib.shake_256(seed).digest(RECORD_SIZE), "little")
    record = (int.from_bytes(piece[:RECORD_SIZE], "little") ^ key_stream).to_bytes(RECORD_SIZE, "little")
    contents_map = hashlib.shake_256(b"map:" + seed).digest(CONTENTS_MAP_SIZE)
    record_metadata = piece[RECORD_SIZE:] + hashlib.sha256(record).digest()
    body = record + contents_map + record_metadata
    return body + hashlib.sha512(body).digest()


def sector_valid(sector: bytes) -> bool:
    """Say whether a sector's checksum is right."""
    return len(sector) == sector_size() and hashlib.sha512(sector[:-CHECKSUM_SIZE]).digest() == sector[-CHECKSUM_SIZE:]


def prove(slot_challenge: str, chunk: str) -> str:
    """Return the proof for a chunk (hex) of a sector that answers a challenge."""
    return hashlib.sha256(f"{slot_challenge}:{chunk}".encode()).hexdigest()


def solution_error(genesis: str, solution: dict, now: float) -> str | None:
    """Say what is wrong with a solution, None when nothing is."""
    slot = solution.get("slot")
    if not isinstance(slot, int):
        return "solution has no slot"
    if not 0 <= now - slot_time(slot) <= FARMING_TIMEOUT:
        return f"solution for slot {slot} is outside of its time"
    expected = prove(challenge(genesis, slot), str(solution.get("chunk")))
    if solution.get("proof") != expected:
        return f"proof for slot {slot} is wrong"
    return None
