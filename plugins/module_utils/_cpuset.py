# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Sets of CPU numbers: the kernel's list format (``0-3,8``), its masks (``ffff,00000000``), and back."""

from __future__ import annotations

import re
from typing import FrozenSet, Iterable

from ._foreign import reads_foreign

CpuSet = FrozenSet[int]

# The kernel's NR_CPUS is at most 8192; a larger number is a damaged list, not a CPU.
MAX_CPUS = 8192

# Python does not even convert numbers of thousands of digits.
_LIST_RE = re.compile(r"[0-9]{1,18}(?:-[0-9]{1,18})?(?:,[0-9]{1,18}(?:-[0-9]{1,18})?)*\Z")
_MASK_RE = re.compile(r"(?:0x)?[0-9a-fA-F]+(?:,[0-9a-fA-F]+)*\Z")


class CpuSetError(ValueError):
    """A text that is no CPU list or mask."""


@reads_foreign
def parse_cpu_list(text: str | None) -> CpuSet:
    """Return the frozenset of CPUs of a kernel list such as ``0-3,8``; an empty text is the empty set.

    Raises CpuSetError for anything else, for a range that runs backwards and for numbers no kernel has.
    """
    text = (text or "").strip()
    if not text:
        return frozenset()
    if not _LIST_RE.match(text):
        raise CpuSetError(f"{text!r} is not a CPU list such as 0-3,8-11")
    cpus: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low, high = int(first), int(last if dash else first)
        if high < low:
            raise CpuSetError(f"{part!r} in the CPU list {text!r} runs backwards")
        if high >= MAX_CPUS:
            raise CpuSetError(f"{part!r} in the CPU list {text!r} is above the largest CPU number, {MAX_CPUS - 1}")
        cpus.update(range(low, high + 1))
    return frozenset(cpus)


@reads_foreign
def parse_cpu_mask(text: str | None) -> CpuSet:
    """Return the frozenset of CPUs of a kernel mask: hexadecimal, groups of 32 bits separated by commas."""
    text = (text or "").strip()
    if not text:
        return frozenset()
    if not _MASK_RE.match(text):
        raise CpuSetError(f"{text!r} is not a CPU mask such as ff,ffffffff")
    if text.lower().startswith("0x"):
        text = text[2:]
    bits = 0
    for group in text.split(","):
        bits = (bits << 32) | int(group, 16)
    if bits.bit_length() > MAX_CPUS:
        raise CpuSetError(f"the CPU mask {text!r} has bits above the largest CPU number, {MAX_CPUS - 1}")
    return frozenset(i for i in range(bits.bit_length()) if bits >> i & 1)


def ranges(cpus: Iterable[int]) -> list[tuple[int, int]]:
    """Return the maximal runs of consecutive numbers as a sorted list of (first, last)."""
    found: list[tuple[int, int]] = []
    for cpu in sorted(cpus):
        if found and cpu == found[-1][1] + 1:
            found[-1] = (found[-1][0], cpu)
        else:
            found.append((cpu, cpu))
    return found


def format_cpu_list(cpus: Iterable[int]) -> str:
    """Return the kernel's list format of a set of CPUs: sorted, consecutive numbers merged, ``""`` for none."""
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges(cpus))
