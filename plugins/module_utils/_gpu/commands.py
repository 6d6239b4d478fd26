# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Asks the NVIDIA driver, by nvidia-smi or else by pynvml: what GPUs there are, how they are linked, who uses them."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from typing import NamedTuple, Sequence

from .._cpuset import CpuSet
from .._host.commands import Answer, CommandError, CommandTimeoutError, Run, find_program, run_command
from .nvidia_errors import NvidiaError, explain_error, explain_line, explain_status
from .nvidia_smi import (
    QUERY_FIELDS,
    ListedGpu,
    LostGpu,
    Row,
    normalize_bus_id,
    parse_compute_apps,
    parse_mig_modes,
    parse_query,
    parse_topo,
)

# pynvml runs in a process of its own: a hanging driver then costs the timeout instead of hanging the module.
_NVML_SCRIPT = """
import json, pynvml as n
n.nvmlInit()
def text(value):
    return value.decode() if isinstance(value, bytes) else value
def ask(function, *arguments):
    try:
        return text(function(*arguments))
    except n.NVMLError:
        return None
gpus = []
for i in range(n.nvmlDeviceGetCount()):
    h = ask(n.nvmlDeviceGetHandleByIndex, i)
    uuid, pci = h and ask(n.nvmlDeviceGetUUID, h), h and ask(n.nvmlDeviceGetPciInfo, h)
    if not uuid or not pci:
        continue
    memory = ask(n.nvmlDeviceGetMemoryInfo, h)
    gpus.append({"index": i, "uuid": uuid, "name": ask(n.nvmlDeviceGetName, h), "bus_id": text(pci.busId),
                 "memory_mib": memory and memory.total >> 20, "driver_version": ask(n.nvmlSystemGetDriverVersion),
                 "affinity": [int(word) for word in ask(n.nvmlDeviceGetCpuAffinity, h, 128) or []]})
print(json.dumps(gpus))
"""

NOT_INSTALLED = (
    "nvidia-smi was not found on this host; a host without a GPU needs none, "
    "else install the NVIDIA driver and its utilities"
)

# Names of GPUs that can be divided.
_HAS_MIG = re.compile(r"\b(?:A30|A[18]00|H[128]00|H20|GH200|B[123]00|GB[123]00|RTX PRO [56]000)\b")

# 14 stands for a warning, such as a corrupted infoROM, beside a good answer.
_GOOD_STATUSES = (0, 14)


class Answers(NamedTuple):
    """What the driver says: usable GPUs, lost ones, rows of their matrix, CPUs that NVML puts beside each, and errors.

    ``error`` is why there is no GPU.
    """

    gpus: list[ListedGpu]
    lost: list[LostGpu]
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
        return Answers(gpus, [], {}, cpus, None if gpus else NOT_INSTALLED)
    try:
        answer = _ask(run, [program, "--query-gpu=" + ",".join(QUERY_FIELDS), "--format=csv,noheader,nounits"], timeout)
    except CommandError as error:
        return Answers([], [], {}, {}, str(error))
    query = parse_query(answer[1])
    gpus, cpus = query.gpus, {}
    if gpus:
        warnings += [explain_line(line) for line in query.lines]
        if answer[0] not in _GOOD_STATUSES:
            warnings.append(f"nvidia-smi may not have listed all GPUs: {explain_status(answer[0], answer[2])}")
    else:
        why = "; ".join(map(str, query.lost)) or _explain(answer)
        gpus, cpus = _ask_nvml(run, timeout)
        if not gpus:
            return Answers([], query.lost, {}, {}, why)
        warnings.append(f"nvidia-smi did not list the GPUs, NVML did: {why}")
    warnings += map(str, query.lost)
    rows = _ask_topo(run, program, timeout, warnings)
    listed, lost = {f"GPU{gpu['index']}" for gpu in gpus}, {f"GPU{gpu.number}" for gpu in query.lost}
    if rows and set(rows) - lost != listed - lost:
        warnings.append(
            f"nvidia-smi topo -m has rows for {', '.join(rows)}, "
            f"nvidia-smi --query-gpu lists {', '.join(sorted(listed))}"
        )
    return Answers(gpus, query.lost, rows, cpus, None)


def mig_modes(run: Run, gpus: Sequence[ListedGpu], timeout: float) -> list[int]:
    """Return the indexes of the GPUs that are in MIG mode; asked only where one has that mode."""
    program = find_nvidia_smi()
    if program is None or not any(_HAS_MIG.search(gpu["name"] or "") for gpu in gpus):
        return []
    try:
        answer = _ask(run, [program, "--query-gpu=index,mig.mode.current", "--format=csv,noheader"], timeout)
    except CommandError:
        return []
    return parse_mig_modes(answer[1])


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
