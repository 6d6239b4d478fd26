# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plot-server: encodes sectors on its GPU from pieces that the caches send."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import blobs, bus, chain
from .gpus import GpuHolder
from .process import Fatal, Process

_DEFAULT_THREADS = 4
_KEEP_SECONDS = 30
#: Looked at in this order.
_CACHE_KINDS = ("full-piece-sharded-cache", "sharded-cache")


async def run(process: Process, arguments) -> None:
    """Run until cancelled."""
    threads = arguments.record_encoding_concurrency or _threads_from_environment()
    pool = _start_threads(min(threads, 32))
    try:
        Path(arguments.base_path).mkdir(parents=True, exist_ok=True)
        with Path(arguments.base_path, "plot-server.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            await _serve(process, arguments, pool)
    except OSError as error:
        raise Fatal(str(error)) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


async def _serve(process: Process, arguments, pool: ThreadPoolExecutor) -> None:
    gpu = GpuHolder(process)
    cluster = bus.Bus(process, arguments.nats_servers)
    server = None
    sectors = _Sectors()
    try:
        if not process.switches.get("no_listen"):
            server, _port = await blobs.serve(sectors.take, arguments.listen_port)
            process.log("INFO", f"Listening on port {arguments.listen_port}")
        await cluster.connect()
        encoder = _Encoder(process, cluster, pool, sectors, arguments.listen_port)
        await cluster.serve(bus.PLOT, encoder.plot, "plot-servers")
        process.log("INFO", "Plot server is ready")
        await asyncio.Event().wait()
    finally:
        await cluster.close()
        gpu.release()
        if server is not None:
            server.close()


def _threads_from_environment() -> int:
    text = os.environ.get("GPU_CONCURRENCY", str(_DEFAULT_THREADS))
    if not text.isdigit() or int(text) < 1:
        raise Fatal(f"GPU_CONCURRENCY must be a number above zero, not {text!r}")
    return int(text)


def _start_threads(number: int) -> ThreadPoolExecutor:
    """Start all threads now: a health check looks at the mask of each of them."""
    pool = ThreadPoolExecutor(number, thread_name_prefix="plotting")
    barrier = threading.Barrier(number + 1)
    for _index in range(number):
        pool.submit(barrier.wait)
    barrier.wait()
    return pool


class _Sectors:
    """Encoded sectors that wait to be fetched, each once."""

    def __init__(self) -> None:
        self._sectors: dict = {}

    def put(self, sector: bytes) -> str:
        """Keep a sector for a while; return its key."""
        now = time.monotonic()
        self._sectors = {key: item for key, item in self._sectors.items() if item[0] > now}
        key = secrets.token_hex(8)
        self._sectors[key] = (now + _KEEP_SECONDS, sector)
        return key

    def take(self, key: str) -> bytes | None:
        """Return a sector and forget it."""
        return self._sectors.pop(key, (0, None))[1]


class _Encoder:
    def __init__(self, process: Process, cluster: bus.Bus, pool: ThreadPoolExecutor, sectors: _Sectors, port: int):
        self._process = process
        self._cluster = cluster
        self._pool = pool
        self._sectors = sectors
        self._port = port

    async def plot(self, request: dict) -> dict:
        """Answer with where the encoded sector can be fetched."""
        farm_id, sector_index, genesis = request["farm_id"], request["sector_index"], request["genesis"]
        try:
            piece = await self._piece(chain.piece_of_sector(farm_id, sector_index), genesis)
        except (bus.NoAnswer, OSError) as error:
            self._process.count("pieces_missing")
            return {"error": str(error)}
        loop = asyncio.get_running_loop()
        sector = await loop.run_in_executor(self._pool, chain.encode_sector, piece, farm_id, sector_index)
        self._process.count("sectors_encoded")
        return {"address": self._cluster.address, "port": self._port, "key": self._sectors.put(sector)}

    async def _piece(self, index: int, genesis: str) -> bytes:
        error: Exception = OSError("no cache")
        for kind in _CACHE_KINDS:
            try:
                place = await self._cluster.request(bus.cache_find(kind), {"index": index}, timeout=2)
                piece = await blobs.fetch(place["address"], place["port"], place["key"])
                if not chain.piece_valid(genesis, index, piece):
                    raise OSError(f"piece {index} from {place['address']} is damaged")
            except (bus.NoAnswer, OSError) as reason:
                self._process.log("WARN", f"Piece {index} from {kind}: {reason}")
                error = reason
            else:
                self._process.count("pieces_from_" + kind.replace("-", "_"))
                return piece
        raise error
