# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""How many bytes a farm's sectors take, and how many sectors fit into a number of bytes."""

from __future__ import annotations

# A piece in a sector: 32,768 chunks of 32 bytes, one bit for each of 65,536 s-buckets, and 128 bytes of commitment,
# witness and checksum.
PIECE_BYTES = 32768 * 32 + 65536 // 8 + 128
# A sector's two checksums of 32 bytes: of its contents map and of its records' metadata.
SECTOR_CHECKSUMS_BYTES = 64
# metadata.bin holds for each sector the size of every s-bucket (65,536 numbers of 2 bytes), index, number of pieces,
# history size (2 + 2 + 8) and a checksum of 32 bytes. The number of pieces does not change it.
SECTOR_METADATA_BYTES = 65536 * 2 + 2 + 2 + 8 + 32
PLOT_METADATA_HEADER_BYTES = 1024 * 1024
# What a farm takes besides its sectors: the header of metadata.bin, the identity, rounding.
RESERVED_BYTES = 2 * 1024 * 1024
DEFAULT_PIECES_IN_SECTOR = 1000
# Upstream numbers sectors with 16 bits.
MAX_SECTORS = 65534
MAX_PIECES_IN_SECTOR = 65535
BLOCK_BYTES = 4096


class SectorsError(ValueError):
    """A number that no farm can have; the message names it."""


def sector_size(pieces_in_sector: int = DEFAULT_PIECES_IN_SECTOR) -> int:
    """Return the bytes of one sector in plot.bin."""
    if (
        isinstance(pieces_in_sector, bool)
        or not isinstance(pieces_in_sector, int)
        or not 1 <= pieces_in_sector <= MAX_PIECES_IN_SECTOR
    ):
        raise SectorsError(
            f"pieces_in_sector must be an integer from 1 to {MAX_PIECES_IN_SECTOR}, not {pieces_in_sector!r}"
        )
    return PIECE_BYTES * pieces_in_sector + SECTOR_CHECKSUMS_BYTES


def sector_bytes(pieces_in_sector: int = DEFAULT_PIECES_IN_SECTOR) -> int:
    """Return the bytes of one sector in plot.bin and metadata.bin together."""
    return sector_size(pieces_in_sector) + SECTOR_METADATA_BYTES


def farm_files(sectors: int, pieces_in_sector: int = DEFAULT_PIECES_IN_SECTOR) -> dict[str, int]:
    """Return the bytes of a farm's two large files, ``plot.bin`` and ``metadata.bin``, as the farmer allocates them."""

    def rounded(size: int) -> int:
        return -(-size // BLOCK_BYTES) * BLOCK_BYTES

    return {
        "plot.bin": rounded(sectors * sector_size(pieces_in_sector)),
        "metadata.bin": rounded(PLOT_METADATA_HEADER_BYTES + sectors * SECTOR_METADATA_BYTES),
    }


def max_sectors(
    available_bytes: int,
    existing_plot_bytes: int = 0,
    pieces_in_sector: int = DEFAULT_PIECES_IN_SECTOR,
    margin_bytes: int = 0,
) -> int:
    """Return how many sectors fit.

    They have ``available_bytes`` to the farm's user and what its plot already takes, less reserve and margin.
    """
    for name, value in (
        ("available_bytes", available_bytes),
        ("existing_plot_bytes", existing_plot_bytes),
        ("margin_bytes", margin_bytes),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SectorsError(f"{name} must be an integer of at least 0, not {value!r}")
    room = available_bytes + existing_plot_bytes - RESERVED_BYTES - margin_bytes
    return max(0, min(MAX_SECTORS, room // sector_bytes(pieces_in_sector)))


def existing_sectors(existing_plot_bytes: int, pieces_in_sector: int = DEFAULT_PIECES_IN_SECTOR) -> int:
    """Return the number of sectors of a farm, 0 where there is none.

    ``existing_plot_bytes`` is what its plot.bin and metadata.bin take together.
    """
    return max(0, existing_plot_bytes - PLOT_METADATA_HEADER_BYTES) // sector_bytes(pieces_in_sector)
