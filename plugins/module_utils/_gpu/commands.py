# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Asks the NVIDIA driver, by nvidia-smi or else by pynvml: what GPUs there are, how they are linked, who uses them."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import NamedTuple

from .._cpuset import CpuSet
from .._host.commands import Answer, CommandError, CommandTimeoutError, Run, find_program, run_command
from .nvidia_errors import NvidiaError, explain_error
from .nvidia_smi import (
    QUERY_FIELDS,
    ListedGpu,
    Row,
    normalize_bus_id,
    parse_compute_apps,
    parse_query,
    parse_topo,
)

# pynvml runs in a process of its own: a hanging driver then costs the timeout instead of hanging the module.
_NVML_SCRIPT = """
import json, pynvml as n
n.nvmlInit()
def text(value):
    return value.decode() if isinstance(value, bytes) else value
gpus = []
for i in range(n.nvmlDeviceGetCount()):
    try:
        h = n.nvmlDeviceGetHandleByIndex(i)
    except n.NVMLError:
        continue
    try:
        affinity = [int(word) for word in n.nvmlDeviceGetCpuAffinity(h, 128)]
    except n.NVMLError:
        affinity = []
    gpus.append({"index": i, "uuid": text(n.nvmlDeviceGetUUID(h)), "name": text(n.nvmlDeviceGetName(h)),
                 "bus_id": text(n.nvmlDeviceGetPciInfo(h).busId),
                 "memory_mib": n.nvmlDeviceGetMemoryInfo(h).total >> 20,
                 "driver_version": text(n.nvmlSystemGetDriverVersion()), "affinity": affinity})
print(json.dumps(gpus))
"""

NOT_INSTALLED = (
    "nvidia-smi was not found on this host; a host without a GPU needs none, "
    "else install the NVIDIA driver and its utilities"
)

# 14 stands for a warning, such as a corrupted infoROM, beside a good answer.
_GOOD_STATUSES = (0, 14)


class Answers(NamedTuple):
    """What the driver says: GPUs, rows of their matrix, the CPUs that NVML puts beside each, why there is no GPU."""

    gpus: list[ListedGpu]
    rows: dict[str, Row]
    nvml_cpus: dict[int, CpuSet]
    error: str | None


def find_nvidia_smi() -> str | None:
    """Return the path of nvidia-smi, None when it is not installed."""
    return find_program("nvidia-smi")


def ask_driver(run: Run, timeout: float, warnings: list[str]) -> Answers:
    """Ask for the GPUs and for the matrix of their links; what is odd is added to the warnings."""
    program = find_nvidia_smi()
    if program is None:
        gpus, cpus = _ask_nvml(run, timeout)
        return Answers(gpus, {}, cpus, None if gpus else NOT_INSTALLED)
    try:
        query = _ask(run, [program, "--query-gpu=" + ",".join(QUERY_FIELDS), "--format=csv,noheader,nounits"], timeout)
    except CommandError as error:
        return Answers([], {}, {}, str(error))
    cpus = {}
    try:
        gpus = parse_query(query[1])
    except NvidiaError:
        gpus, cpus = _ask_nvml(run, timeout)
        if not gpus:
            return Answers([], {}, {}, _explain(query))
        warnings.append(f"nvidia-smi did not list the GPUs, NVML did: {_explain(query)}")
    else:
        if query[0] not in _GOOD_STATUSES:
            warnings.append(f"nvidia-smi may not have listed all GPUs: {_explain((query[0], query[2], ''))}")
    rows = _ask_topo(run, program, timeout, warnings)
    listed = {f"GPU{gpu['index']}" for gpu in gpus}
    if rows and set(rows) != listed:
        warnings.append(
            f"nvidia-smi topo -m has rows for {', '.join(rows)}, "
            f"nvidia-smi --query-gpu lists {', '.join(sorted(listed))}"
        )
    return Answers(gpus, rows, cpus, None)


def gpu_processes(timeout: float, run: Run = run_command) -> dict[int, list[str]] | None:
    """Return ``{pid: [UUIDs]}`` of the processes that use a GPU.

    None where nvidia-smi is there and does not tell; a host without it has none.
    """
    program = find_nvidia_smi()
    if program is None:
        return {}
    try:
        status, text, _errors = run([program, "--query-compute-apps=pid,gpu_uuid", "--format=csv,noheader"], timeout)
    except CommandError:
        return None
    return parse_compute_apps(text) if status in _GOOD_STATUSES else None


def _ask(run: Run, argv: list[str], timeout: float) -> Answer:
    try:
        return run(argv, timeout)
    except CommandTimeoutError as error:
        raise CommandError(f"{error}; the NVIDIA driver may hang (look at dmesg)") from error


def _ask_topo(run: Run, program: str, timeout: float, warnings: list[str]) -> dict[str, Row]:
    try:
        topo = _ask(run, [program, "topo", "-m"], timeout)
    except CommandError as error:
        warnings.append(str(error))
        return {}
    try:
        return parse_topo(topo[1])
    except NvidiaError:
        warnings.append(f"nvidia-smi topo -m gave no matrix: {_explain(topo)}")
        return {}


def _explain(answer: Answer) -> str:
    """Return what a command's (status, stdout, stderr) means."""
    status, stdout, stderr = answer
    return explain_error(stdout + "\n" + stderr, status)


def _ask_nvml(run: Run, timeout: float) -> tuple[list[ListedGpu], dict[int, CpuSet]]:
    """Return the GPUs that pynvml lists and the CPUs beside each, none when it is not installed or fails."""
    if importlib.util.find_spec("pynvml") is None:
        return [], {}
    try:
        status, stdout, _stderr = run([sys.executable or "python3", "-c", _NVML_SCRIPT], timeout)
        found = json.loads(stdout) if status == 0 else []
    except (CommandError, ValueError):
        return [], {}
    gpus: list[ListedGpu] = []
    cpus = {}
    for gpu in found:
        words = gpu.pop("affinity")
        cpus[gpu["index"]] = frozenset(
            64 * number + bit for number, word in enumerate(words) for bit in range(64) if word >> bit & 1
        )
        gpu["bus_id"] = normalize_bus_id(gpu["bus_id"])
        gpus.append(gpu)
    return gpus, cpus
