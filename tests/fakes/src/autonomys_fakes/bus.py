# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to NATS: checks at start, reconnects for ever, JSON requests, counters on request."""

from __future__ import annotations

import asyncio
import contextlib
import json

import nats
import nats.errors

from . import VERSION
from .process import Fatal, Process, local_address

EXPECTED_MESSAGE_SIZE = 2 * 1024 * 1024
_CONNECT_SECONDS = 5
# Attempts are never more than 4 s apart, as with the real client.
_RECONNECT_SECONDS = 1
_PING_SECONDS = 3
_DRAIN_SECONDS = 3

_PREFIX = "autonomys.fake."
STATISTICS = _PREFIX + "statistics"
ANSWERED = _PREFIX + "answered"
SLOT = _PREFIX + "slot"
FARMER_APP_INFO = _PREFIX + "farmer_app_info"
PIECE = _PREFIX + "piece"
PROOF = _PREFIX + "proof"
SOLUTION = _PREFIX + "solution"
PLOT = _PREFIX + "plot"
REINITIALIZE = _PREFIX + "reinitialize"
# Mixed versions of the real programs do not find each other's caches: the version in these subjects has that effect.
_CACHE = _PREFIX + "cache." + VERSION.replace(".", "_") + "."
CACHE_LIST = _CACHE + "list"
CACHE_REINITIALIZE = _CACHE + "reinitialize"


def cache_find(kind: str) -> str:
    """Return the subject on which the caches of a kind answer where they have a piece."""
    return f"{_CACHE}find.{kind}"


class NoAnswer(Exception):
    """A request that nobody answered usefully."""


class Bus:
    """A NATS client that speaks JSON."""

    def __init__(self, process: Process, servers: list):
        self._process = process
        self._servers = servers
        self._client = nats.NATS()
        self._tasks: set = set()
        self._closing = False
        #: This host's address in the cluster, known once connected.
        self.address = ""

    async def connect(self) -> None:
        """Connect, check the server as the real program does, answer requests for counters from now on."""
        process = self._process
        while process.switches.get("never_connect"):
            process.log("WARN", "Not connecting to NATS: fault switch never_connect is on")
            await asyncio.sleep(2)
        connecting = self._client.connect(
            servers=self._servers,
            name=f"{process.program}@{process.host}",
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RECONNECT_SECONDS,
            ping_interval=_PING_SECONDS,
            connect_timeout=2,
            drain_timeout=_DRAIN_SECONDS,
            pending_size=16 * 1024 * 1024,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
        )
        try:
            await asyncio.wait_for(connecting, _CONNECT_SECONDS)
        except asyncio.TimeoutError:
            raise Fatal("Failed to connect to NATS server: none of " + ", ".join(self._servers) + " answers") from None
        if self._client.max_payload < EXPECTED_MESSAGE_SIZE:
            raise Fatal(
                f"Failed to connect to NATS server: Max payload {self._client.max_payload} is smaller than expected "
                f"{EXPECTED_MESSAGE_SIZE}, increase it by specifying max_payload = 2MB or higher number in NATS "
                "configuration"
            )
        # The client keeps the server's INFO to itself and offers no other way to the flag.
        if not self._client._server_info.get("jetstream"):
            raise Fatal("Failed to connect to NATS server: JetStream is not enabled")
        url = self._client.connected_url.geturl()
        self.address = local_address(url)
        process.log("INFO", f"Connected to NATS server {url}, own address {self.address}")
        await self.serve(STATISTICS, self._statistics)

    async def close(self) -> None:
        """Finish what was received, then close."""
        self._closing = True
        with contextlib.suppress(nats.errors.Error, asyncio.TimeoutError, OSError):
            if self._client.is_connected:
                await asyncio.wait_for(self._client.drain(), _DRAIN_SECONDS + 2)
            else:
                await self._client.close()

    async def serve(self, subject: str, handler, queue: str = "") -> None:
        """Answer requests: handler(request) returns the answer as dict or bytes, or None for no answer."""

        async def handle(message) -> None:
            try:
                answer = await handler(json.loads(message.data or b"{}"))
                if answer is not None and message.reply:
                    await self._client.publish(message.reply, _encode(answer))
            except (nats.errors.Error, ValueError, KeyError, OSError) as error:
                self._process.log("WARN", f"Request on {subject} failed: {error!r}")

        async def receive(message) -> None:
            # A task each: one slow request must not hold the next one up.
            task = asyncio.create_task(handle(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        await self._client.subscribe(subject, queue=queue, cb=receive)

    async def publish(self, subject: str, message: dict) -> None:
        """Send a message to all who listen."""
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._client.publish(subject, _encode(message))

    async def request_bytes(self, subject: str, message: dict, timeout: float) -> bytes:
        """Send a request and return the answer as it came."""
        try:
            return (await self._client.request(subject, _encode(message), timeout=timeout)).data
        except (nats.errors.Error, asyncio.TimeoutError, OSError) as error:
            raise NoAnswer(f"{subject}: {error or type(error).__name__}") from None

    async def request(self, subject: str, message: dict, timeout: float) -> dict:
        """Send a request and return the answer, a dict without the key `error`."""
        answer = json.loads(await self.request_bytes(subject, message, timeout))
        if "error" in answer:
            raise NoAnswer(f"{subject}: {answer['error']}")
        return answer

    async def gather(self, subject: str, message: dict, seconds: float) -> list:
        """Send a request to all and return what came back within so many seconds."""
        answers: list = []
        inbox = self._client.new_inbox()

        async def receive(answer) -> None:
            if answer.data:  # an empty one says that nobody listens
                answers.append(json.loads(answer.data))

        subscription = await self._client.subscribe(inbox, cb=receive)
        await self._client.publish(subject, _encode(message), reply=inbox)
        await asyncio.sleep(seconds)
        await subscription.unsubscribe()
        return answers

    async def _statistics(self, _request: dict) -> dict:
        return self._process.describe()

    async def _on_error(self, error: Exception) -> None:
        self._process.log("WARN", f"NATS: {error!r}")

    async def _on_disconnect(self) -> None:
        if not self._closing:
            self._process.log("WARN", "NATS: disconnected")

    async def _on_reconnect(self) -> None:
        self._process.log("INFO", f"NATS: connected to {self._client.connected_url.netloc}")


def _encode(message) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message).encode()
