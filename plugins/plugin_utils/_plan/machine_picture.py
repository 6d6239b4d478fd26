# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Draws a machine as SVG: sockets, NUMA nodes, L3 caches, every CPU in the colour of its owner. Pure functions.

GPUs and NICs are beside their node. Owners are told apart by number too, not by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import (
    CpuSetError,
    format_cpu_list,
    parse_cpu_list,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.machine import Machine
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import faults, pci_order

from .._words import counted, cut
from .svg import GAP, MARGIN, WIDTH, colour, picture, rect, words

SIDE = 176  # the column with a node's name and its GPUs
CELLS = (14, 22)  # the smallest and largest size of a CPU
MOST_IN_LINE = 46  # cores of one cache in a line
GPU_HEIGHT = 34
LINE = 13  # a further line of a GPU, and a NIC
RIGHT = WIDTH - 2 * MARGIN - 2 * GAP

Core = Sequence[int]


def draw_machine(
    topology: Mapping[str, Any], gpus: Iterable[Mapping[str, Any]], title: str, page: str | None = None
) -> str:
    """Return the SVG of a machine.

    Args:
        topology: what gpu_topology_info returns.
        gpus: the plan's GPUs, or other sets in their shape: ``[{"bus_id", "cpus", "slot" (else "index")}]``.
            ``port`` is shown; ``owner`` names what is no plot server, its ``cpus`` may be None; a GPU that is
            ``missing`` is drawn on its ``numa_node``.
        title: the heading.
        page: as in ``svg.picture``.
    """
    machine = _Drawn(topology, gpus)
    # On a page the heading is above the picture.
    first = MARGIN + (8 if page else 38)
    body: list[str] = []
    top: float = first + 26
    for package, nodes in machine.packages():
        start = top
        inner, top = [], top + (26 if package is not None else GAP)
        for node in nodes:
            text, height = machine.node(node, top)
            inner.append(text)
            top += height + GAP
        body.append(rect("package", MARGIN, start, WIDTH - 2 * MARGIN, top - start, 8))
        if package is not None:
            body.append(words(MARGIN + GAP, start + 18, f"Socket {package}", "dim"))
        body += inner
        top += GAP
    heading = [] if page else [words(MARGIN, MARGIN + 14, title, "big")]
    parts = [*heading, machine.verdict(MARGIN, first), *body, machine.legend(MARGIN, top + MARGIN - 4)]
    return picture(WIDTH, top + MARGIN + 14, title, machine.description(), parts, page)


@dataclass(frozen=True)
class _Owner:
    """A program that is bound to CPUs, or to none, with its GPU; ``list`` is its set as it was given."""

    number: object
    name: str
    gpu: Mapping[str, Any]
    list: str | None
    cpus: frozenset[int]
    port: int | None


class _Drawn:
    """What is drawn, by CPU and by node."""

    def __init__(self, topology: Mapping[str, Any], gpus: Iterable[Mapping[str, Any]]) -> None:
        machine = Machine(topology)
        self.usable, self.nodes = machine.usable, machine.nodes
        self.cores, self.caches = machine.whole_cores, machine.caches
        self.gpus = sorted(topology["gpus"], key=pci_order)
        self.nics = topology.get("nics") or []
        self.owners = [self._owner(gpu) for gpu in gpus]
        # What is bound to no CPUs cannot be wrong about them.
        self.bound = [owner for owner in self.owners if owner.list is not None]
        self.owners_of: dict[int, list[int]] = {}
        for order, owner in enumerate(self.owners):
            for cpu in owner.cpus:
                self.owners_of.setdefault(cpu, []).append(order)
        # As large as possible without another line.
        sizes = range(CELLS[0], CELLS[1] + 1)
        lines = {cell: [self.lines(number, cell) for number in self.nodes] for cell in sizes}
        self.cell = max(cell for cell in sizes if lines[cell] == lines[CELLS[0]])
        self.faults = faults(topology, [(owner.gpu, owner.list) for owner in self.bound])
        # The cores of a GPU that is missing wait for it on its node.
        self.gpus += [owner.gpu for owner in self.owners if owner.gpu not in self.gpus]

    def _owner(self, gpu: Mapping[str, Any]) -> _Owner:
        number = gpu.get("slot", gpu.get("index"))
        missing = {"bus_id": "missing", "numa_node": gpu.get("numa_node")}
        here = [] if gpu.get("missing") else [item for item in self.gpus if item["bus_id"] == gpu["bus_id"]]
        return _Owner(
            number=number,
            name=gpu.get("owner") or f"plot server {number}",
            gpu=here[0] if here else missing,
            list=gpu["cpus"],
            cpus=_set(gpu["cpus"]),
            port=gpu.get("port"),
        )

    def packages(self) -> list[tuple[Any, Sequence[str | None]]]:
        """Return ``[(package, [nodes])]``; the GPUs of no known node have a row of their own."""
        groups: dict[Any, list[str]] = {}
        for number, node in self.nodes.items():
            groups.setdefault(node.package, []).append(number)
        rows: list[tuple[Any, Sequence[str | None]]] = [(package, groups[package]) for package in groups]
        return rows + ([(None, [None])] if self.gpus_of(None) else [])

    def gpus_of(self, node: str | None) -> list[Mapping[str, Any]]:
        homes = [str(gpu["numa_node"]) if str(gpu["numa_node"]) in self.nodes else None for gpu in self.gpus]
        return [gpu for gpu, home in zip(self.gpus, homes) if home == node]

    def nics_of(self, node: str | None) -> list[Mapping[str, Any]]:
        return [nic for nic in self.nics if node is not None and str(nic.get("numa_node")) == node]

    def node(self, number: str | None, top: float) -> tuple[str, float]:
        """Return the box of a node and its height."""
        left = MARGIN + GAP
        gpus, nics = self.gpus_of(number), self.nics_of(number)
        caches, drawn = self.caches_of(number) if number is not None else ([], 0)
        chip = GPU_HEIGHT + (LINE if any(owner.port for owner in self.owners) else 0)
        height = max(drawn + 2 * GAP, 30 + len(gpus) * (chip + 4) + len(nics) * LINE + (8 if nics else 4))
        parts = [rect("node", left, top, RIGHT, height, 6)]
        name = "NUMA node unknown" if number is None else f"NUMA node {number}"
        memory = self.nodes[number].memory_mib if number is not None else None
        parts.append(words(left + GAP, top + 19, name + (f", {round(memory / 1024)} GiB" if memory else "")))
        for place, gpu in enumerate(gpus):
            parts.append(self.gpu(gpu, left + GAP, top + 28 + place * (chip + 4), chip))
        for place, nic in enumerate(nics):
            parts.append(words(left + GAP, top + 39 + len(gpus) * (chip + 4) + place * LINE, _nic(nic), "small dim"))
        parts += [draw(top + GAP) for draw in caches]
        return "\n".join(parts), height

    def gpu(self, gpu: Mapping[str, Any], left: float, top: float, height: float) -> str:
        """Return the chip of a GPU, in the colour of the first program that has it."""
        order = next((order for order, owner in enumerate(self.owners) if owner.gpu is gpu), None)
        parts = ["<g>"]
        if order is None:
            parts.append(rect("pool", left, top, SIDE - 2 * GAP, height, 4))
            parts.append(words(left + 6, top + 14, f"GPU {gpu['bus_id']}"))
            parts.append(words(left + 6, top + 27, "not used", "small dim"))
        else:
            owner = self.owners[order]
            parts.append(rect("chip", left, top, SIDE - 2 * GAP, height, 4, colour(order)))
            parts.append(words(left + 6, top + 14, f"{owner.number}  GPU {gpu['bus_id']}", "chip-text"))
            bound = "bound to no CPUs"
            if owner.list is not None:
                bound = f"{len(owner.cpus)} CPUs: {cut(owner.list, 17)}"
            parts.append(words(left + 6, top + 27, bound, "small chip-text"))
            if owner.port:
                parts.append(words(left + 6, top + 40, f"port {owner.port}", "small chip-text"))
        return "".join([*parts, "</g>"])

    def groups(self, number: str) -> list[tuple[list[Core], str]]:
        """Return ``[(cores, label)]``: the caches of a node."""
        cpus = self.nodes[number].cpus
        cores = [[cpu for cpu in core if cpu in cpus] for core in self.cores if cpus.intersection(core)]
        groups: list[tuple[list[Core], str]] = []
        known: set[int] = set()
        for cache in self.caches:
            members: list[Core] = [core for core in cores if cache.intersection(core)]
            if members:
                groups.append((members, format_cpu_list(cpu for core in members for cpu in core)))
                known.update(core[0] for core in members)
        rest: list[Core] = [core for core in cores if core[0] not in known]
        return groups + ([(rest, "no L3 cache known")] if rest else [])

    def lines(self, number: str, cell: int) -> int | None:
        """Return in how many lines the caches of a node fit, None where they do not."""
        widths = _widths(self.groups(number), cell)
        room = RIGHT - SIDE - GAP
        lines = (lines for lines in range(1, len(widths) + 1) if _widest(widths, -(-len(widths) // lines)) <= room)
        return next(lines, None)

    def caches_of(self, number: str) -> tuple[list[Callable[[float], str]], float]:
        """Return what draws the caches of a node when it is told the upper edge, and how high they are."""
        groups = self.groups(number)
        if not groups:
            return [lambda top: words(MARGIN + GAP + SIDE, top + 11, "no CPUs", "dim")], 20
        widths = _widths(groups, self.cell)
        line_height = max(len(core) for members, _label in groups for core in members) * self.cell + 3
        per_line = -(-len(groups) // (self.lines(number, self.cell) or len(groups)))
        drawers: list[Callable[[float], str]] = []
        offset = 0
        for first in range(0, len(groups), per_line):
            left, tallest = MARGIN + GAP + SIDE, 0
            for (members, label), width in zip(groups[first : first + per_line], widths[first : first + per_line]):
                height = -(-len(members) // MOST_IN_LINE) * line_height + 18
                drawers.append(self._cache(members, label, (left, offset, width, height), line_height))
                left += width + 5
                tallest = max(tallest, height)
            offset += tallest + 5
        return drawers, offset - 5

    def _cache(
        self, members: Sequence[Core], label: str, box: tuple[int, int, int, int], line_height: int
    ) -> Callable[[float], str]:
        left, offset, width, height = box

        def drawn(top: float) -> str:
            parts = [rect("cache", left, top + offset, width, height, 3)]
            for place, core in enumerate(members):
                line, column = divmod(place, MOST_IN_LINE)
                parts.append(self.core(core, left + 5 + column * self.cell, top + offset + 4 + line * line_height))
            text = cut(label, max(4, int(width // 6)))
            parts.append(words(left + width / 2, top + offset + height - 4, text, "small dim mid"))
            return "".join(parts)

        return drawn

    def core(self, core: Core, left: float, top: float) -> str:
        """Return a core with its threads, marked where it has not one owner."""
        parts = [
            f"<g><title>CPU {format_cpu_list(core)}: {', '.join(sorted({self.owner(cpu) for cpu in core}))}</title>"
        ]
        for thread, cpu in enumerate(core):
            parts.append(self.cpu(cpu, left, top + thread * self.cell))
        usable = {tuple(self.owners_of.get(cpu, [])) for cpu in core if cpu in self.usable}
        if len(usable) > 1 or any(len(self.owners_of.get(cpu, [])) > 1 for cpu in core):
            parts.append(rect("bad", left, top, self.cell - 2, len(core) * self.cell - 2, 2))
        return "".join([*parts, "</g>"])

    def owner(self, cpu: int) -> str:
        if cpu in self.owners_of:
            return " and ".join(self.owners[order].name for order in self.owners_of[cpu])
        return "free" if cpu in self.usable else "not usable"

    def cpu(self, cpu: int, left: float, top: float) -> str:
        """Return the box of a CPU, divided where it has several owners."""
        side = self.cell - 2
        mine = self.owners_of.get(cpu, [])
        if not mine:
            return rect("pool" if cpu in self.usable else "unusable", left + 0.5, top + 0.5, side - 1, side - 1, 1)
        share = side / len(mine)
        parts = [
            rect("owned", left + place * share, top, share, side, 0, colour(order)) for place, order in enumerate(mine)
        ]
        if len(mine) < 3:
            parts += [
                words(left + (place + 0.5) * share, top + side / 2 + 3, self.owners[order].number, "on")
                for place, order in enumerate(mine)
                if len(mine) == 1 or len(str(self.owners[order].number)) == 1
            ]
        return "".join(parts)

    def verdict(self, left: float, top: float) -> str:
        sentence = self.description()
        return words(left, top, sentence, "" if sentence.startswith(("Every", "No")) else "bad-text")

    def description(self) -> str:
        """Return the picture in a sentence."""
        if not self.bound:
            return "No program is bound to cores." if self.owners else "No plot server."
        failed, overlapping, off_node, split, caches = (
            self.faults[kind] for kind in ("failed", "overlapping", "off_node", "split_cores", "shared_l3")
        )
        kinds = {
            f"{failed} cannot be started as given": failed,
            f"{overlapping} share cores with another": overlapping,
            f"{off_node} not on their GPU's NUMA node": off_node,
            f"{counted(split, 'core')} split": split,
            f"{counted(caches, 'L3 cache')} shared": caches,
        }
        what = "plot server" if self.bound[0].name.startswith("plot server") else "program"
        if failed or overlapping or off_node or split:
            found = ", ".join(text for text, number in kinds.items() if number)
            return f"Of {counted(len(self.bound), what)}: {found}."
        ending = "no L3 cache is shared"
        if caches:
            ending = f"{counted(caches, 'L3 cache')} {'is' if caches == 1 else 'are'} shared"
        unknown = sum(1 for owner in self.owners if owner.gpu in self.gpus_of(None))
        ending += f"; the NUMA node of {counted(unknown, 'GPU')} is unknown" if unknown else ""
        return f"Every {what} has whole cores of its own, beside its GPU; {ending}."

    def legend(self, left: float, top: float) -> str:
        """Return what the marks mean."""
        marks = [(0, "pool", "free for the system, caches and other programs"), (300, "bad", "split or shared core")]
        if any(node.cpus - self.usable for node in self.nodes.values()):
            marks.append((450, "unusable", "not usable"))
        parts = []
        for place, kind, text in marks:
            parts.append(rect(kind, left + place, top - 9, 10, 10, 2 if kind == "bad" else 1))
            parts.append(words(left + place + 16, top, text, "small dim"))
        text = "a column is a core with its threads, a frame an L3 cache"
        return "".join([*parts, words(WIDTH - MARGIN, top, text, "small dim end")])


def _widths(groups: Iterable[tuple[Sequence[Core], str]], cell: int) -> list[int]:
    return [min(len(members), MOST_IN_LINE) * cell + 9 for members, _label in groups]


def _widest(widths: Sequence[int], per_line: int) -> int:
    return max(
        sum(width + 5 for width in widths[first : first + per_line]) for first in range(0, len(widths), per_line)
    )


def _set(text: str | None) -> frozenset[int]:
    try:
        return parse_cpu_list(text)
    except CpuSetError:
        return frozenset()


def _nic(nic: Mapping[str, Any]) -> str:
    speed = nic.get("speed_mbps") or 0
    rate = f", {speed / 1000:g} Gbit/s" if speed >= 1000 else f", {speed} Mbit/s" if speed > 0 else ""
    return f"NIC {cut(nic['name'], 14)}{rate}"
