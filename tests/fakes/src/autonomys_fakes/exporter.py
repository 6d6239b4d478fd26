# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes counters to a Prometheus Pushgateway, for the components that have such options."""

from __future__ import annotations

import asyncio
import urllib.request
from urllib.parse import quote, urlsplit

from .process import Process


async def push(process: Process, endpoint: str | None, interval: int, label: str) -> None:
    """Push for ever; a gateway that does not answer is only a warning. Returns at once without an endpoint."""
    if endpoint is None:
        return
    url = endpoint
    if urlsplit(endpoint).path in ("", "/"):
        url = f"{endpoint.rstrip('/')}/metrics/job/{quote(process.component)}/instance/{quote(label, safe='')}"
    while True:
        await asyncio.sleep(interval)
        lines = [f"fake_{name} {value}\n" for name, value in sorted(process.counters.items())]
        request = urllib.request.Request(url, "".join(lines).encode(), method="POST")
        try:
            await asyncio.to_thread(_send, request)
        except OSError as error:
            process.log("WARN", f"Pushing metrics to {url} failed: {error}")


def _send(request) -> None:
    with urllib.request.urlopen(request, timeout=5) as answer:
        answer.read()
