# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data from host to host over TCP: the client sends a key and a newline, the server 8 bytes of length and the data."""

from __future__ import annotations

import asyncio
import contextlib
import struct

_LENGTH = struct.Struct(">q")
_MISSING = -1
_MAX_SIZE = 16 * 1024 * 1024


async def serve(get, port: int = 0) -> tuple:
    """Serve get(key) -> bytes or None on a port (0: any); return the server and the port."""

    async def answer(reader, writer) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            key = (await reader.readuntil(b"\n")).decode().strip()
            data = get(key)
            writer.write(_LENGTH.pack(_MISSING if data is None else len(data)))
            if data:
                writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", port)
    return server, server.sockets[0].getsockname()[1]


async def fetch(address: str, port: int, key: str, timeout: float = 10) -> bytes:
    """Fetch the data of a key; raise OSError when that is not possible."""
    try:
        return await asyncio.wait_for(_fetch(address, port, key), timeout)
    except (asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
        raise OSError(f"{address}:{port} did not send {key}: {type(error).__name__}") from None


async def _fetch(address: str, port: int, key: str) -> bytes:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(key.encode() + b"\n")
        size = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))[0]
        if not 0 <= size <= _MAX_SIZE:
            raise OSError(f"{address}:{port} does not have {key}")
        return await reader.readexactly(size)
    finally:
        writer.close()
