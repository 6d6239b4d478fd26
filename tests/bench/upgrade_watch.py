# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches a running cluster while something changes it: quorum of its NATS servers, fate of messages, answers to slots.

    .venv/bin/python tests/bench/upgrade_watch.py --address 10.0.0.1 --address 10.0.0.2 --address 10.0.0.3 --seconds
    600 --ready READY

ends after so many seconds or with SIGINT or SIGTERM and prints the result as JSON. Every server is looked at a few
times a second; a client
publishes into a JetStream stream of three replicas all the time, and reads everything back at the end. The file READY
appears when all of it
has begun.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import signal
import sys
import time
from pathlib import Path

import nats
import nats.errors
import nats.js.api
import nats.js.errors

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fakes"))

import farm_stats
from autonomys_fakes import chain

LOOK_SECONDS = 0.25
# Longer than a busy machine keeps a server waiting; one that is down refuses at once.
PAGE_SECONDS = 3.0
BEAT_SECONDS = 0.05
STALL_SECONDS = 0.5
PUBLISH_SECONDS = 0.05
#: A client sends a message again while it is not acknowledged; after this time it is lost.
PATIENCE_SECONDS = 5.0
ATTEMPT_SECONDS = 1.0
READ_SECONDS = 30.0
STREAM = "upgrade-watch"


class Spans:
    """Times in which something was the case; what is seen counts until the next look."""

    def __init__(self):
        self._began: float | None = None
        self.spans: list = []

    def look(self, now: float, true: bool) -> None:
        """Take what is the case now."""
        if self._began is not None:
            joined = self.spans and self.spans[-1][1] == self._began
            self.spans.append((self.spans.pop()[0] if joined else self._began, now))
        self._began = now if true else None

    def seconds(self) -> float:
        """Return the sum."""
        return round(sum(end - began for began, end in self.spans), 2)


class Quorum:
    """The time in which the NATS servers could not decide anything, by looks at all of them."""

    def __init__(self, servers: int):
        self._servers = servers
        self._spans = {name: Spans() for name in ("no_quorum", "no_leader", "one_down")}

    def look(self, now: float, pages: list) -> None:
        """Take what the servers said: for each {healthy, leader}, or None when it did not answer."""
        healthy = [page for page in pages if page and page["healthy"]]
        quorum = len(healthy) > self._servers // 2
        self._spans["no_quorum"].look(now, not quorum)
        self._spans["no_leader"].look(now, not any(page["leader"] for page in healthy))
        self._spans["one_down"].look(now, len(healthy) < self._servers)

    def result(self) -> dict:
        """Return the sums in seconds, and when there was no quorum."""
        return {
            **{f"{name}_s": spans.seconds() for name, spans in self._spans.items()},
            "no_quorum": [(round(began, 2), round(end - began, 2)) for began, end in self._spans["no_quorum"].spans],
        }


class Ledger:
    """What became of every message."""

    def __init__(self):
        self.published: dict = {}
        self.acknowledged: dict = {}

    def publish(self, number: int, now: float) -> None:
        """Note that a message is sent for the first time."""
        self.published[number] = now

    def acknowledge(self, number: int, now: float) -> None:
        """Note that the stream has it."""
        self.acknowledged.setdefault(number, now)

    def result(self, read: list) -> dict:
        """Return the counts: a message is lost when it was not acknowledged in time, or was and cannot be read back."""
        late = [
            number
            for number, at in self.published.items()
            if self.acknowledged.get(number, float("inf")) - at > PATIENCE_SECONDS
        ]
        gone = set(self.acknowledged) - set(read)
        waits = [self.acknowledged[number] - at for number, at in self.published.items() if number in self.acknowledged]
        return {
            "messages_published": len(self.published),
            "messages_acknowledged": len(self.acknowledged),
            "messages_read": len(set(read)),
            "messages_twice": len(read) - len(set(read)),
            "messages_not_acknowledged": len(late),
            "messages_gone": len(gone),
            "messages_lost": len(gone | set(late)),
            "longest_acknowledgement_s": round(max(waits, default=0.0), 2),
        }


async def page(address: str, port: int, path: str) -> tuple:
    """Return (status, JSON) of a monitoring page; OSError or ValueError when there is none."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        head, _blank, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return int(head.split()[1]), json.loads(body)


async def look_at(address: str, port: int) -> dict | None:
    """Return what one NATS server says about itself, None when it does not answer in time."""

    async def ask() -> dict:
        (status, _text), (_status, jsz) = await asyncio.gather(
            page(address, port, "/healthz"), page(address, port, "/jsz")
        )
        return {"healthy": status == 200, "leader": (jsz.get("meta_cluster") or {}).get("leader")}

    try:
        return await asyncio.wait_for(ask(), PAGE_SECONDS)
    except (OSError, ValueError, IndexError, asyncio.TimeoutError):
        return None


async def look(addresses: list, port: int, quorum: Quorum) -> None:
    """Look at all servers until cancelled."""
    while True:
        started = time.time()
        quorum.look(started, await asyncio.gather(*(look_at(address, port) for address in addresses)))
        await asyncio.sleep(max(0.0, started + LOOK_SECONDS - time.time()))


async def feel(stalls: Spans) -> None:
    """Note when this machine stood still: what happened then says nothing about the cluster."""
    while True:
        before = time.time()
        await asyncio.sleep(BEAT_SECONDS)
        if time.time() - before > BEAT_SECONDS + STALL_SECONDS:
            stalls.spans.append((before, time.time()))


class Publisher:
    """A careful client: it sends a message again, under the same id, until that is acknowledged."""

    def __init__(self, urls: list):
        self._urls = urls
        self._client = nats.NATS()
        self._tasks: set = set()
        self.ledger = Ledger()

    async def start(self, replicas: int) -> None:
        """Connect and create the stream."""
        await self._client.connect(
            servers=self._urls,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
            ping_interval=3,
            error_cb=farm_stats.ignore,
        )
        self._stream = self._client.jetstream(timeout=ATTEMPT_SECONDS)
        await asyncio.wait_for(self._create_stream(replicas), READ_SECONDS)

    async def _create_stream(self, replicas: int) -> None:
        """Ask until the servers do it: without a leader, as when they have just started, nobody answers."""
        while True:
            try:
                with contextlib.suppress(nats.js.errors.NotFoundError):
                    await self._stream.delete_stream(STREAM)
                await self._stream.add_stream(
                    name=STREAM, subjects=[STREAM], num_replicas=replicas, storage=nats.js.api.StorageType.FILE
                )
            except (nats.errors.Error, nats.js.errors.Error, asyncio.TimeoutError):
                await asyncio.sleep(0.1)
            else:
                return

    async def publish(self) -> None:
        """Publish until cancelled, at an even pace whatever happens to the messages before."""
        for number in itertools.count():
            task = asyncio.create_task(self._send(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(PUBLISH_SECONDS)

    async def _send(self, number: int) -> None:
        self.ledger.publish(number, time.monotonic())
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                await self._stream.publish(
                    STREAM, b"%d" % number, timeout=ATTEMPT_SECONDS, headers={"Nats-Msg-Id": str(number)}
                )
            except (nats.errors.Error, nats.js.errors.Error, asyncio.TimeoutError, OSError):
                await asyncio.sleep(0.1)
            else:
                self.ledger.acknowledge(number, time.monotonic())
                return

    async def finish(self) -> dict:
        """Wait for what is under way, read everything back, and return the counts."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE_SECONDS + ATTEMPT_SECONDS)
        read = await self._read_patiently()
        await self._client.close()
        return self.ledger.result(read)

    async def _read_patiently(self) -> list:
        """Read everything back.

        Only a stream that is not there has lost its messages; one that does not answer is asked again.
        """
        end = time.monotonic() + READ_SECONDS
        while True:
            try:
                return await asyncio.wait_for(self._read(), READ_SECONDS)
            except nats.js.errors.NotFoundError:
                return []
            except (nats.errors.Error, nats.js.errors.Error, asyncio.TimeoutError, OSError) as error:
                sys.stderr.write(f"upgrade_watch: reading back: {error!r}\n")
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(1)

    async def _read(self) -> list:
        wanted = (await self._stream.stream_info(STREAM)).state.messages
        subscription = await self._stream.pull_subscribe(STREAM)
        read: list = []
        while len(read) < wanted:
            messages = await subscription.fetch(min(500, wanted - len(read)), timeout=5)
            read += [int(message.data) for message in messages]
            await asyncio.gather(*(message.ack() for message in messages))
        return read


def combined(farm: dict, quorum: dict, messages: dict, stalls: Spans) -> dict:
    """Return everything that was seen, silences by host."""
    silences: dict = {}
    for client, seconds in farm["longest_silence_s"].items():
        host = client.partition("/")[0]
        silences[host] = max(silences.get(host, 0.0), seconds)
    return {
        "watched_s": farm["watched_s"],
        "slots": farm["slots"],
        "slots_missed": farm["slots_missed"],
        "missed_at": [chain.slot_time(slot) for slot in farm["missed"]],
        "silence_s": silences,
        **quorum,
        **messages,
        "machine_stalled_s": stalls.seconds(),
    }


async def watch(addresses: list, client_port: int, monitor_port: int, seconds: float, ready: Path | None) -> dict:
    """Watch until the time is over or a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    urls = [f"nats://{address}:{client_port}" for address in addresses]
    publisher, quorum, stalls = Publisher(urls), Quorum(len(addresses)), Spans()
    await publisher.start(min(3, len(addresses)))
    clients, farm = await farm_stats.listen(urls)
    tasks = [
        asyncio.create_task(work) for work in (look(addresses, monitor_port, quorum), feel(stalls), publisher.publish())
    ]
    if ready:
        ready.touch()
    # A worker that ends early has failed, and its exception is the result.
    await asyncio.wait([*tasks, asyncio.create_task(stop.wait())], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    nats_servers, answers = quorum.result(), farm.result(time.time())
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    messages = await publisher.finish()
    for client in clients:
        await client.close()
    return combined(answers, nats_servers, messages, stalls)


def main() -> int:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", action="append", required=True, help="of a NATS server; name all of them")
    parser.add_argument("--client-port", type=int, default=4222)
    parser.add_argument("--monitor-port", type=int, default=8222)
    parser.add_argument("--seconds", type=float, default=900, help="end after so long at the latest")
    parser.add_argument("--ready", type=Path, help="file to create once watching has begun")
    arguments = parser.parse_args()
    result = asyncio.run(
        watch(arguments.address, arguments.client_port, arguments.monitor_port, arguments.seconds, arguments.ready)
    )
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
