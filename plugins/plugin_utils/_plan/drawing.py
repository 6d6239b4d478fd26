# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Draws a machine as SVG: sockets, NUMA nodes, L3 caches, every CPU in the colour of its owner, GPUs and NICs beside their node. Pure functions.

The picture follows the reader's light or dark colour scheme. Owners are told apart by number too, not by colour alone.
"""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import (
    CpuSetError,
    format_cpu_list,
    parse_cpu_list,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import faults, pci_order

WIDTH = 960
MARGIN = 20
SIDE = 176  # the column with a node's name and its GPUs
CELLS = (14, 22)  # the smallest and largest size of a CPU
GAP = 8
MOST_IN_LINE = 46  # cores of one cache in a line
GPU_HEIGHT = 34
LINE = 13  # a further line of a GPU, and a NIC
RIGHT = WIDTH - 2 * MARGIN - 2 * GAP

# Readable beside each other for colour-blind readers, and with dark text on all of them (after Okabe and Ito).
PALETTE = ("#e69f00", "#56b4e9", "#2bb58a", "#f0e442", "#d98ab8", "#ff8c5a", "#9aa8ff", "#b8d46a")

STYLE = """
text{font-family:sans-serif;font-size:12px;fill:#1f2430}
.big{font-size:17px;font-weight:bold}.dim{fill:#5a6272}.small{font-size:10px}.mid{text-anchor:middle}.end{text-anchor:end}
.page{fill:#ffffff;stroke:#c9ced8}.package{fill:#f1f3f7;stroke:#aab1bf}.node{fill:#ffffff;stroke:#c9ced8}.cache{fill:#f1f3f7;stroke:#d5d9e2}
.pool{fill:#ffffff;stroke:#8d95a5}.unusable{fill:#c9ced8;stroke:#c9ced8}.on{font-size:9px;fill:#14171d;text-anchor:middle}
.owned{stroke:none}.chip{stroke:#5a6272;stroke-width:.6}.chip-text{fill:#14171d}.bad{fill:none;stroke:#d1242f;stroke-width:2}.bad-text{fill:#b3141f;font-weight:bold}
"""
DARK = """
text{fill:#e4e8f0}.dim{fill:#a2abbb}.page{fill:#14171d;stroke:#3a4150}.package{fill:#1d212a;stroke:#4d5567}.node{fill:#14171d;stroke:#3a4150}
.cache{fill:#1d212a;stroke:#333a48}.pool{fill:#14171d;stroke:#79829a}.unusable{fill:#3a4150;stroke:#3a4150}.on,.chip-text{fill:#14171d}.bad{stroke:#ff6b6b}.bad-text{fill:#ff8787}
"""


def draw_machine(topology, gpus, title, page=None):
    """Return the SVG of a machine.

    Args:
        topology: what gpu_topology_info returns.
        gpus: the plan's GPUs, or other sets in their shape: ``[{"bus_id", "cpus", "slot" (else "index")}]``. ``port`` is shown; ``owner`` names what
            is no plot server, its ``cpus`` may be None.
        title: the heading.
        page: the beginning of the names (``id``) of the picture's parts, for a part of an HTML page that has the styles of
            ``STYLE`` and ``DARK``. Without it the result is a file of its own.
    """
    machine = _Drawn(topology, gpus)
    # On a page the heading stands above the picture.
    first = MARGIN + (8 if page else 38)
    body, top = [], first + 26
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


def picture(width, height, title, description, parts, page=None):
    """An SVG of parts; ``page`` as in ``draw_machine``."""
    prefix = page + "-" if page else ""
    xmlns = "" if page else ' xmlns="http://www.w3.org/2000/svg"'
    return "\n".join(
        [
            f'<svg{xmlns} viewBox="0 0 {width} {height}" role="img" aria-labelledby="{prefix}title {prefix}description">',
            f'<title id="{prefix}title">{escape(title)}</title><desc id="{prefix}description">{escape(description)}</desc>',
            *([] if page else [f"<style>{STYLE}@media (prefers-color-scheme:dark){{{DARK}}}</style>"]),
            rect("page", 0.5, 0.5, width - 1, height - 1, 10),
            *parts,
            "</svg>",
            "",
        ]
    )


class _Drawn:
    """What is drawn, by CPU and by node."""

    def __init__(self, topology, gpus):
        cpus = topology["cpus"]
        self.usable = (parse_cpu_list(cpus["usable"]) & parse_cpu_list(cpus["online"])) - parse_cpu_list(
            cpus["isolated"]
        )
        self.nodes = {
            str(number): dict(node, cpus=parse_cpu_list(node["cpus"])) for number, node in cpus["nodes"].items()
        }
        self.cores = sorted(tuple(sorted(parse_cpu_list(core))) for core in cpus["cores"])
        self.caches = sorted(tuple(sorted(parse_cpu_list(group))) for group in cpus["l3"])
        self.gpus = sorted(topology["gpus"], key=pci_order)
        self.sets = []
        for gpu in gpus:
            own = next((item for item in self.gpus if item["bus_id"] == gpu["bus_id"]), None)
            number = gpu.get("slot", gpu.get("index"))
            owner = gpu.get("owner") or f"plot server {number}"
            self.sets.append(
                {
                    "number": number,
                    "gpu": own,
                    "cpus": _set(gpu["cpus"]),
                    "list": gpu["cpus"],
                    "owner": owner,
                    "port": gpu.get("port"),
                }
            )
        self.nics = topology.get("nics") or []
        # What is bound to no CPUs cannot be wrong about them.
        self.bound = [entry for entry in self.sets if entry["list"] is not None]
        self.owners = {}
        for order, entry in enumerate(self.sets):
            for cpu in entry["cpus"]:
                self.owners.setdefault(cpu, []).append(order)
        # As large as possible without another line.
        least = [self.lines(number, CELLS[0]) for number in self.nodes]
        fitting = [
            cell
            for cell in range(CELLS[0], CELLS[1] + 1)
            if [self.lines(number, cell) for number in self.nodes] == least
        ]
        self.cell = max(fitting or CELLS[:1])
        self.faults = faults(topology, [(entry["gpu"], entry["list"]) for entry in self.bound])

    def packages(self):
        """``[(package, [nodes])]``; the GPUs of no known node have a row of their own."""
        groups = {}
        for number in sorted(self.nodes, key=int):
            groups.setdefault(self.nodes[number].get("package"), []).append(number)
        rows = sorted(groups.items(), key=lambda item: int(item[1][0]))
        return rows + ([(None, [None])] if self.gpus_of(None) else [])

    def gpus_of(self, node):
        homes = [str(gpu["numa_node"]) if str(gpu["numa_node"]) in self.nodes else None for gpu in self.gpus]
        return [gpu for gpu, home in zip(self.gpus, homes) if home == node]

    def nics_of(self, node):
        return [nic for nic in self.nics if node is not None and str(nic.get("numa_node")) == node]

    def node(self, number, top):
        """The box of a node and its height."""
        left = MARGIN + GAP
        gpus = self.gpus_of(number)
        caches, drawn = self.caches_of(number) if number is not None else ([], 0)
        nics = self.nics_of(number)
        chip = GPU_HEIGHT + (LINE if any(entry["port"] for entry in self.sets) else 0)
        height = max(drawn + 2 * GAP, 30 + len(gpus) * (chip + 4) + len(nics) * LINE + (8 if nics else 4))
        parts = [rect("node", left, top, RIGHT, height, 6)]
        name = "NUMA node unknown" if number is None else f"NUMA node {number}"
        memory = self.nodes[number].get("memory_mib") if number is not None else None
        parts.append(words(left + GAP, top + 19, name + (f", {round(memory / 1024)} GiB" if memory else "")))
        for place, gpu in enumerate(gpus):
            parts.append(self.gpu(gpu, left + GAP, top + 28 + place * (chip + 4), chip))
        for place, nic in enumerate(nics):
            parts.append(words(left + GAP, top + 39 + len(gpus) * (chip + 4) + place * LINE, _nic(nic), "small dim"))
        parts += [draw(top + GAP) for draw in caches]
        return "\n".join(parts), height

    def gpu(self, gpu, left, top, height):
        mine = [order for order, entry in enumerate(self.sets) if entry["gpu"] is gpu]
        parts = ["<g>"]
        if mine:
            entry = self.sets[mine[0]]
            parts.append(rect("chip", left, top, SIDE - 2 * GAP, height, 4, _colour(mine[0])))
            parts.append(words(left + 6, top + 14, f"{entry['number']}  GPU {gpu['bus_id']}", "chip-text"))
            bound = (
                f"{len(entry['cpus'])} CPUs: {_short(entry['list'])}"
                if entry["list"] is not None
                else "bound to no CPUs"
            )
            parts.append(words(left + 6, top + 27, bound, "small chip-text"))
            if entry["port"]:
                parts.append(words(left + 6, top + 40, f"port {entry['port']}", "small chip-text"))
        else:
            parts.append(rect("pool", left, top, SIDE - 2 * GAP, height, 4))
            parts.append(words(left + 6, top + 14, f"GPU {gpu['bus_id']}"))
            parts.append(words(left + 6, top + 27, "not used", "small dim"))
        return "".join([*parts, "</g>"])

    def groups(self, number):
        """``[(cores, label)]``: the caches of a node."""
        cpus = self.nodes[number]["cpus"]
        cores = [[cpu for cpu in core if cpu in cpus] for core in self.cores if cpus.intersection(core)]
        groups, known = [], set()
        for cache in self.caches:
            members = [core for core in cores if set(core) & set(cache)]
            if members:
                groups.append((members, format_cpu_list(cpu for core in members for cpu in core)))
                known.update(core[0] for core in members)
        rest = [core for core in cores if core[0] not in known]
        return groups + ([(rest, "no L3 cache known")] if rest else [])

    def lines(self, number, cell):
        """In how many lines the caches of a node stand."""
        widths = _widths(self.groups(number), cell)
        room = RIGHT - SIDE - GAP
        lines = (lines for lines in range(1, len(widths) + 1) if _widest(widths, -(-len(widths) // lines)) <= room)
        return next(lines, None)

    def caches_of(self, number):
        """What draws the caches of a node when it is told the upper edge, and how high they are."""
        groups = self.groups(number)
        if not groups:
            return [lambda top: words(MARGIN + GAP + SIDE, top + 11, "no CPUs", "dim")], 20
        widths = _widths(groups, self.cell)
        threads = max(len(core) for members, _label in groups for core in members)
        per_line = -(-len(groups) // self.lines(number, self.cell))
        drawers, offset = [], 0
        for first in range(0, len(groups), per_line):
            left, tallest = MARGIN + GAP + SIDE, 0
            for (members, label), width in zip(groups[first : first + per_line], widths[first : first + per_line]):
                height = -(-len(members) // MOST_IN_LINE) * (threads * self.cell + 3) + 18
                drawers.append(self._cache(members, label, left, offset, width, height, threads))
                left += width + 5
                tallest = max(tallest, height)
            offset += tallest + 5
        return drawers, offset - 5

    def _cache(self, members, label, left, offset, width, height, threads):
        def drawn(top):
            parts = [rect("cache", left, top + offset, width, height, 3)]
            for place, core in enumerate(members):
                line, column = divmod(place, MOST_IN_LINE)
                parts.append(
                    self.core(core, left + 5 + column * self.cell, top + offset + 4 + line * (threads * self.cell + 3))
                )
            room = max(4, int(width // 6))
            parts.append(
                words(
                    left + width / 2,
                    top + offset + height - 4,
                    label if len(label) <= room else label[: room - 1] + "…",
                    "small dim mid",
                )
            )
            return "".join(parts)

        return drawn

    def core(self, core, left, top):
        owners = ", ".join(sorted({self.owner(cpu) for cpu in core}))
        parts = [f"<g><title>CPU {format_cpu_list(core)}: {owners}</title>"]
        for thread, cpu in enumerate(core):
            parts.append(self.cpu(cpu, left, top + thread * self.cell))
        # One core, one owner: everything else is marked.
        if len({tuple(self.owners.get(cpu, [])) for cpu in core if cpu in self.usable}) > 1 or any(
            len(self.owners.get(cpu, [])) > 1 for cpu in core
        ):
            parts.append(rect("bad", left, top, self.cell - 2, len(core) * self.cell - 2, 2))
        return "".join([*parts, "</g>"])

    def owner(self, cpu):
        if cpu in self.owners:
            return " and ".join(self.sets[order]["owner"] for order in self.owners[cpu])
        return "free" if cpu in self.usable else "not usable"

    def cpu(self, cpu, left, top):
        size = self.cell - 2
        owners = self.owners.get(cpu, [])
        if not owners:
            return rect("pool" if cpu in self.usable else "unusable", left + 0.5, top + 0.5, size - 1, size - 1, 1)
        share = size / len(owners)
        parts = [
            rect("owned", left + place * share, top, share, size, 0, _colour(order))
            for place, order in enumerate(owners)
        ]
        if len(owners) < 3:
            parts += [
                words(left + (place + 0.5) * share, top + size / 2 + 3, self.sets[order]["number"], "on")
                for place, order in enumerate(owners)
                if len(owners) == 1 or len(str(self.sets[order]["number"])) == 1
            ]
        return "".join(parts)

    def verdict(self, left, top):
        sentence = self.description()
        return words(left, top, sentence, "" if sentence.startswith(("Every", "No")) else "bad-text")

    def description(self):
        """The picture in a sentence."""
        kinds = [
            (self.faults["failed"], "%d cannot be started as given"),
            (self.faults["overlapping"], "%d share cores with another"),
            (self.faults["off_node"], "%d not on their GPU's NUMA node"),
            (self.faults["split_cores"], "%d cores split"),
        ]
        found, caches = [text % number for number, text in kinds if number], self.faults["shared_l3"]
        if not self.bound:
            return "No plot server." if not self.sets else "No program is bound to cores."
        what = "plot server" if self.bound[0]["owner"].startswith("plot server") else "program"
        if not found:
            ending = f"{caches} L3 caches are shared" if caches else "no L3 cache is shared"
            unknown = sum(1 for entry in self.sets if entry["gpu"] in self.gpus_of(None))
            ending += f"; the NUMA node of {unknown} GPUs is unknown" if unknown else ""
            return f"Every {what} has whole cores of its own, beside its GPU; {ending}."
        found += [f"{caches} L3 caches shared"] if caches else []
        return f"Of {len(self.bound)} {what}s: {', '.join(found)}."

    def legend(self, left, top):
        parts = [
            rect("pool", left, top - 9, 10, 10, 1),
            words(left + 16, top, "free for the system, caches and other programs", "small dim"),
        ]
        parts += [
            rect("bad", left + 300, top - 9, 10, 10, 2),
            words(left + 316, top, "split or shared core", "small dim"),
        ]
        if any(set(node["cpus"]) - self.usable for node in self.nodes.values()):
            parts += [
                rect("unusable", left + 450, top - 9, 10, 10, 1),
                words(left + 466, top, "not usable", "small dim"),
            ]
        parts.append(
            words(WIDTH - MARGIN, top, "a column is a core with its threads, a frame an L3 cache", "small dim end")
        )
        return "".join(parts)


def _widths(groups, cell):
    return [min(len(members), MOST_IN_LINE) * cell + 9 for members, _label in groups]


def _widest(widths, per_line):
    return max(
        sum(width + 5 for width in widths[first : first + per_line]) for first in range(0, len(widths), per_line)
    )


def _set(text):
    try:
        return parse_cpu_list(text)
    except CpuSetError:
        return frozenset()


def _short(text):
    return text if len(text) <= 17 else text[:16] + "…"


def _nic(nic):
    speed = nic.get("speed_mbps")
    rate = "" if not speed or speed < 0 else f", {speed / 1000:g} Gbit/s" if speed >= 1000 else f", {speed} Mbit/s"
    return "NIC %s%s" % (nic["name"] if len(nic["name"]) < 14 else nic["name"][:13] + "…", rate)


def _colour(order):
    return PALETTE[order % len(PALETTE)]


# XML knows no other control characters than these, and no half of a pair of surrogates.
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text):
    """A text that is text everywhere in HTML and SVG, between tags and as the value of an attribute."""
    text = _ILLEGAL.sub("\ufffd", str(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#x27;")


def _number(value):
    return (f"{value:.2f}").rstrip("0").rstrip(".")


def rect(kind, left, top, width, height, radius=0, fill=None):
    place = 'x="%s" y="%s" width="%s" height="%s"' % tuple(_number(value) for value in (left, top, width, height))
    return '<rect class="%s" %s%s%s/>' % (
        kind,
        place,
        f' rx="{radius}"' if radius else "",
        f' fill="{fill}"' if fill else "",
    )


def words(left, top, text, kind=""):
    return '<text x="%s" y="%s"%s>%s</text>' % (
        _number(left),
        _number(top),
        f' class="{kind}"' if kind else "",
        escape(text),
    )
