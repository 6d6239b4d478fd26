# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""autonomys-node: a chain on the wall clock behind a real HTTP and WebSocket JSON-RPC."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import ipaddress
import json
import time
from pathlib import Path

from . import VERSION, chain, cli
from .process import Fatal, Process
from .rpc import RpcError, RpcServer

_P2P_PORTS = (30333, 30433)
_DATABASE = "fake-database.json"
_DEFAULT_PRUNING = "256"
_PEERS = 12


def main() -> int:
    """Run the program."""
    arguments = cli.node_parser().parse_args()
    return Process("node").run(lambda process: Node(process, arguments).run())


def open_database(base_path: str, arguments) -> dict:
    """Create the database or check that it was made for these arguments; return what it remembers."""
    path = Path(base_path, _DATABASE)
    wanted = {
        "chain": arguments.chain,
        "sync": arguments.sync,
        "blocks_pruning": arguments.blocks_pruning or _DEFAULT_PRUNING,
        "state_pruning": arguments.state_pruning or _DEFAULT_PRUNING,
    }
    if not path.exists():
        new = path.with_suffix(".new")
        new.write_text(json.dumps(wanted), encoding="utf-8")
        new.rename(path)
        return wanted
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored["chain"] != arguments.chain:
        raise Fatal(f"Genesis hash of the database ({stored['chain']}) is not that of the chain {arguments.chain}")
    for name in ("blocks_pruning", "state_pruning"):
        requested = getattr(arguments, name)
        if requested not in (None, stored[name]):
            raise Fatal(
                f"Incompatible pruning modes of {name.replace('_', ' ')} [stored: {stored[name]}; "
                f"requested: {requested}]"
            )
    return stored


class Node:
    """The running node."""

    def __init__(self, process: Process, arguments):
        self._process = process
        self._arguments = arguments
        self._genesis = chain.genesis_hash(arguments.chain)
        self._start_block = chain.best_block(chain.slot_at(time.time()))
        self._database: dict = {}
        self._accepted: set = set()
        self._rpc = RpcServer(
            {
                "system_health": lambda _params: self.health(),
                "system_syncState": lambda _params: self.sync_state(),
                "system_chain": lambda _params: chain.CHAINS[arguments.chain],
                "system_version": lambda _params: VERSION,
                "subspace_getFarmerAppInfo": lambda _params: self.farmer_app_info(),
                "subspace_submitSolutionResponse": self._submit_solution,
                "subspace_piece": self._piece,
                "chain_getBlockHash": lambda params: chain.block_hash(self._genesis, params[0]),
                "chain_getBlock": self._block,
                "fake_statistics": lambda _params: process.describe(),
            },
            {"subspace_subscribeSlotInfo": ("subspace_slot_info", self._check_slots_allowed)},
            arguments.rpc_max_connections,
        )
        self._rpc.pages = {"/health": lambda: (200, self.health()), "/health/readiness": self._readiness}

    async def run(self) -> None:
        """Serve until cancelled."""
        base_path = self._arguments.base_path
        try:
            Path(base_path).mkdir(parents=True, exist_ok=True)
            with Path(base_path, "LOCK").open("w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._database = open_database(base_path, self._arguments)
                await self._rpc.open(self._arguments.rpc_listen_on)
                self._process.log("INFO", "Running JSON-RPC server: addr={}:{}".format(*self._arguments.rpc_listen_on))
                await self._serve()
        except OSError as error:
            raise Fatal(str(error)) from None
        finally:
            await self._rpc.close()

    async def _serve(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for port in _P2P_PORTS:
                await listen_p2p(self._process, port, stack)
            while True:
                now = time.time()
                await asyncio.sleep(1 - (now - chain.GENESIS_TIME) % 1)
                await self._follow_switches()
                slot = chain.slot_at(time.time())
                self._process.count("slots_seen")
                if not self.syncing():
                    info = {"slot": slot, "challenge": chain.challenge(self._genesis, slot)}
                    await self._rpc.notify("subspace_subscribeSlotInfo", info)
                self._accepted = {item for item in self._accepted if item[0] > slot - 10}
                if slot % 10 == 0:
                    state = self.sync_state()
                    self._process.log(
                        "INFO",
                        f"Idle ({self.peers()} peers), best: #{state['currentBlock']}, syncing: {self.syncing()}",
                    )

    async def _follow_switches(self) -> None:
        rpc = self._process.switches.get("rpc")
        if rpc == "closed":
            await self._rpc.close()
        else:
            await self._rpc.open(self._arguments.rpc_listen_on)
        if rpc == "silent" and not self._rpc.silent:
            self._rpc.drop_connections()
        self._rpc.silent = rpc == "silent"

    def peers(self) -> int:
        """Return the number of peers."""
        return self._process.switches.get("peers", _PEERS)

    def syncing(self) -> bool:
        """Say whether the node is behind its peers."""
        sync_seconds = self._process.switches.get("sync_seconds", 0)
        return bool(self._process.switches.get("syncing")) or time.time() < self._process.started + sync_seconds

    def health(self) -> dict:
        """Answer system_health."""
        return {"peers": self.peers(), "isSyncing": self.syncing(), "shouldHavePeers": True}

    def _readiness(self) -> tuple:
        return (200 if self.peers() and not self.syncing() else 500), self.health()

    def sync_state(self) -> dict:
        """Answer system_syncState."""
        highest = chain.best_block(chain.slot_at(time.time()))
        current = self._start_block // 2 if self.syncing() else highest
        return {"startingBlock": self._start_block // 2, "currentBlock": current, "highestBlock": highest}

    def farmer_app_info(self) -> dict:
        """Answer subspace_getFarmerAppInfo."""
        return {
            "genesisHash": self._genesis,
            "dsnBootstrapNodes": [],
            "syncing": self.syncing(),
            "farmingTimeout": {"secs": int(chain.FARMING_TIMEOUT), "nanos": 0},
            "protocolInfo": {
                "historySize": 1,
                "maxPiecesInSector": chain.PIECES_IN_SECTOR,
                "recentSegments": 5,
                "recentHistoryFraction": [1, 10],
                "minSectorLifetime": 4,
            },
        }

    def _check_unsafe(self) -> None:
        methods = self._arguments.rpc_methods
        if methods == "auto":
            local = ipaddress.ip_address(self._arguments.rpc_listen_on[0]).is_loopback
            methods = "unsafe" if local else "safe"
        if methods != "unsafe":
            raise RpcError(-32601, "RPC call is unsafe to be called externally")

    def _check_slots_allowed(self) -> None:
        self._check_unsafe()
        if not self._arguments.farmer:
            raise RpcError(-32601, "Method not found: the node runs without --farmer")

    def _submit_solution(self, params: list) -> bool:
        self._check_unsafe()
        solution = params[0] if params and isinstance(params[0], dict) else {}
        error = chain.solution_error(self._genesis, solution, time.time())
        if error:
            self._process.count("solutions_rejected")
            raise RpcError(1, error)
        key = (solution["slot"], solution.get("publicKey"))
        if key not in self._accepted:
            self._accepted.add(key)
            self._process.count("solutions_accepted")
        return True

    def _piece(self, params: list) -> str:
        index = params[0] if params else None
        if not isinstance(index, int) or not 0 <= index < chain.ARCHIVED_PIECES:
            raise RpcError(-32602, "Invalid params: no such piece")
        if not self._has_history():
            raise RpcError(4003, "State already discarded for the blocks of this piece")
        return chain.make_piece(self._genesis, index).hex()

    def _block(self, _params: list) -> dict | None:
        return {"block": {"header": {}, "extrinsics": []}, "justifications": None} if self._has_history() else None

    def _has_history(self) -> bool:
        """Say whether the bodies of all blocks are there."""
        database = self._database
        full = self._arguments.sync == database["sync"] == "full" and database["blocks_pruning"] == "archive"
        return full and not self._process.switches.get("pruned")


async def listen_p2p(process: Process, port: int, stack: contextlib.AsyncExitStack) -> None:
    """Listen on a p2p port; a taken one is only a warning, as in the real programs."""

    async def accept(reader, writer) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    try:
        server = await asyncio.start_server(accept, "0.0.0.0", port)
        stack.callback(server.close)
    except OSError as error:
        process.log("WARN", f"Cannot listen on p2p port {port}: {error}")
