# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the fakes for their counters, or watch whether the cluster answers every slot.

Run it with the project's virtual environment:

    .venv/bin/python tests/fakes/farm_stats.py --nats-server nats://10.0.0.1:4222 [--json]
    .venv/bin/python tests/fakes/farm_stats.py --nats-server ... --nats-server ... --watch 60 [--json]

Without --watch: the counters of all processes that answer, since their start, and the sums over the plot-clients.
With --watch: for so many seconds (or until SIGINT or SIGTERM) which slots were answered by at least one plot-client,
and the longest time without an answer for each of them. Name all NATS servers then: it listens on each, so that a
restart of one hides nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path

import nats
import nats.errors

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from autonomys_fakes import bus, chain

SUMS = (
    "slots_seen",
    "slots_answered",
    "slots_missed",
    "solutions_accepted",
    "sectors_plotted",
    "sectors_wanted",
    "sectors_replotted",
)
LISTEN_SECONDS = 1.0


def summarize(processes: list) -> dict:
    """Return the number of processes by component, the sums over the plot-clients, and the processes."""
    clients = [item["counters"] for item in processes if item["component"] == "plot-client"]
    components: dict = {}
    for item in processes:
        components[item["component"]] = components.get(item["component"], 0) + 1
    result = {"components": dict(sorted(components.items()))}
    result.update({name: sum(counters.get(name, 0) for counters in clients) for name in SUMS})
    result["processes"] = sorted(processes, key=lambda item: (item["host"], item["program"], item["pid"]))
    return result


class Watch:
    """Judges slots by the announcements of answers."""

    def __init__(self, started: float):
        self._started = started
        self._answers: dict = {}
        self._solved: set = set()

    def add(self, announcement: dict, now: float) -> None:
        """Take an announcement; the same one may come over several connections."""
        client = f"{announcement['host']}/{announcement['program']}"
        self._answers.setdefault(client, {}).setdefault(announcement["slot"], now)
        if announcement["solved"]:
            self._solved.add((client, announcement["slot"]))

    def result(self, now: float) -> dict:
        """Return the verdict over all slots whose time began and ended while watching."""
        last = chain.slot_at(now - chain.FARMING_TIMEOUT - 1)
        slots = range(chain.slot_at(self._started) + 1, last + 1)
        answered = {slot for answers in self._answers.values() for slot in answers}
        missed = [slot for slot in slots if slot not in answered]
        return {
            "watched_s": round(now - self._started, 1),
            "slots": len(slots),
            "slots_missed": len(missed),
            "missed": missed,
            "solutions_accepted": len(self._solved),
            "longest_silence_s": {
                client: self._longest_silence(list(answers.values()), now)
                for client, answers in sorted(self._answers.items())
            },
        }

    def _longest_silence(self, times: list, now: float) -> float:
        points = [self._started, *sorted(times), now]
        return round(max(later - earlier for earlier, later in zip(points, points[1:])), 1)


async def ignore(_error) -> None:
    """Say nothing about lost connections: servers are restarted on purpose while this watches."""


async def connect(url: str):
    """Connect to one server, and stay with it; be back before the programs are when it was away."""
    client = nats.NATS()
    await asyncio.wait_for(
        client.connect(
            servers=[url], max_reconnect_attempts=-1, reconnect_time_wait=0.2, ping_interval=3, error_cb=ignore
        ),
        10,
    )
    return client


async def collect(urls: list) -> dict:
    """Return the counters of all processes."""
    client = await first_connection(urls)
    answers: list = []

    async def receive(message) -> None:
        if message.data:
            answers.append(json.loads(message.data))

    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=receive)
    await client.publish(bus.STATISTICS, b"", reply=inbox)
    await asyncio.sleep(LISTEN_SECONDS)
    await client.close()
    return summarize(answers)


async def first_connection(urls: list):
    """Connect to the first server that answers."""
    for url in urls[:-1]:
        try:
            return await connect(url)
        except asyncio.TimeoutError:
            continue
    return await connect(urls[-1])


async def listen(urls: list) -> tuple:
    """Begin to watch the answers on all servers; return the connections, which the caller closes, and the Watch."""
    clients = await asyncio.gather(*(connect(url) for url in urls))
    watcher = Watch(time.time())

    async def receive(message) -> None:
        watcher.add(json.loads(message.data), time.time())

    for client in clients:
        await client.subscribe(bus.ANSWERED, cb=receive)
    return clients, watcher


async def watch(urls: list, seconds: float, progress) -> dict:
    """Watch the answers on all servers; progress(result) is called every five seconds."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clients, watcher = await listen(urls)
    end = time.monotonic() + seconds
    while not stop.is_set() and (left := end - time.monotonic()) > 0:
        try:
            await asyncio.wait_for(stop.wait(), min(5, left))
        except asyncio.TimeoutError:
            progress(watcher.result(time.time()))
    for client in clients:
        await client.close()
    return watcher.result(time.time())


def line(result: dict) -> str:
    """Return a result as one line."""
    parts = []
    for name, value in result.items():
        if isinstance(value, dict):
            parts.append(f"{name}: " + (", ".join(f"{key} {number}" for key, number in value.items()) or "none"))
        elif not isinstance(value, list):
            parts.append(f"{name}: {value}")
    return "; ".join(parts)


def main() -> int:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nats-server", action="append", required=True, metavar="URL")
    parser.add_argument("--watch", type=float, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    def show(result: dict) -> None:
        text = json.dumps(result, indent=1) if arguments.json else line(result)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def progress(result: dict) -> None:
        if not arguments.json:
            show(result)

    try:
        if arguments.watch is None:
            result = asyncio.run(collect(arguments.nats_server))
        else:
            result = asyncio.run(watch(arguments.nats_server, arguments.watch, progress))
    except asyncio.TimeoutError:
        sys.stderr.write("none of the NATS servers answers: " + ", ".join(arguments.nats_server) + "\n")
        return 1
    show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
