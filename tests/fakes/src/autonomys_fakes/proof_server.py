# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proof-server: computes proofs on its GPU."""

from __future__ import annotations

import asyncio

from . import bus, chain
from .exporter import push
from .gpus import GpuHolder
from .process import Process


async def run(process: Process, arguments) -> None:
    """Run until cancelled."""
    gpu = GpuHolder(process)
    cluster = bus.Bus(process, arguments.nats_servers)
    await cluster.connect()

    async def prove(request: dict) -> dict:
        process.count("proofs")
        return {"proof": chain.prove(request["challenge"], request["chunk"])}

    try:
        await cluster.serve(bus.PROOF, prove, "proof-servers")
        process.log("INFO", "Proof server is ready")
        await push(process, arguments.exporter_endpoint, arguments.exporter_internal, arguments.proof_label)
        await asyncio.Event().wait()
    finally:
        await cluster.close()
        gpu.release()
