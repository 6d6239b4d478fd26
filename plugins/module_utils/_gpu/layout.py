# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Lays out sets of cores: which cores of a domain each of its GPUs gets. Pure functions."""

from __future__ import annotations

from collections import Counter
from typing import Any, List, Mapping, Sequence

from .._cpuset import ranges
from .machine import Core

Layout = List[List[Core]]
"""The cores of each GPU, in the GPUs' order."""


def lay_out(cores: Sequence[Core], gpus: int, share: int, cache_of: Mapping[int, int]) -> Layout:
    """Return each GPU's cores: ``share`` of them for each of ``gpus`` GPUs, from the sorted cores of one domain.

    Several layouts are made and the best is taken: fewest shared L3 groups, fewest groups touched, fewest ranges; among
    equals the first core, which the system uses most, stays free.
    """
    candidates = [_slots(cores, gpus, share)]
    if any(cache_of.get(core[0]) is not None for core in cores):
        groups: dict[Any, list[Core]] = {}
        for core in cores:
            # Cores without a known cache count as one group each: nobody can share what is not known.
            groups.setdefault(cache_of.get(core[0], ("none", core)), []).append(core)
        ordered = sorted(groups.values())
        candidates += [_aligned(ordered, gpus, share), *_packed(ordered, gpus, share)]
    return min(candidates, key=lambda layout: (_sharing(layout, cache_of), cores[0] in layout[0]))


def _sharing(layout: Layout, cache_of: Mapping[int, int]) -> tuple[int, int, int]:
    """Return (shared L3 groups, L3 groups touched, ranges) of a layout."""
    touched = [{cache_of[core[0]] for core in chosen if core[0] in cache_of} for chosen in layout]
    owners = Counter(group for groups in touched for group in groups)
    runs = sum(len(ranges(cpu for core in chosen for cpu in core)) for chosen in layout)
    return (sum(1 for number in owners.values() if number > 1), sum(len(groups) for groups in touched), runs)


def _slots(cores: Sequence[Core], gpus: int, share: int) -> Layout:
    """Cut the cores into one slot per GPU, as equal as can be; each GPU takes the tail of its slot."""
    spare, extra = divmod(len(cores) - gpus * share, gpus)
    layout: Layout = []
    end = 0
    for number in range(gpus):
        end += spare + share + (1 if number < extra else 0)
        layout.append(list(cores[end - share : end]))
    return layout


def _aligned(groups: Sequence[list[Core]], gpus: int, share: int) -> Layout:
    """Lay the sets out from the last core down.

    Each one ends where an L3 group ends, as long as the spare cores last.
    """
    cores = [core for group in groups for core in group]
    group_start: list[int] = []
    for group in groups:
        group_start += [len(group_start)] * len(group)
    layout: Layout = []
    end = len(cores)
    for left in range(gpus, 0, -1):
        boundary = end if end == len(cores) else group_start[end]
        if boundary >= left * share:
            end = boundary
        layout.append(list(cores[end - share : end]))
        end -= share
    return layout[::-1]


def _packed(groups: Sequence[list[Core]], gpus: int, share: int) -> list[Layout]:
    """Return layouts that give whole L3 groups to one GPU each and divide as few groups as possible among several.

    With ``shared`` groups set aside, handing each other group to the GPU that lacks most covers as much as can be
    covered when the groups are equal; so the first number of shared groups whose cores suffice for the rest is the
    smallest possible.
    """
    by_size = sorted(groups, key=lambda group: (-len(group), group))
    for number in range(len(groups) + 1):
        layouts = [_deal(groups, shared, gpus, share) for shared in (by_size[:number], by_size[len(groups) - number :])]
        found = [layout for layout in layouts if layout]
        if found:
            return found
    return []


def _deal(groups: Sequence[list[Core]], shared: Sequence[list[Core]], gpus: int, share: int) -> Layout | None:
    """Deal the groups that are not ``shared`` to the GPUs, fill up from ``shared``; None when that is not enough."""
    lacking = [share] * gpus
    owned: list[list[list[Core]]] = [[] for _gpu in range(gpus)]
    free = [group for group in groups if group not in shared]
    while free and max(lacking) > 0:
        # The last GPU takes the last groups, so that what stays free lies at the front.
        gpu = max(range(gpus), key=lambda number: (lacking[number], number))
        enough = [group for group in free if len(group) >= lacking[gpu]]
        group = (
            min(enough, key=lambda item: (len(item), _backwards(item)))
            if enough
            else max(free, key=lambda item: (len(item), item))
        )
        free.remove(group)
        owned[gpu].append(group)
        lacking[gpu] -= min(lacking[gpu], len(group))
    if sum(lacking) > sum(len(group) for group in shared):
        return None
    _put_in_order(owned)
    rest = [core for group in sorted(shared) for core in group]
    layout: Layout = []
    for gpu in reversed(range(gpus)):
        whole = sorted(core for group in owned[gpu] for core in group)
        taken = whole[max(0, len(whole) - share) :]
        if lacking[gpu]:
            taken = rest[len(rest) - lacking[gpu] :] + taken
            rest = rest[: len(rest) - lacking[gpu]]
        layout.append(sorted(taken))
    return layout[::-1]


def _put_in_order(owned: list[list[list[Core]]]) -> None:
    """Exchange groups of the same size: who has which does not matter, and in order they are contiguous."""
    for size in {len(group) for groups in owned for group in groups}:
        alike = sorted(group for groups in owned for group in groups if len(group) == size)
        for groups in owned:
            mine = [number for number, group in enumerate(groups) if len(group) == size]
            for number in mine:
                groups[number] = alike.pop(0)


def _backwards(group: list[Core]) -> int:
    return -group[0][0]
