# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""controller: between the node's RPC and the cluster."""

from __future__ import annotations

import asyncio
import contextlib

from . import bus, chain
from .node import listen_p2p
from .process import Fatal, Process
from .rpc import RpcClient, RpcError

_P2P_PORT = 30533
_QUEUE = "controllers"


async def run(process: Process, arguments) -> None:
    """Run until cancelled or until the node's connection drops, which ends the process with status 0."""
    cluster = bus.Bus(process, arguments.nats_servers)
    await cluster.connect()
    node = RpcClient(arguments.node_rpc_url)
    try:
        await node.connect(timeout=5)
        app_info = await node.call("subspace_getFarmerAppInfo", [])
        async with contextlib.AsyncExitStack() as stack:
            await listen_p2p(process, _P2P_PORT, stack)
            await _Controller(process, cluster, node, app_info).run()
    except (OSError, RpcError) as error:
        raise Fatal(f"Failed to connect to node at {arguments.node_rpc_url}: {error}") from None
    finally:
        node.close()
        await cluster.close()


class _Controller:
    def __init__(self, process: Process, cluster: bus.Bus, node: RpcClient, app_info: dict):
        self._process = process
        self._cluster = cluster
        self._node = node
        self._app_info = app_info
        self._slots: asyncio.Queue = asyncio.Queue()

    async def run(self) -> None:
        """Forward slots and answer requests."""
        genesis = self._app_info["genesisHash"]

        async def farmer_app_info(_request: dict) -> dict:
            return self._app_info

        async def piece(request: dict) -> bytes:
            # The real one gets it from the network of nodes; the whole piece goes in one message, hence max_payload.
            return chain.make_piece(genesis, request["index"])

        await self._cluster.serve(bus.FARMER_APP_INFO, farmer_app_info, _QUEUE)
        await self._cluster.serve(bus.PIECE, piece, _QUEUE)
        await self._cluster.serve(bus.SOLUTION, self._solution, _QUEUE)
        await self._cluster.serve(bus.REINITIALIZE, self._reinitialize, _QUEUE)
        self._node.on_notification = self._slots.put_nowait
        self._process.on_tick.append(self._tick)
        await self._node.call("subspace_subscribeSlotInfo", [])
        self._process.log("INFO", f"Subscribed to slots of the node, genesis {genesis}")
        forward = asyncio.create_task(self._forward())
        try:
            await asyncio.wait({self._node.closed, forward}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            forward.cancel()
        self._process.log("WARN", "Connection to the node was dropped")

    def _tick(self) -> None:
        if self._process.switches.get("lose_node"):
            self._node.close()

    async def _forward(self) -> None:
        while True:
            info = await self._slots.get()
            self._process.count("slots_seen")
            await self._cluster.publish(bus.SLOT, info)

    async def _solution(self, solution: dict) -> dict:
        try:
            await self._node.call("subspace_submitSolutionResponse", [solution], timeout=2)
        except (RpcError, OSError) as error:
            self._process.count("solutions_rejected")
            return {"error": str(error)}
        self._process.count("solutions_accepted")
        return {"accepted": True}

    async def _reinitialize(self, request: dict) -> dict:
        delay = request["delay"]

        async def later() -> None:
            await asyncio.sleep(delay)
            self._process.log("INFO", "Reinitializing all caches")
            await self._cluster.publish(bus.CACHE_REINITIALIZE, {})

        self._pending = asyncio.create_task(later())
        self._process.log("INFO", f"All caches will be reinitialized in {delay} s")
        return {"accepted": True}
