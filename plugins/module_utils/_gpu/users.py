# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""A machine's GPUs together with the processes that use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._host.processes import owner
from .commands import gpu_processes
from .topology import read_topology


def read_users(timeout: float) -> list[dict[str, Any]]:
    """Return the processes that use a GPU, as far as they can be looked at; none where nvidia-smi does not tell."""
    found = [(pid, sorted(uuids), owner(pid)) for pid, uuids in sorted((gpu_processes(timeout) or {}).items())]
    return [dict(who, pid=pid, gpu_uuids=uuids) for pid, uuids, who in found if who]


def read_gpus(root: str | Path = "/", timeout: float = 30, processes: bool = False) -> dict[str, Any]:
    """Return what ``gpu_topology_info`` tells of the host whose files are below ``root``."""
    reading: dict[str, Any] = dict(read_topology(root, timeout=timeout))
    if processes:
        # A driver that hung just now would cost the time a second time.
        reading["processes"] = [] if reading["gpu_error"] else read_users(timeout)
    return reading
