# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""autonomys-export-piece: writes a node's history as pieces into full-cache-tmp/ of the current directory."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import urllib.request
from pathlib import Path

from . import chain, cli
from .pieces import PieceFolder
from .process import Fatal, Process

_FOLDER = "full-cache-tmp"
_SECONDS_PER_PIECE = 0.1


def main() -> int:
    """Run the program."""
    cli.export_piece_parser().parse_args()
    return Process("export-piece").run(run)


async def run(process: Process) -> None:
    """Export all pieces; those that are there and whole are kept, so that it can be run again."""
    url = os.environ.get("NODE_URL")
    if not url:
        raise Fatal("NODE_URL is not set")
    info = await asyncio.to_thread(_call, url, "subspace_getFarmerAppInfo", [])
    if info["syncing"]:
        raise Fatal(f"node at {url} is still syncing")
    genesis = info["genesisHash"]
    try:
        folder = PieceFolder(str(Path.cwd() / _FOLDER))
        for index in range(chain.ARCHIVED_PIECES):
            if not folder.valid(genesis, index):
                await asyncio.sleep(process.switches.get("seconds_per_piece", _SECONDS_PER_PIECE))
                _fail_on_purpose(process, index)
                piece = bytes.fromhex(await asyncio.to_thread(_call, url, "subspace_piece", [index]))
                if not chain.piece_valid(genesis, index, piece):
                    raise Fatal(f"piece {index} came damaged from {url}")
                folder.write(index, piece)
            process.log("INFO", f"Exported piece {index + 1} of {chain.ARCHIVED_PIECES}")
    except OSError as error:
        raise Fatal(f"Failed to write pieces: {error}") from None


def _fail_on_purpose(process: Process, written: int) -> None:
    if written == process.switches.get("disk_full_after"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if written == process.switches.get("killed_after"):
        os.kill(os.getpid(), signal.SIGKILL)


def _call(url: str, method: str, params: list):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            message = json.load(answer)
    except (OSError, ValueError) as error:
        raise Fatal(f"node at {url} does not answer: {error}") from None
    if "error" in message:
        raise Fatal(f"node at {url} does not give pieces, it needs --sync=full and archive pruning: {message['error']}")
    return message["result"]
