# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON-RPC of a node: HTTP and WebSocket on one port, and a WebSocket client.

The framing is that of the package websockets (its sans-I/O layer), because its servers do not take POST requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidMessage, ProtocolError
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

_MAX_MESSAGE = 8 * 1024 * 1024
_READ_SIZE = 65536
_MESSAGE_FRAMES = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class RpcError(Exception):
    """An error object of JSON-RPC."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


class WebSocket:
    """A WebSocket over a stream: handshake events and whole messages."""

    def __init__(self, protocol, reader, writer):
        self.protocol = protocol
        self._reader = reader
        self._writer = writer
        self._handshake: list = []
        self._messages: list = []
        self._parts: list = []

    async def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self._writer.write(data)
            elif self._writer.can_write_eof():
                self._writer.write_eof()
        await self._writer.drain()

    async def _receive(self, data: bytes) -> None:
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        for event in self.protocol.events_received():
            if isinstance(event, (Request, Response)):
                self._handshake.append(event)
            elif event.opcode in _MESSAGE_FRAMES:
                self._parts.append(event.data)
                if event.fin:
                    self._messages.append(b"".join(self._parts))
                    self._parts.clear()
        await self._flush()

    async def accept(self, head: bytes) -> bool:
        """Answer the handshake of a client whose request was read already."""
        await self._receive(head)
        if not self._handshake:
            return False
        response = self.protocol.accept(self._handshake.pop())
        self.protocol.send_response(response)
        await self._flush()
        return response.status_code == 101

    async def start(self) -> None:
        """Do the handshake as a client."""
        self.protocol.send_request(self.protocol.connect())
        await self._flush()
        while not self._handshake:
            if self.protocol.handshake_exc is not None:
                raise OSError(f"WebSocket handshake failed: {self.protocol.handshake_exc}")
            await self._receive(await self._reader.read(_READ_SIZE))
        if self.protocol.handshake_exc is not None:
            raise OSError(f"WebSocket handshake failed: {self.protocol.handshake_exc}")

    async def send(self, message: dict) -> None:
        """Send a message."""
        self.protocol.send_text(json.dumps(message).encode())
        await self._flush()

    async def receive(self):
        """Return the next message, None when the connection is closed."""
        while not self._messages:
            data = await self._reader.read(_READ_SIZE)
            await self._receive(data)
            if not data:
                break
        return self._messages.pop(0) if self._messages else None

    def close(self) -> None:
        """Close the stream."""
        self._writer.close()


class RpcServer:
    """Serves methods name -> function(params), and subscriptions name -> (notification, function())."""

    def __init__(self, methods: dict, subscriptions: dict, max_connections: int):
        self._methods = methods
        self._subscriptions = subscriptions
        self._max_connections = max_connections
        self._writers: set = set()
        self._subscribers: dict = {}
        self._ids = itertools.count(1)
        self._server = None
        #: Paths answered to GET: path -> function() returning status and body.
        self.pages: dict = {}
        #: Accept connections, but answer nothing.
        self.silent = False

    async def open(self, address: tuple) -> None:
        """Listen."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, *address, reuse_address=True)

    async def close(self) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop_connections()

    def drop_connections(self) -> None:
        """Drop all connections."""
        for writer in list(self._writers):
            writer.close()

    async def notify(self, subscription: str, result) -> None:
        """Send a notification to all subscribers."""
        notification = self._subscriptions[subscription][0]
        for key, (socket, name) in list(self._subscribers.items()):
            if name == subscription:
                message = {"jsonrpc": "2.0", "method": notification, "params": {"subscription": key, "result": result}}
                with contextlib.suppress(OSError, ProtocolError):
                    await socket.send(message)

    async def _connected(self, reader, writer) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _serve(self, reader, writer) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            while self.silent:
                await asyncio.sleep(1)
            method, path, headers = _parse_head(head)
            if len(self._writers) > self._max_connections:
                _respond(writer, 429, "Too many connections. Please try again later.")
                return
            if headers.get("upgrade", "").lower() == "websocket":
                await self._serve_websocket(head, reader, writer)
                return
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            _respond(writer, *await self._page(method, path, headers, body))
            await writer.drain()
            if headers.get("connection", "").lower() == "close":
                return

    async def _page(self, method: str, path: str, headers: dict, body: bytes) -> tuple:
        if method == "GET" and path in self.pages:
            status, content = self.pages[path]()
            return status, json.dumps(content)
        if method != "POST":
            return 405, "Used HTTP Method is not allowed. POST is required\n"
        if not headers.get("content-type", "").startswith("application/json"):
            return 415, "Supplied content type is not allowed. Content-Type: application/json is required\n"
        return 200, json.dumps(await self._answer(body, None))

    async def _serve_websocket(self, head: bytes, reader, writer) -> None:
        socket = WebSocket(ServerProtocol(max_size=_MAX_MESSAGE), reader, writer)
        if not await socket.accept(head):
            return
        try:
            while (message := await socket.receive()) is not None:
                while self.silent:
                    await asyncio.sleep(1)
                await socket.send(await self._answer(message, socket))
        except ProtocolError:
            pass
        finally:
            for key in [key for key, (owner, _name) in self._subscribers.items() if owner is socket]:
                del self._subscribers[key]

    async def _answer(self, body: bytes, socket):
        try:
            request = json.loads(body)
        except ValueError:
            return _error(None, -32700, "Parse error")
        if isinstance(request, list):
            return [self._call(item, socket) for item in request]
        return self._call(request, socket)

    def _call(self, request, socket) -> dict:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _error(None, -32600, "Invalid request")
        number, name, params = request.get("id"), request["method"], request.get("params") or []
        try:
            if name in self._subscriptions:
                if socket is None:
                    raise RpcError(-32601, "Method not found")
                self._subscriptions[name][1]()
                key = f"fake-{next(self._ids)}"
                self._subscribers[key] = (socket, name)
                return {"jsonrpc": "2.0", "id": number, "result": key}
            if name not in self._methods:
                raise RpcError(-32601, "Method not found")
            return {"jsonrpc": "2.0", "id": number, "result": self._methods[name](params)}
        except RpcError as error:
            return _error(number, error.code, str(error))


def _parse_head(head: bytes) -> tuple:
    lines = head.decode("latin-1").split("\r\n")
    method, path, _version = lines[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in lines[1:] if ":" in line)
    return method, path, {name.strip().lower(): value.strip() for name, value in pairs}


_REASONS = {
    200: "OK",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


def _respond(writer, status: int, body: str) -> None:
    data = body.encode()
    kind = "application/json" if body.startswith(("{", "[")) else "text/plain"
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)


def _error(number, code: int, message: str) -> dict:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


class RpcClient:
    """A WebSocket client of a node."""

    def __init__(self, url: str):
        self._uri = parse_uri(url)
        self._ids = itertools.count(1)
        self._waiting: dict = {}
        self._socket = None
        #: on_notification(result) is called for every notification.
        self.on_notification = None
        #: Done when the connection has ended.
        self.closed = None

    async def connect(self, timeout: float) -> None:
        """Connect; raise OSError when that is not possible."""
        try:
            await asyncio.wait_for(self._connect(), timeout)
        except (asyncio.TimeoutError, InvalidHandshake, InvalidMessage) as error:
            raise OSError(str(error) or "no answer") from None
        self.closed = asyncio.create_task(self._receive())

    async def _connect(self) -> None:
        reader, writer = await asyncio.open_connection(self._uri.host, self._uri.port)
        self._socket = WebSocket(ClientProtocol(self._uri, max_size=_MAX_MESSAGE), reader, writer)
        await self._socket.start()

    async def _receive(self) -> None:
        with contextlib.suppress(OSError, ProtocolError):
            while (data := await self._socket.receive()) is not None:
                message = json.loads(data)
                waiting = self._waiting.pop(message.get("id"), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
                elif "params" in message and self.on_notification is not None:
                    self.on_notification(message["params"]["result"])
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(OSError("connection to the node was closed"))

    async def call(self, method: str, params: list, timeout: float = 5):
        """Call a method; raise RpcError or OSError."""
        number = next(self._ids)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            message = await asyncio.wait_for(waiting, timeout)
        except (asyncio.TimeoutError, ProtocolError) as error:
            raise OSError(str(error) or f"no answer to {method}") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in message:
            raise RpcError(message["error"]["code"], message["error"]["message"])
        return message["result"]

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
