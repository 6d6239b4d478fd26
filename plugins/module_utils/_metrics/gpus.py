# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Metrics of GPUs: which are there, how they are, and the errors that the kernel has logged. Pure functions."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from .._cpuset import CpuSetError, parse_cpu_list
from .._foreign import reads_foreign
from .exposition import Family, Sample, Value
from .memory import Memory

#: The fields that nvidia-smi is asked for, in this order. The first one names the GPU.
QUERY_FIELDS = (
    "uuid",
    "temperature.gpu",
    "power.draw",
    "memory.used",
    "utilization.gpu",
    "pcie.link.width.current",
    "pcie.link.width.max",
    "ecc.errors.uncorrected.volatile.total",
    "clocks_throttle_reasons.active",
)
#: Bits of clocks_throttle_reasons.active that say that something is wrong; a power limit that is reached is none.
THROTTLED = {0x08: "hardware slowdown", 0x20: "software thermal", 0x40: "hardware thermal", 0x80: "power brake"}

_UUID = re.compile(r"GPU-[0-9A-Za-z-]{1,80}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?")
_BITS = re.compile(r"0x([0-9A-Fa-f]{1,16})")
_XID = re.compile(r"NVRM: Xid \(PCI:([0-9A-Fa-f:.]{7,16})\): ([0-9]{1,4})\b")
_OFF_THE_BUS = re.compile(r"NVRM: GPU at PCI:([0-9A-Fa-f:.]{7,16}): .{0,80}fallen off the bus|fallen off the bus")
MEBIBYTE = 1048576


class GpuState(NamedTuple):
    """What nvidia-smi tells of a GPU now, each None where it does not."""

    uuid: str
    numbers: Mapping[str, float | None]
    throttled: int | None


@reads_foreign
def parse_states(text: str) -> list[GpuState]:
    """Read ``--query-gpu=`` of `QUERY_FIELDS` with ``--format=csv,noheader,nounits``, without lines that are no GPU."""
    found = []
    for line in text.split("\n"):
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != len(QUERY_FIELDS) or not _UUID.fullmatch(cells[0]):
            continue
        numbers = {
            name: float(cell) if _NUMBER.fullmatch(cell) else None
            for name, cell in zip(QUERY_FIELDS[1:-1], cells[1:-1])
        }
        bits = _BITS.fullmatch(cells[-1])
        found.append(GpuState(cells[0], numbers, int(bits[1], 16) if bits else None))
    return found


@reads_foreign
def parse_xids(text: str) -> dict[str, int]:
    """Count the errors of the NVIDIA driver in lines of the kernel's log, ``"PCI address XID"`` to how often.

    A GPU that falls off the bus can do so without a number: it counts as 79, which stands for that.
    """
    found: dict[str, int] = {}
    for line in text.split("\n"):
        xid = _XID.search(line)
        lost = None if xid else _OFF_THE_BUS.search(line)
        if xid:
            key = f"{xid[1].lower()} {int(xid[2])}"
        elif lost and lost[1]:
            key = f"{lost[1].lower()} 79"
        else:
            continue
        found[key] = found.get(key, 0) + 1
    return found


def gpu_families(
    reading: Mapping[str, Any], plotting: tuple[int, int] | None, states: Sequence[GpuState] | None, xids: Memory
) -> Iterator[Family]:
    """Yield the metrics of a host's GPUs.

    Args:
        reading: what ``gpu_topology_info`` tells, or ``{error}``.
        plotting: how many GPUs the host should plot with, and how many of these there are; None where it does not plot.
        states: what nvidia-smi tells of each, None where it did not answer.
        xids: ``"PCI address XID"`` to how often the kernel has logged it.
    """
    expected, present = plotting or (None, None)
    answered = "topology" in reading and not reading.get("gpu_error")
    yield Family("autonomys_gpu_query_ok", "Whether the NVIDIA driver answers.", [({}, answered)])
    yield Family("autonomys_gpus_expected", "GPUs that the host should plot with.", [({}, expected)])
    yield Family("autonomys_gpus_present", "Those of them that the driver lists.", [({}, present)])
    found: list[Sample] = []
    for key, count in xids.items():
        address, _blank, xid = key.partition(" ")
        found.append(({"bus_id": address, "xid": xid}, count))
    yield Family(
        "autonomys_gpu_xid_total", "Errors of the NVIDIA driver in the kernel's log, by number.", found, "counter"
    )
    yield from _state_families(states or ())


def _state_families(states: Sequence[GpuState]) -> Iterator[Family]:
    def of(field: str, factor: float = 1) -> list[Sample]:
        return [({"uuid": state.uuid}, _times(state.numbers.get(field), factor)) for state in states]

    yield Family("autonomys_gpu_temperature_celsius", "Temperature of the GPU.", of("temperature.gpu"))
    yield Family("autonomys_gpu_power_watts", "Power that the GPU draws.", of("power.draw"))
    yield Family("autonomys_gpu_memory_used_bytes", "Memory of the GPU that is in use.", of("memory.used", MEBIBYTE))
    yield Family("autonomys_gpu_busy_ratio", "Share of the time in which the GPU worked.", of("utilization.gpu", 0.01))
    yield Family("autonomys_gpu_pcie_width", "Lanes of PCI Express in use.", of("pcie.link.width.current"))
    yield Family("autonomys_gpu_pcie_width_max", "Lanes that GPU and slot have.", of("pcie.link.width.max"))
    yield Family(
        "autonomys_gpu_ecc_uncorrected",
        "Errors of the GPU's memory that could not be corrected, since the driver was loaded.",
        of("ecc.errors.uncorrected.volatile.total"),
    )
    yield Family(
        "autonomys_gpu_throttled",
        "Whether the GPU is slowed down, by reason.",
        [
            ({"uuid": state.uuid, "reason": reason}, bool(state.throttled & bit))
            for state in states
            for bit, reason in THROTTLED.items()
            if state.throttled is not None
        ],
    )


def mask_families(expected: Sequence[Mapping[str, Any]], programs: Sequence[Mapping[str, Any]]) -> Iterator[Family]:
    """Yield whether programs that are bound to CPUs run on those of the plan."""
    running = {program["name"]: program for program in programs}
    yield Family(
        "autonomys_program_mask_as_planned",
        "Whether all threads of the program may run on just the CPUs that are planned.",
        [
            ({"program": item["name"]}, _same(item["cpus"], running[item["name"]]["cpus_allowed"]))
            for item in expected
            if item.get("cpus") and item["name"] in running
        ],
    )


def _same(planned: str, allowed: str | None) -> Value:
    try:
        return None if allowed is None else parse_cpu_list(planned) == parse_cpu_list(allowed)
    except CpuSetError:
        return None


def _times(value: float | None, factor: float) -> Value:
    return None if value is None else value * factor
