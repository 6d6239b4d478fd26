# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the files of a list of blocks to some hosts over HTTP, for piece_transfer.py, which must lie beside this file.

    piece_server.py --folder FOLDER --list LIST --address IP --port N --allow IP … [--mbit N] [--idle SECONDS]

It ends when nobody asked for long. Standard library only, Python 3.8 and newer.
"""

from __future__ import annotations

import argparse
import http.server
import os
import re
import socket
import sys
import threading
import time
import urllib.parse
from typing import Any, BinaryIO

from piece_transfer import (
    LIST_PATH,
    MAX_WORDS,
    PART,
    PIECES_PATH,
    THREADS,
    TIMEOUT,
    TransferError,
    Watch,
    open_file,
    read_list,
    say,
    size_of,
)

# Connections of one host at once: its threads, and as many that it broke off.
CONNECTIONS = 2 * THREADS

RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})\Z")


class Limit:
    """So many bytes a second for all connections together."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count: int) -> None:
        """Wait until so many bytes may be sent."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + count / self._rate
        time.sleep(start - now)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET for the list and for ranges of the files that it names."""

    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT
    server: Server

    def handle_one_request(self) -> None:
        """Wait for a request no longer than for an answer."""
        self.server.watch.begin(self.connection)
        try:
            super().handle_one_request()
        finally:
            self.server.watch.end(self.connection)

    def do_GET(self) -> None:
        """Send what is asked for."""
        server = self.server
        server.watch.end(self.connection)
        server.last_used = time.monotonic()
        path = urllib.parse.unquote(self.path, errors="surrogateescape")
        name = path[len(PIECES_PATH) :] if path.startswith(PIECES_PATH) else ""
        if path != LIST_PATH and name not in server.sizes:
            return self.refuse(404, f"there is no {path}")
        try:
            with open_file(server.list if path == LIST_PATH else os.path.join(server.folder, name)) as file:
                if path == LIST_PATH:
                    self.answer(200, file, 0, os.fstat(file.fileno()).st_size)
                    return None
                match = RANGE.match(self.headers.get("Range", ""))
                first, last = (int(match[1]), int(match[2])) if match else (1, 0)
                if not first <= last < server.sizes[name]:
                    return self.refuse(416, f"there are no such bytes of {path}")
                self.answer(206, file, first, last - first + 1)
        except OSError as error:
            say(f"{path[:MAX_WORDS]!r} to {self.client_address[0]}: {error}")
            self.close_connection = True
        return None

    def answer(self, status: int, file: BinaryIO, first: int, length: int) -> None:
        """Send bytes of a file."""
        file.seek(first)
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        while length:
            data = file.read(min(PART, length))
            if not data:
                raise OSError("the file is shorter than the list says")
            self.server.limit.take(len(data))
            self.wfile.write(data)
            self.server.last_used = time.monotonic()
            length -= len(data)

    def refuse(self, status: int, words: str) -> None:
        """Say why nothing is sent."""
        body = words[:MAX_WORDS].encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent: a line for each of a million blocks helps nobody."""


class Server(http.server.ThreadingHTTPServer):
    """What all connections share."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options: argparse.Namespace) -> None:
        self.folder, self.list = options.folder, options.list
        self.sizes = {path: size_of(entries) for path, entries in read_list(options.list).items()}
        self.limit, self.watch, self.last_used = Limit(options.mbit * 1e6 / 8), Watch(), time.monotonic()
        self._open = dict.fromkeys(options.allow, 0)
        self._lock = threading.Lock()
        self._idle = options.idle
        super().__init__((options.address, options.port), Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Refuse strangers, and too many connections of one host, before anything is spent on them."""
        host = client_address[0]
        with self._lock:
            allowed = host in self._open
            if allowed and self._open[host] < CONNECTIONS:
                self._open[host] += 1
                return True
        words = (
            f"{host} has too many connections" if allowed else f"{host} is not one of the hosts that the pieces are for"
        )
        status = "503 Service Unavailable" if allowed else "403 Forbidden"
        text = f"HTTP/1.1 {status}\r\nContent-Length: {len(words)}\r\nConnection: close\r\n\r\n{words}"
        try:
            request.setblocking(False)
            request.send(text.encode())
            request.shutdown(socket.SHUT_WR)
            # With the request unread, the end of the connection would overtake the answer.
            request.recv(PART)
        except OSError:
            return False
        return False

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Count a connection until it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open[client_address[0]] -= 1

    def service_actions(self) -> None:
        """End what nobody uses, once in a while."""
        self.watch.check()
        if time.monotonic() - self.last_used > self._idle:
            say(f"Nobody asked for {self._idle} s: the server ends")
            threading.Thread(target=self.shutdown, daemon=True).start()
            self.last_used = time.monotonic()


def serve(options: argparse.Namespace) -> None:
    """Serve until nobody asks any more."""
    try:
        server = Server(options)
    except OSError as error:
        raise TransferError(f"cannot listen on {options.address} port {options.port}: {error}") from error
    with server:
        say(f"Serving {options.folder} on {options.address} port {options.port} for {', '.join(options.allow)}")
        server.serve_forever()


def main() -> int:
    """Serve until nobody asks any more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--folder", "--list", "--address"):
        parser.add_argument(option, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--allow", nargs="+", required=True)
    parser.add_argument("--mbit", type=float, default=0)
    parser.add_argument("--idle", type=float, default=900)
    options = parser.parse_args()
    try:
        serve(options)
    except (TransferError, OSError) as error:
        say(f"Error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
