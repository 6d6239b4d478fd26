# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""util reinitialization-cache, sharded-cache-benchmark and verify-piece."""

from __future__ import annotations

import asyncio
import time

from . import blobs, bus, chain
from .process import Fatal, Process

_LISTEN_SECONDS = 1.5


async def reinitialization_cache(process: Process, arguments) -> None:
    """Have all caches fill themselves again after a delay."""
    cluster = bus.Bus(process, arguments.nats_servers)
    await cluster.connect()
    try:
        await cluster.request(bus.REINITIALIZE, {"delay": arguments.delay}, timeout=5)
        process.log("INFO", f"The entire cluster will be reinitialized after {arguments.delay} seconds")
    except bus.NoAnswer as error:
        raise Fatal(f"No controller answered: {error}") from None
    finally:
        await cluster.close()


async def _caches(cluster: bus.Bus) -> list:
    found = await cluster.gather(bus.CACHE_LIST, {}, _LISTEN_SECONDS)
    if not found:
        raise Fatal("No cache answered")
    return sorted(found, key=lambda cache: (cache["host"], cache["program"], cache["port"]))


async def sharded_cache_benchmark(process: Process, arguments) -> None:
    """Fetch the pieces of so many sectors so many times, as plotting does."""
    cluster = bus.Bus(process, arguments.nats_servers)
    await cluster.connect()
    try:
        caches = [cache for cache in await _caches(cluster) if cache["kind"] == "sharded-cache"]
        if not caches:
            raise Fatal("No sharded cache answered")
        for epoch in range(1, arguments.epoch + 1):
            await _benchmark_epoch(process, caches, epoch, arguments.sectors)
    finally:
        await cluster.close()


async def _benchmark_epoch(process: Process, caches: list, epoch: int, sectors: int) -> None:
    started = time.monotonic()
    for sector in range(sectors):
        await asyncio.sleep(process.switches.get("seconds_per_sector", 0))
        index, cache = sector % chain.ARCHIVED_PIECES, caches[sector % len(caches)]
        try:
            piece = await blobs.fetch(cache["address"], cache["port"], str(index))
        except OSError as error:
            raise Fatal(f"Sector {sector} of epoch {epoch}: {error}") from None
        if not chain.piece_valid(cache["genesis"], index, piece):
            raise Fatal(f"Sector {sector} of epoch {epoch}: piece {index} of {cache['host']} is damaged")
        if (sector + 1) % 32 == 0 or sector + 1 == sectors:
            rate = (sector + 1) / (time.monotonic() - started)
            process.log("INFO", f"epoch {epoch}: {sector + 1}/{sectors} sectors, {rate:.1f} sectors/s")


async def verify_piece(process: Process, arguments) -> None:
    """Fetch every piece of every cache and check it."""
    cluster = bus.Bus(process, arguments.nats_servers)
    await cluster.connect()
    try:
        bad = 0
        for cache in await _caches(cluster):
            good = 0
            for index in range(chain.ARCHIVED_PIECES):
                good += await _piece_good(process, cache, index)
            process.log("INFO", f"{cache['kind']} {cache['host']}: {good}/{chain.ARCHIVED_PIECES} pieces are valid")
            bad += chain.ARCHIVED_PIECES - good
        if bad:
            raise Fatal(f"{bad} pieces are missing or damaged")
    finally:
        await cluster.close()


async def _piece_good(process: Process, cache: dict, index: int) -> bool:
    try:
        piece = await blobs.fetch(cache["address"], cache["port"], str(index))
    except OSError as error:
        process.log("WARN", f"{cache['kind']} {cache['host']}: {error}")
        return False
    if chain.piece_valid(cache["genesis"], index, piece):
        return True
    process.log("WARN", f"{cache['kind']} {cache['host']}: piece {index} is damaged")
    return False


UTILITIES = {
    "reinitialization-cache": reinitialization_cache,
    "sharded-cache-benchmark": sharded_cache_benchmark,
    "verify-piece": verify_piece,
}
