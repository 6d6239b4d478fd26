# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GPUs CUDA shows to a process, and holding them so that the fake nvidia-smi lists the process."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from .process import ROOT, Process

_QUERY = ["--query-gpu=index,uuid,name,pci.bus_id,memory.total,driver_version", "--format=csv,noheader,nounits"]
#: /dev/shm/autonomys-fake-gpu-<uuid> is open as long as a process holds that GPU.
HELD = ROOT + "/dev/shm/autonomys-fake-gpu-"


def present() -> list:
    """Ask nvidia-smi for the GPUs of this host: [{uuid, bus_id, memory_mib}], none when it cannot tell."""
    path = os.environ.get("PATH", "") + ":/usr/local/bin:/usr/bin"
    program = shutil.which("nvidia-smi", path=path)
    if program is None:
        return []
    answer = subprocess.run([program, *_QUERY], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.stdout.splitlines()]
    return [{"uuid": row[1], "bus_id": row[3], "memory_mib": int(row[4])} for row in rows]


def visible(gpus: list, environment) -> list:
    """Return the UUIDs that CUDA shows, in CUDA's order.

    Without CUDA_DEVICE_ORDER=PCI_BUS_ID the fastest GPU comes first; memory stands for speed here. The first entry
    of CUDA_VISIBLE_DEVICES that means no GPU hides itself and all that follow it, without an error.
    """
    order = sorted(gpus, key=lambda gpu: gpu["bus_id"].lower())
    if environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        order.sort(key=lambda gpu: -gpu["memory_mib"])
    uuids = [gpu["uuid"] for gpu in order]
    wanted = environment.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return uuids
    result: list = []
    for token in wanted.split(","):
        token = token.strip()
        found = [uuid for uuid in uuids if token.startswith("GPU-") and uuid.startswith(token)]
        if token.isdigit():
            found = uuids[int(token) : int(token) + 1]
        if len(found) != 1:
            break
        if found[0] in result:
            return []  # CUDA shows no GPU at all when one is named twice
        result += found
    return result


class GpuHolder:
    """Holds the visible GPUs of a process; the fault switch drop_gpu lets them go."""

    def __init__(self, process: Process):
        self._process = process
        self._files: list = []
        self._uuids = visible(present(), os.environ)
        if not self._uuids:
            # Exactly as the real program: a missing GPU is only a warning.
            process.log("WARN", "No CUDA device is visible, falling back to CPU")
        process.on_tick.append(self._tick)
        self._tick()

    def _tick(self) -> None:
        drop = bool(self._process.switches.get("drop_gpu"))
        if drop and self._files:
            self._process.log("WARN", "GPU lost: fault switch drop_gpu is on")
            self.release()
        elif not drop and not self._files:
            for uuid in self._uuids:
                self._files.append(_open_shared(HELD + uuid))
                self._process.log("INFO", f"Using GPU {uuid}")

    def release(self) -> None:
        """Let all GPUs go."""
        for stream in self._files:
            stream.close()
        self._files = []


def _open_shared(name: str):
    # Any user may hold a GPU; in a sticky folder the kernel refuses O_CREAT on other people's files, root's included.
    with contextlib.suppress(FileExistsError):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    return Path(name).open("rb")
