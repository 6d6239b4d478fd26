# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sharded-cache and full-piece-sharded-cache: keep pieces and send them to who asks, host to host over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from pathlib import Path

from . import blobs, bus, chain
from .pieces import PieceFolder
from .process import Fatal, Process

_RETRY_SECONDS = 2


async def run(process: Process, arguments) -> None:
    """Run until cancelled."""
    cluster = bus.Bus(process, arguments.nats_servers)
    try:
        with contextlib.ExitStack() as locks:
            folders = [PieceFolder(path) for path in arguments.paths]
            for path in arguments.paths:
                lock = locks.enter_context(Path(path, "cache.lock").open("w", encoding="utf-8"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            await cluster.connect()
            cache = _Cache(process, cluster, folders, in_memory=getattr(arguments, "mem_cache", False))
            try:
                await cache.run()
            finally:
                await cluster.close()
                if getattr(arguments, "tmp", False):
                    # Upstream's meaning of --tmp, and why it must not be used with exported pieces.
                    cache.drop_all()
    except OSError as error:
        raise Fatal(f"Failed to open cache: {error}") from None


class _Cache:
    def __init__(self, process: Process, cluster: bus.Bus, folders: list, in_memory: bool):
        self._process = process
        self._cluster = cluster
        self._folders = folders
        self._memory: dict | None = {} if in_memory else None
        self._genesis = ""
        self._ready: set = set()
        self._port = 0
        self._refill = asyncio.Event()

    async def run(self) -> None:
        server, self._port = await blobs.serve(self._read)
        try:
            await self._learn_chain()
            # What is in the folder is served whether or not a controller lives.
            await self._cluster.serve(bus.cache_find(self._process.component), self._find, self._process.component)
            await self._cluster.serve(bus.CACHE_LIST, self._describe)
            await self._cluster.serve(bus.CACHE_REINITIALIZE, self._reinitialize)
            while True:
                await self._fill()
                self._process.log("INFO", f"Cache is complete: {len(self._ready)} pieces, TCP port {self._port}")
                self._refill.clear()
                await self._refill.wait()
        finally:
            server.close()

    async def _learn_chain(self) -> None:
        while not self._genesis:
            try:
                info = await self._cluster.request(bus.FARMER_APP_INFO, {}, timeout=3)
                self._genesis = info["genesisHash"]
            except bus.NoAnswer as error:
                self._process.log("WARN", f"Waiting for a controller: {error}")
                await asyncio.sleep(_RETRY_SECONDS)

    def _folder(self, index: int) -> PieceFolder:
        return self._folders[index % len(self._folders)]

    def _read(self, key: str) -> bytes | None:
        index = int(key)
        piece = self._folder(index).read(index) if self._memory is None else self._memory.get(index)
        if piece is None:
            return None
        self._process.count("pieces_sent")
        if self._process.switches.get("corrupt_pieces"):
            piece = bytes([piece[0] ^ 1]) + piece[1:]
        return piece

    async def _fill(self) -> None:
        for index in range(chain.ARCHIVED_PIECES):
            if self._memory is None and self._folder(index).valid(self._genesis, index):
                self._process.count("pieces_found")
            else:
                piece = await self._get(index)
                if self._memory is None:
                    self._folder(index).write(index, piece)
                else:
                    self._memory[index] = piece
                self._process.count("pieces_fetched")
            self._ready.add(index)
            self._process.counters["pieces"] = len(self._ready)
            await asyncio.sleep(0)

    async def _get(self, index: int) -> bytes:
        while True:
            try:
                piece = await self._cluster.request_bytes(bus.PIECE, {"index": index}, timeout=5)
                if chain.piece_valid(self._genesis, index, piece):
                    return piece
                self._process.log("WARN", f"Piece {index} came damaged")
            except bus.NoAnswer as error:
                self._process.log("WARN", f"Waiting for piece {index}: {error}")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _find(self, request: dict) -> dict:
        index = request["index"]
        if index not in self._ready:
            return {"error": f"piece {index} is not in this cache"}
        return {"address": self._cluster.address, "port": self._port, "key": str(index)}

    async def _describe(self, _request: dict) -> dict:
        process = self._process
        return {
            "kind": process.component,
            "program": process.program,
            "host": process.host,
            "address": self._cluster.address,
            "port": self._port,
            "pieces": sorted(self._ready),
            "genesis": self._genesis,
        }

    async def _reinitialize(self, _request: dict) -> None:
        self._process.log("INFO", "Reinitializing")
        self._process.count("reinitialized")
        self._ready.clear()
        if self._process.component == "sharded-cache":
            self.drop_all()
        # A full-piece cache checks what is in its folder again, so that exported pieces survive.
        self._refill.set()

    def drop_all(self) -> None:
        """Remove all pieces."""
        for index in range(chain.ARCHIVED_PIECES):
            self._folder(index).remove(index)
        if self._memory is not None:
            self._memory.clear()
