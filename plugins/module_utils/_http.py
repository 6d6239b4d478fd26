# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""HTTP with limits in time and size around everything that is read, and one plain exchange of JSON without proxies.

A server that sends a byte now and then, or `100 Continue` for ever, never lets a limit per read expire, so a clock
runs around all reads of an answer together. The questions that health checks ask stay inside the cluster, so the
proxy of the environment, which is there for downloads, must never see them.
"""

from __future__ import annotations

import http.client
import io
import json
import math
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from ._foreign import reads_foreign

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that are read at most: far more than the largest /jsz of a real cluster."""

_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_MAX_DIGITS = 30
_MAX_WORDS = 300


class HttpError(Exception):
    """No usable answer came; the text says why in one sentence."""


class Clock:
    """Says how long the next read may take; ``seconds`` and ``most`` bytes are for everything together."""

    def __init__(self, seconds: float, most: float = math.inf) -> None:
        self._end = time.monotonic() + seconds
        self._most, self._room = most, most

    def left(self) -> float:
        """Return the seconds that are left; raise TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.late()
        return left

    def late(self) -> TimeoutError:
        """Return the error that says that there is no time left."""
        return TimeoutError("timed out")

    def count(self, size: int) -> None:
        """Note that so many bytes came; raise an error when they are too many."""
        self._room -= size
        if self._room < 0:
            raise http.client.HTTPException(f"more than {self._most} bytes came")


class Pace(Clock):
    """The clock of a download: ``seconds`` until it begins, and then at least ``least`` bytes in each ``seconds``."""

    def __init__(self, seconds: float, least: int) -> None:
        super().__init__(seconds)
        self._seconds, self._least = seconds, least
        self._begun, self._came = False, 0

    def begin(self) -> None:
        """Note that the header of the answer is there."""
        self._begun = True
        self._renew()

    def late(self) -> TimeoutError:
        """Return the error that says that no answer began, or that too little came."""
        if not self._begun:
            return super().late()
        return TimeoutError(f"less than {self._least} bytes came in {self._seconds:g} s")

    def count(self, size: int) -> None:
        """Note that so many bytes came."""
        self._came += size
        if self._begun and self._came >= self._least:
            self._renew()

    def _renew(self) -> None:
        self._end = time.monotonic() + self._seconds
        self._came = 0


class _Reader(io.RawIOBase):
    """Reads from a socket while the clock allows it."""

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        super().__init__()
        self._sock, self._clock = sock, clock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._clock.left())
        try:
            count = self._raw.readinto(buffer)
        except socket.timeout as error:
            raise self._clock.late() from error
        self._clock.count(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def answers(clock: Clock) -> type[http.client.HTTPResponse]:
    """Return the class of answers that are read while a clock allows it, for a connection's ``response_class``."""

    class Answer(http.client.HTTPResponse):
        """An answer; its header, and what comes before it, counts too."""

        def __init__(
            self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
        ) -> None:
            super().__init__(sock, debuglevel, method, url)
            self.fp.close()
            self.fp = io.BufferedReader(_Reader(sock, clock))

    return Answer


def split_url(url: str) -> tuple[str, str, int, str]:
    """Return ``(scheme, host, port, path)`` of an http, https, ws or wss URL; ws becomes http, wss https."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise HttpError(f"{url!r} is no URL: {error}") from error
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise HttpError(f"{url!r} is no URL of the form http://HOST:PORT or ws://HOST:PORT")
    return scheme, parts.hostname, port or (443 if scheme == "https" else 80), parts.path.rstrip("/")


def shown_url(url: str) -> str:
    """Return a URL as messages may show it, without name, password, query and fragment; what is no URL as it is."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return url.partition("?")[0].rpartition("@")[2]


@reads_foreign
def read_json(raw: bytes) -> dict[str, Any] | None:
    """Return the JSON object in an answer, None for anything else, however deep, long or odd it is."""
    try:
        answer = json.loads(raw.decode("utf-8"), parse_int=_integer, parse_float=_float, parse_constant=_float)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("no number")
    return value


class _Connection(http.client.HTTPConnection):
    """A connection whose clock also runs while it is made, however many addresses a name has."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=timeout)
        self.clock = Clock(timeout)
        self._context = context

    def connect(self) -> None:
        """Connect to the first address that answers."""
        sock = _connected(self.host, self.port, self.clock)
        sock.settimeout(self.clock.left())
        self.sock = self._context.wrap_socket(sock, server_hostname=self.host) if self._context else sock


def addresses(host: str, port: int, seconds: float) -> list[Any]:
    """Return what ``getaddrinfo`` does, within so many seconds: a server of names that is silent holds it up for long.

    Nothing can stop it then, but its thread is a daemon, with which the process can end.
    """
    found: list[Any] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.append(error)

    thread = threading.Thread(target=ask, name=f"addresses of {host}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no address of {host} was found in time")
    if found and isinstance(found[0], OSError):
        raise found[0]
    return found


def _connected(host: str, port: int, clock: Clock) -> socket.socket:
    failed: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _name, address in addresses(host, port, clock.left()):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(clock.left())
            sock.connect(address)
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise failed


class JsonClient:
    """A connection to one server that is kept open between questions.

    Each whole exchange has ``timeout`` seconds, and each answer ``most`` bytes.
    """

    def __init__(self, url: str, timeout: float, most: int = MAX_ANSWER) -> None:
        scheme, host, port, self._base = split_url(url)
        self.url = url
        self._timeout, self._most = timeout, most
        self._connection = _Connection(host, port, timeout, ssl.create_default_context() if scheme == "https" else None)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, path: str, payload: object = None) -> tuple[int, dict[str, Any]]:
        """GET ``path``, or POST ``payload`` to it as JSON, and return ``(status, decoded JSON object)``."""
        body = None if payload is None else json.dumps(payload).encode()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        where = shown_url(self.url).rstrip("/") + path
        clock = Clock(self._timeout)
        self._connection.clock = clock
        self._connection.response_class = answers(clock)
        try:
            if self._connection.sock:
                self._connection.sock.settimeout(clock.left())
            self._connection.request("GET" if body is None else "POST", (self._base + path) or "/", body, headers)
            response = self._connection.getresponse()
            raw = response.read(self._most + 1)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._connection.close()
            words = str(error) or type(error).__name__
            raise HttpError(f"{where} did not answer: {words[:_MAX_WORDS]}") from error
        if len(raw) > self._most:
            self._connection.close()
            raise HttpError(f"{where} answered more than {self._most} bytes")
        answer = read_json(raw)
        if answer is None:
            raise HttpError(f"{where} answered with status {response.status} and no JSON object")
        return response.status, answer
