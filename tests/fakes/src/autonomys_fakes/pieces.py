# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces in a folder, a file each: caches keep them so, and export-piece writes them so."""

from __future__ import annotations

from pathlib import Path

from . import chain


class PieceFolder:
    """A folder of pieces of one chain; a piece is there completely or not at all."""

    def __init__(self, path: str):
        self._folder = Path(path)
        self._folder.mkdir(parents=True, exist_ok=True)

    def _file(self, index: int) -> Path:
        return self._folder / f"{index:08d}.piece"

    def read(self, index: int) -> bytes | None:
        """Return a piece as it stands there."""
        try:
            return self._file(index).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, index: int, piece: bytes) -> None:
        """Write a piece."""
        new = self._file(index).with_suffix(".new")
        new.write_bytes(piece)
        new.rename(self._file(index))

    def remove(self, index: int) -> None:
        """Remove a piece."""
        self._file(index).unlink(missing_ok=True)

    def valid(self, genesis: str, index: int) -> bool:
        """Say whether a piece is there and whole."""
        piece = self.read(index)
        return piece is not None and chain.piece_valid(genesis, index, piece)
