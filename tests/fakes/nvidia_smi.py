# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fake nvidia-smi: exactly the queries that the collection makes, answered from /etc/autonomys-fakes/gpus.json.

pack.py puts it, with a first line that names the interpreter, into build/fakes/nvidia-smi.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = os.environ.get("AUTONOMYS_FAKES_ROOT", "")
GPUS = Path(ROOT + "/etc/autonomys-fakes/gpus.json")
HELD = ROOT + "/dev/shm/autonomys-fake-gpu-"

LEGEND = """
Legend:

  X    = Self
  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)
  NODE = Connection traversing PCIe as well as the interconnect between PCIe Host Bridges within a NUMA node
  PHB  = Connection traversing PCIe as well as a PCIe Host Bridge (typically the CPU)
  PXB  = Connection traversing multiple PCIe bridges (without traversing the PCIe Host Bridge)
  PIX  = Connection traversing at most a single PCIe bridge
  NV#  = Connection traversing a bonded set of # NVLinks
"""


def list_gpus(gpus):
    """Answer -L."""
    return "".join(f"GPU {gpu['index']}: {gpu['name']} (UUID: {gpu['uuid']})\n" for gpu in gpus)


def query_gpus(gpus):
    """Answer the query for index, uuid, name, bus id, memory and driver."""
    rows = []
    for gpu in gpus:
        # nvidia-smi prints the PCI domain with eight digits, sysfs with four.
        domain, rest = gpu["bus_id"].split(":", 1)
        bus_id = f"{int(domain, 16):08X}:{rest.upper()}"
        rows.append([gpu["index"], gpu["uuid"], gpu["name"], bus_id, gpu["memory_mib"], gpu["driver_version"]])
    return "".join(", ".join(map(str, row)) + "\n" for row in rows)


def query_states(gpus):
    """Answer the query for temperature, power, use and errors; a GPU that is not throttled says that it is busy."""
    rows = []
    for gpu in gpus:
        state = {
            "temperature": 61,
            "power": 287.41,
            "used": 10240,
            "busy": 98,
            "width": 16,
            "throttled": 0,
            **gpu.get("state", {}),
        }
        width = [state["width"], 16]
        values = [state["temperature"], f"{state['power']:.2f}", state["used"], state["busy"], *width, "[N/A]"]
        rows.append([gpu["uuid"], *values, f"0x{state['throttled']:016x}"])
    return "".join(", ".join(map(str, row)) + "\n" for row in rows)


def query_apps(gpus):
    """Answer the query for processes: who has the file of a GPU open."""
    known = {gpu["uuid"] for gpu in gpus}
    lines = set()
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        uuid = target[len(HELD) :]
        if target.startswith(HELD) and uuid in known:
            lines.add((int(entry.parts[2]), uuid))
    return "".join(f"{pid}, {uuid}\n" for pid, uuid in sorted(lines))


def topology(gpus):
    """Answer topo -m the way drivers of the 550 series do: tabs, an underlined header, a legend."""
    names = [f"GPU{gpu['index']}" for gpu in gpus]
    nics = sorted({name for gpu in gpus for name in gpu.get("links", {}) if name.startswith("NIC")})
    header = names + nics + ["CPU Affinity", "NUMA Affinity", "GPU NUMA ID"]
    lines = ["\t\x1b[4m" + "\t".join(header) + "\x1b[0m"]
    for name, gpu in zip(names, gpus):
        cells = [" X " if other == name else link(gpu, other, gpus) for other in names + nics]
        affinity = [str(gpu.get("cpu_affinity") or "N/A"), "\t" + str(gpu.get("numa_affinity") or "N/A")]
        lines.append("\t".join([name, *cells, *affinity]) + "\t\tN/A")
    for nic in nics:
        cells = [link(gpu, nic, gpus) for gpu in gpus] + [" X " if other == nic else "SYS" for other in nics]
        lines.append("\t".join([nic, *cells]) + "\t\t\t\t")
    return "\n".join(lines) + "\n" + LEGEND


def link(gpu, other, gpus):
    """Return the kind of connection: as given, else from the NUMA nodes."""
    if other in gpu.get("links", {}):
        return gpu["links"][other]
    nodes = {f"GPU{item['index']}": item.get("numa_affinity") for item in gpus}
    return "NODE" if nodes.get(other) == gpu.get("numa_affinity") else "SYS"


ANSWERS = {
    ("-L",): list_gpus,
    ("topo", "-m"): topology,
    (
        "--query-gpu=index,uuid,name,pci.bus_id,memory.total,driver_version",
        "--format=csv,noheader,nounits",
    ): query_gpus,
    (
        "--query-gpu=uuid,temperature.gpu,power.draw,memory.used,utilization.gpu,pcie.link.width.current,"
        "pcie.link.width.max,ecc.errors.uncorrected.volatile.total,clocks_throttle_reasons.active",
        "--format=csv,noheader,nounits",
    ): query_states,
    ("--query-compute-apps=pid,gpu_uuid", "--format=csv,noheader"): query_apps,
}


def main(arguments):
    """Answer one command line; return the exit status."""
    answer = ANSWERS.get(tuple(arguments))
    if answer is None:
        sys.stderr.write(f"fake nvidia-smi: unknown command line {arguments}; known:\n")
        sys.stderr.writelines("  nvidia-smi " + " ".join(known) + "\n" for known in ANSWERS)
        return 2
    try:
        gpus = json.loads(GPUS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        gpus = []
    if not gpus:
        sys.stdout.write(
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
            "NVIDIA driver is installed and running.\n\n"
        )
        return 9
    # A GPU that fell off the bus is gone from every answer.
    sys.stdout.write(answer(sorted(gpus, key=lambda gpu: gpu["index"])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
