# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plot-client: farms. Plots sectors on its disks and answers slots from them."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import struct
import time
from pathlib import Path

from . import blobs, bus, chain
from .exporter import push
from .process import Fatal, Process

_RETRY_SECONDS = 3
_SECONDS_PER_SECTOR = 5.0
_HEADER = struct.Struct("<4sBH")  # magic, version, number of plotted sectors
_MAGIC = b"FAKE"
_FILES = ("plot.bin", "metadata.bin", "identity.bin", "single_disk_farm.json")


async def run(process: Process, arguments) -> None:
    """Run until cancelled."""
    if len(arguments.farms) > chain.MAX_FARMS:
        raise Fatal(f"Too many farms: {len(arguments.farms)}, at most {chain.MAX_FARMS} a process")
    cluster = bus.Bus(process, arguments.nats_servers)
    await cluster.connect()
    farms: list = []
    try:
        genesis = await _learn_chain(process, cluster)
        for path, sectors in arguments.farms:
            farms.append(Farm(path, sectors, genesis))
            process.log("INFO", f"Farm {path}: {farms[-1].plotted} of {sectors} sectors are plotted")
        client = _Client(process, cluster, farms, genesis)
        await asyncio.gather(
            client.run(), push(process, arguments.endpoint, arguments.internal, arguments.farmer_label)
        )
    finally:
        await cluster.close()
        for farm in farms:
            farm.close()


async def _learn_chain(process: Process, cluster: bus.Bus) -> str:
    while True:
        try:
            return (await cluster.request(bus.FARMER_APP_INFO, {}, timeout=3))["genesisHash"]
        except bus.NoAnswer as error:
            # As the real one: looks alive, but waits for ever.
            process.log("WARN", f"Waiting for a controller: {error}")
            await asyncio.sleep(_RETRY_SECONDS)


class Farm:
    """One plotted path; its files stay open."""

    def __init__(self, path: str, sectors: int, genesis: str):
        self.path = path
        self.sectors = sectors
        self._files: dict = {}
        self._open = contextlib.ExitStack()
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
            for name in _FILES:
                file = Path(path, name)
                file.touch(mode=0o640)
                self._files[name] = self._open.enter_context(file.open("r+b", buffering=0))
            self._lock()
            self.farm_id = self._identify(genesis)
            self._allocate("plot.bin", chain.plot_file_size(sectors))
            self._allocate("metadata.bin", chain.metadata_file_size(sectors))
            self.plotted = min(self._read_plotted(), sectors)
        except OSError as error:
            raise Fatal(f"Failed to open farm {path}: {error}") from None

    @property
    def failed(self) -> bool:
        """Say whether the disk failed."""
        return not self._files

    def close(self) -> None:
        """Close all files."""
        self._open.close()
        self._files = {}

    def _lock(self) -> None:
        try:
            fcntl.flock(self._files["single_disk_farm.json"], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fatal(f"Farm {self.path} is likely already in use, make sure no other farmer is using it") from None

    def _identify(self, genesis: str) -> str:
        identity, info = self._files["identity.bin"], self._files["single_disk_farm.json"]
        if not os.fstat(identity.fileno()).st_size:
            identity.write(secrets.token_bytes(32))
        text = info.read()
        if not text:
            stored = {"id": secrets.token_hex(16), "genesisHash": genesis, "piecesInSector": chain.PIECES_IN_SECTOR}
            info.write(json.dumps({"v0": stored}).encode())
        else:
            stored = json.loads(text)["v0"]
        if stored["genesisHash"] != genesis:
            raise Fatal(
                f"Genesis hash of farm {self.path} {stored['genesisHash']} is different from {genesis} when farm was "
                "created, it is not possible to use farm on a different chain"
            )
        return stored["id"]

    def _allocate(self, name: str, size: int) -> None:
        number = self._files[name].fileno()
        # Fewer sectors than before truncate the plot without a word: that is what the real one does.
        if os.fstat(number).st_size > size:
            os.ftruncate(number, size)
        os.posix_fallocate(number, 0, size)

    def _read_plotted(self) -> int:
        magic, _version, plotted = _HEADER.unpack(os.pread(self._files["metadata.bin"].fileno(), _HEADER.size, 0))
        return plotted if magic == _MAGIC else 0

    def write(self, index: int, sector: bytes) -> None:
        """Write a sector, the next one or one that is plotted again."""
        metadata = self._files["metadata.bin"].fileno()
        os.pwrite(self._files["plot.bin"].fileno(), sector, index * chain.sector_size())
        position = chain.METADATA_HEADER_SIZE + index * chain.SECTOR_METADATA_SIZE
        os.pwrite(metadata, sector[-chain.CHECKSUM_SIZE :], position)
        self.plotted = max(self.plotted, index + 1)
        os.pwrite(metadata, _HEADER.pack(_MAGIC, 0, self.plotted), 0)

    def read(self, index: int) -> bytes:
        """Return a plotted sector; OSError when it is damaged."""
        size = chain.sector_size()
        sector = os.pread(self._files["plot.bin"].fileno(), size, index * size)
        if not chain.sector_valid(sector):
            raise OSError(f"sector {index} of {self.path} is damaged")
        return sector


class _Client:
    def __init__(self, process: Process, cluster: bus.Bus, farms: list, genesis: str):
        self._process = process
        self._cluster = cluster
        self._farms = farms
        self._genesis = genesis
        # A slot counts as missed when its time is over without an answer, whether its message came or not.
        self._next_to_judge = chain.slot_at(time.time()) + 1
        self._seen: set = set()
        self._answered: set = set()
        self._tasks: set = set()

    async def run(self) -> None:
        for name in ("slots_seen", "slots_answered", "slots_missed", "solutions_accepted", "sectors_replotted"):
            self._process.counters.setdefault(name, 0)
        self._process.on_tick.append(self._tick)
        await self._cluster.serve(bus.SLOT, self._on_slot)
        await asyncio.gather(*(self._plot(farm) for farm in self._farms))
        await asyncio.Event().wait()

    def _tick(self) -> None:
        failing = self._process.switches.get("fail_farms", [])
        for farm in self._farms:
            if farm.path.rstrip("/") in [path.rstrip("/") for path in failing] and not farm.failed:
                self._process.log("ERROR", f"Farm {farm.path} failed: fault switch fail_farms")
                farm.close()
        while time.time() > chain.slot_time(self._next_to_judge) + chain.FARMING_TIMEOUT + 1:
            if self._next_to_judge not in self._answered:
                self._process.count("slots_missed")
            self._answered.discard(self._next_to_judge)
            self._seen.discard(self._next_to_judge)
            self._next_to_judge += 1
        self._process.counters["sectors_plotted"] = sum(farm.plotted for farm in self._farms)
        self._process.counters["sectors_wanted"] = sum(farm.sectors for farm in self._farms)

    async def _on_slot(self, info: dict) -> None:
        """Answer a slot once: every controller forwards it."""
        slot = info["slot"]
        if slot in self._seen or slot < self._next_to_judge:
            return
        self._seen.add(slot)
        self._process.count("slots_seen")
        deadline = chain.slot_time(slot) + chain.FARMING_TIMEOUT
        reason: Exception = OSError("came too late")
        while time.time() < deadline:
            try:
                solved = await self._answer(slot, info["challenge"])
            except (bus.NoAnswer, OSError) as error:
                reason = error
                await asyncio.sleep(0.3)
                continue
            self._answered.add(slot)
            self._process.count("slots_answered")
            self._process.count("solutions_accepted", int(solved))
            evidence = {"slot": slot, "host": self._process.host, "program": self._process.program, "solved": solved}
            await self._cluster.publish(bus.ANSWERED, evidence)
            return
        self._process.log("WARN", f"Slot {slot} missed: {reason}")

    async def _answer(self, slot: int, challenge: str) -> bool:
        """Scan the farms; say whether there was a solution (none before the first sector is plotted)."""
        farms = [farm for farm in self._farms if farm.plotted and not farm.failed]
        if not farms:
            return False
        farm = farms[slot % len(farms)]
        sector = farm.read(int(challenge[:8], 16) % farm.plotted)
        offset = int(challenge[8:16], 16) % (chain.RECORD_SIZE - 32)
        chunk = sector[offset : offset + 32].hex()
        proof = await self._cluster.request(bus.PROOF, {"challenge": challenge, "chunk": chunk}, timeout=1)
        solution = {"slot": slot, "chunk": chunk, "proof": proof["proof"], "publicKey": farm.farm_id}
        await self._cluster.request(bus.SOLUTION, solution, timeout=1)
        return True

    async def _plot(self, farm: Farm) -> None:
        """Plot a farm's sectors one after another, then again from the first: sectors expire."""
        index = farm.plotted % farm.sectors
        while not farm.failed:
            await asyncio.sleep(self._process.switches.get("seconds_per_sector", _SECONDS_PER_SECTOR))
            request = {"farm_id": farm.farm_id, "sector_index": index, "genesis": self._genesis}
            try:
                place = await self._cluster.request(bus.PLOT, request, timeout=10)
                sector = await blobs.fetch(place["address"], place["port"], place["key"])
                if not chain.sector_valid(sector):
                    raise OSError("sector came damaged")
            except (bus.NoAnswer, OSError) as error:
                self._process.log("WARN", f"Plotting sector {index} of {farm.path}: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if not farm.failed:
                if index < farm.plotted:
                    self._process.count("sectors_replotted")
                farm.write(index, sector)
                index = (index + 1) % farm.sectors
        self._process.log("INFO", f"Farm {farm.path}: plotting ended, {farm.plotted} sectors")
