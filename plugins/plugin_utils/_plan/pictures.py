# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Draws the cluster and a storage host's disks as SVG, for the page that _report makes. Pure functions.

The cluster is drawn as columns of components over rows of hosts: however many hosts there are, no line crosses another.
"""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .build import NO_COMPONENT, READY, alike, counted
from .drawing import GAP, MARGIN, WIDTH, picture, rect, words
from .text import compact, in_order

NAMES_WIDTH = 150
BOX_HEIGHT = 76
ROW_HEIGHT = 26
# What the colours of a disk say.
LEGEND = (
    ("d-other", "other files, reserve"),
    ("d-plot", "plots there"),
    ("d-more", "planned, not there yet"),
    ("d-free", "free"),
    ("d-lost", "would be lost"),
)
MOST_ROWS = 24  # with more hosts, equal ones share a row

STYLE = """
.comp{fill:#ffffff;stroke:#8d95a5}.comp-none{fill:none;stroke:#c9ced8;stroke-dasharray:3 3}.link{fill:none;stroke:#5a6272;stroke-width:1.4}.bus{fill:#5a6272}
.bold{font-weight:bold}.tiny{font-size:9.5px}.arrow{fill:#5a6272}.line{stroke:#e3e6ec}
.c-start{fill:#d9f2e3;stroke:#2c8a57}.c-restart{fill:#ffe9c2;stroke:#b97400}.c-stop{fill:#ffdcd9;stroke:#c53a31}.c-reload{fill:#dcebff;stroke:#3b74c4}
.c-none{fill:#eceef3;stroke:#aab1bf}.c-unknown{fill:none;stroke:#8d95a5;stroke-dasharray:3 3}
.d-other{fill:#c9ced8}.d-plot{fill:#3f8fd0}.d-more{fill:#a9d3f5}.d-lost{fill:#d1242f}.d-free{fill:#ffffff;stroke:#8d95a5}
"""
DARK = """
.comp{fill:#1d212a;stroke:#79829a}.comp-none{stroke:#3a4150}.link{stroke:#a2abbb}.bus,.arrow{fill:#a2abbb}.line{stroke:#2a303b}
.c-start{fill:#153a27;stroke:#3fae74}.c-restart{fill:#43300c;stroke:#d99a2b}.c-stop{fill:#4a1b19;stroke:#e0645c}.c-reload{fill:#16294a;stroke:#5b93e0}
.c-none{fill:#242a35;stroke:#4d5567}.c-unknown{stroke:#79829a}
.d-other{fill:#4d5567}.d-plot{fill:#3f8fd0}.d-more{fill:#24557f}.d-lost{fill:#ff6b6b}.d-free{fill:#14171d;stroke:#79829a}
"""


def draw_cluster(plan, page):
    """The components, who talks to whom on which port, and which host runs what; ``page`` as in ``draw_machine``."""
    drawn = _Cluster(plan)
    parts, top = drawn.links()
    rows, top = drawn.rows(top)
    hosts = len(plan["hosts"])
    keys = ("component", "to_component", "port")
    links = [
        "%s of %s to %s, port %s" % (counted(link["programs"], "program"), *(link[key] for key in keys))
        for link in plan["connections"]
    ]
    description = f"{hosts} hosts; {'; '.join(links)}."
    return picture(WIDTH, top + MARGIN, "The cluster", description, parts + rows, page)


class _Cluster:
    def __init__(self, plan):
        self.plan = plan
        self.hosts = plan["hosts"]
        self.width = (WIDTH - 2 * MARGIN - NAMES_WIDTH) / len(COMPONENTS)
        self.members = {
            component: [name for name, host in self.hosts.items() if component in host["components"]]
            for component in COMPONENTS
        }

    def left(self, component):
        return MARGIN + NAMES_WIDTH + list(COMPONENTS).index(component) * self.width

    def middle(self, component):
        return self.left(component) + self.width / 2 - GAP / 2

    def links(self):
        """The boxes of components with what connects them, and where the picture goes on below."""
        links = self.plan["connections"]
        clients = [link for link in links if link["to_component"] == "nats" and link["component"] != "nats"]
        routes = [link for link in links if link["component"] == link["to_component"]]
        others = [link for link in links if link not in clients and link not in routes]
        bus, top = MARGIN + 22, MARGIN + 74
        parts = []
        if clients:
            end = max(self.middle(link["component"]) for link in clients)
            start = self.middle("nats")
            parts.append(rect("bus", start - 3, bus, end - start + 6, 6, 3))
            parts.append(_line(start, bus + 6, start, top))
            ports = ", ".join(sorted({link["port"] for link in clients}))
            parts.append(words(MARGIN, bus + 8, f"NATS clients → port {ports}", "small dim"))
            for link in clients:
                middle = self.middle(link["component"])
                parts.append(_line(middle, top, middle, bus + 14) + _arrow(middle, bus + 7))
                parts.append(words(middle + 6, bus + 32, f"{link['programs']} ×", "small dim"))
        parts += [self.box(component, top) for component in COMPONENTS]
        low = top + BOX_HEIGHT
        for depth, link in enumerate(others):
            start, end, level = (
                self.middle(link["component"]) - 10,
                self.middle(link["to_component"]) + 10,
                low + 16 + depth * 20,
            )
            parts.append(f'<path class="link" d="M{start} {low} V{level} H{end} V{low + 8}"/>')
            parts.append(_arrow(end, low + 1))
            text = f"{link['programs']} × port {link['port']}"
            parts.append(words(max(start, end) + 14, level + 4, text, "small dim"))
        for link in routes:
            middle = self.middle(link["component"])
            parts.append(f'<path class="link" d="M{middle - 26} {low} V{low + 16} H{middle + 26} V{low + 8}"/>')
            parts.append(_arrow(middle + 26, low + 1))
            parts.append(words(middle, low + 30, f"all with all, port {link['port']}", "small dim mid"))
        return parts, low + 46 + max(0, len(others) - 1) * 20

    def box(self, component, top):
        members = self.members[component]
        left, width = self.left(component), self.width - GAP
        programs = sum(
            1 for host in self.hosts.values() for program in host["programs"] if program["component"] == component
        )
        parts = [rect("comp" if members else "comp-none", left, top, width, BOX_HEIGHT, 6)]
        parts.append(words(left + width / 2, top + 22, component, "mid bold" if members else "mid dim"))
        parts.append(words(left + width / 2, top + 38, counted(len(members), "host"), "small dim mid"))
        parts.append(words(left + width / 2, top + 52, counted(programs, "program"), "small dim mid"))
        ports = sorted(
            {
                port
                for host in self.hosts.values()
                for program in host["programs"]
                if program["component"] == component
                for port in program["ports"]
            }
        )
        parts.append(words(left + width / 2, top + 67, _ports(ports), "tiny mid"))
        return "".join(parts)

    def rows(self, top):
        names = in_order([name for name, host in self.hosts.items() if host["state"] != NO_COMPONENT])
        groups = [[name] for name in names]
        if len(names) > MOST_ROWS:
            groups = alike(
                names,
                lambda name: (self.hosts[name]["state"], [self.cell(name, component) for component in COMPONENTS]),
            )
        parts = []
        for group in groups:
            host = self.hosts[group[0]]
            label = compact(group)
            label = label if len(label) <= 25 else label[:24] + "…"
            parts.append(f'<path class="line" d="M{MARGIN} {top} H{WIDTH - MARGIN}"/>')
            parts.append(words(MARGIN, top + 17, label, ""))
            note = f"{len(group)} hosts" if len(group) > 1 else ""
            if note:
                parts.append(words(MARGIN, top + 31, note, "small dim"))
            for component in host["components"]:
                kind, text = self.cell(group[0], component)
                left, width = self.left(component), self.width - GAP
                parts.append(rect("c-" + kind, left, top + 4, width, ROW_HEIGHT - 6, 4))
                parts.append(words(left + width / 2, top + 18, text, "small mid"))
            top += ROW_HEIGHT + (14 if note else 2)
        return parts, top

    def cell(self, name, component):
        """What happens to a component on a host: the change that matters most, and words with the ports."""
        host = self.hosts[name]
        mine = [program for program in host["programs"] if program["component"] == component]
        if host["state"] != READY or not mine:
            return "unknown", host["state"] if host["state"] != READY else "not known"
        for change in ("stop", "restart", "start", "reload", "unknown"):
            found = [program for program in mine if program["change"] == change]
            if found:
                word = "not known" if change == "unknown" else change
                if len(found) == len(mine):
                    return change, word if len(mine) == 1 else f"{word} {len(mine)}"
                return change, f"{word} {len(found)} of {len(mine)}"
        return "none", "unchanged"


def _ports(ports):
    if len(ports) > 2 and ports == list(range(ports[0], ports[-1] + 1)):
        return f"{ports[0]}–{ports[-1]}"
    return " ".join(str(port) for port in ports[:3])


def _line(left, top, right, bottom):
    return f'<path class="link" d="M{left} {top} L{right} {bottom}"/>'


def _arrow(left, top):
    """The head of an arrow that points up."""
    return f'<path class="arrow" d="M{left} {top} l-4 7 h8 z"/>'


def draw_disks(farms, title, page):
    """The disks of a storage host: what is on them, what is planned, what stays free.

    Args:
        farms: the plan's farms of a host.
        title: the heading.
        page: as in ``draw_machine``.
    """
    largest = max([farm["size"] or 0 for farm in farms] or [0])
    parts, top = [], MARGIN
    edge, room = MARGIN + 210, WIDTH - 2 * MARGIN - 210
    for farm in farms:
        parts.append(words(MARGIN, top + 14, _cut(farm["path"], 30), ""))
        about = ", ".join(filter(None, [farm["device"], farm["fstype"], size(farm["size"]) if farm["size"] else ""]))
        parts.append(words(MARGIN, top + 29, _cut(about or "not read", 38), "small dim"))
        width = room * farm["size"] / largest if farm["size"] else room
        left = edge
        for kind, share in _segments(farm):
            parts.append(rect(kind, left, top + 2, max(0, share * width), 18, 0))
            left += share * width
        parts.append(
            rect("pool" if farm["size"] else "comp-none", edge, top + 2, width, 18, 2) if not _segments(farm) else ""
        )
        parts.append(words(edge, top + 33, _farm_words(farm), "small dim"))
        top += 46
    legend, left = [], MARGIN
    for kind, text in LEGEND:
        legend += [rect(kind, left, top + 2, 10, 10, 1), words(left + 16, top + 11, text, "small dim")]
        left += 42 + 6 * len(text)
    description = "; ".join(f"{farm['path']}: {_farm_words(farm)}" for farm in farms)
    return picture(WIDTH, top + 14 + MARGIN, title, description, parts + legend, page)


def _segments(farm):
    """Shares of a disk: ``[(kind, share)]``."""
    total, there, planned, available = (
        farm[key] for key in ("size", "existing_plot_bytes", "planned_bytes", "available")
    )
    if not total or there is None or available is None:
        return []
    if farm["state"] == "absent":
        planned = there
    lost = max(0, there - planned) if planned is not None else 0
    more = min(available, max(0, (planned or 0) - there))
    shares = [
        ("d-other", total - there - available),
        ("d-plot", there - lost),
        ("d-lost", lost),
        ("d-more", more),
        ("d-free", available - more),
    ]
    return [(kind, max(0.0, share / float(total))) for kind, share in shares]


def _farm_words(farm):
    if farm["sectors"] is None:
        return f"the disk was not read, {farm['wanted']} sectors are wanted"
    words_ = [f"{thousands(farm['sectors'])} sectors planned"]
    if farm["wanted"] == "auto":
        words_[0] += " (auto)"
    if farm["sectors_there"] is not None:
        words_.append(f"{thousands(farm['sectors_there'])} on the disk now")
    if farm["max_sectors"] is not None:
        words_.append(f"{thousands(farm['max_sectors'])} fit")
    if farm["available"] is not None and farm["planned_bytes"] is not None:
        free = farm["available"] + (farm["existing_plot_bytes"] or 0) - farm["planned_bytes"]
        words_.append(f"{size(free)} stay free" if free >= 0 else f"{size(-free)} too little: it does not fit")
    if farm["state"] == "absent":
        words_ = ["no longer passed to the plot client, its data stay"]
    return ", ".join(words_)


def size(value):
    """Bytes in decimal units, as disks are sold."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= factor:
            return f"{value / factor:.2f} {unit}"
    return f"{value} bytes"


def thousands(number):
    """A number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def _cut(text, most):
    return text if len(text) <= most else text[: most - 1] + "…"
