# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Draws the cluster as SVG: who talks to whom on which port, and which host runs what. Pure functions.

The cluster is drawn as columns of components over rows of hosts: however many hosts there are, no line crosses another.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .._words import alike, compact, counted, cut, in_order
from .shape import CHANGES, NO_COMPONENT, READY, Connection, Plan, Program
from .svg import GAP, MARGIN, WIDTH, number, picture, rect, words

NAMES_WIDTH = 150
BOX_HEIGHT = 76
ROW_HEIGHT = 26
MOST_ROWS = 24  # with more hosts, equal ones share a row

STYLE = """
.comp{fill:#ffffff;stroke:#8d95a5}.comp-none{fill:none;stroke:#c9ced8;stroke-dasharray:3 3}
.link{fill:none;stroke:#5a6272;stroke-width:1.4}.bus{fill:#5a6272}
.bold{font-weight:bold}.tiny{font-size:9.5px}.arrow{fill:#5a6272}.line{stroke:#e3e6ec}
.c-start{fill:#d9f2e3;stroke:#2c8a57}.c-restart{fill:#ffe9c2;stroke:#b97400}.c-stop{fill:#ffdcd9;stroke:#c53a31}
.c-reload{fill:#dcebff;stroke:#3b74c4}
.c-none{fill:#eceef3;stroke:#aab1bf}.c-unknown{fill:none;stroke:#8d95a5;stroke-dasharray:3 3}
"""
DARK = """
.comp{fill:#1d212a;stroke:#79829a}.comp-none{stroke:#3a4150}.link{stroke:#a2abbb}.bus,.arrow{fill:#a2abbb}
.line{stroke:#2a303b}
.c-start{fill:#153a27;stroke:#3fae74}.c-restart{fill:#43300c;stroke:#d99a2b}.c-stop{fill:#4a1b19;stroke:#e0645c}
.c-reload{fill:#16294a;stroke:#5b93e0}
.c-none{fill:#242a35;stroke:#4d5567}.c-unknown{stroke:#79829a}
"""


def draw_cluster(plan: Plan, page: str) -> str:
    """Return the SVG of the cluster; ``page`` as in ``svg.picture``."""
    drawn = _Cluster(plan)
    parts, top = drawn.links()
    rows, top = drawn.rows(top)
    links = [
        f"{counted(link['programs'], 'program')} of {link['component']} to {link['to_component']}, port {link['port']}"
        for link in plan["connections"]
    ]
    description = f"{counted(len(plan['hosts']), 'host')}; {'; '.join(links)}."
    return picture(WIDTH, top + MARGIN, "The cluster", description, parts + rows, page)


class _Cluster:
    """The plan in columns and rows."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.hosts = plan["hosts"]
        self.width = (WIDTH - 2 * MARGIN - NAMES_WIDTH) / len(COMPONENTS)

    def left(self, component: str) -> float:
        return MARGIN + NAMES_WIDTH + list(COMPONENTS).index(component) * self.width

    def middle(self, component: str) -> float:
        return self.left(component) + self.width / 2 - GAP / 2

    def programs(self, component: str) -> list[Program]:
        return [
            program for host in self.hosts.values() for program in host["programs"] if program["component"] == component
        ]

    def links(self) -> tuple[list[str], float]:
        """Return the boxes of components with what connects them, and where the picture goes on below."""
        links = self.plan["connections"]
        clients = [link for link in links if link["to_component"] == "nats" and link["component"] != "nats"]
        routes = [link for link in links if link["component"] == link["to_component"]]
        others = [link for link in links if link not in clients and link not in routes]
        top = MARGIN + 74
        low = top + BOX_HEIGHT
        parts = self.bus(clients, MARGIN + 22, top) if clients else []
        parts += [self.box(component, top) for component in COMPONENTS]
        for depth, link in enumerate(others):
            start, end = self.middle(link["component"]) - 10, self.middle(link["to_component"]) + 10
            level = low + 16 + depth * 20
            parts += _elbow(start, end, low, level)
            text = f"{link['programs']} × port {link['port']}"
            parts.append(words(max(start, end) + 14, level + 4, text, "small dim"))
        for link in routes:
            middle = self.middle(link["component"])
            parts += _elbow(middle - 26, middle + 26, low, low + 16)
            parts.append(words(middle, low + 30, f"all with all, port {link['port']}", "small dim mid"))
        return parts, low + 46 + max(0, len(others) - 1) * 20

    def bus(self, clients: Sequence[Connection], bus: float, top: float) -> list[str]:
        """Return the line to which NATS and its clients are connected."""
        start, end = self.middle("nats"), max(self.middle(link["component"]) for link in clients)
        ports = ", ".join(sorted({link["port"] for link in clients}))
        parts = [
            rect("bus", start - 3, bus, end - start + 6, 6, 3),
            _line(start, bus + 6, start, top),
            words(MARGIN, bus + 8, f"NATS clients → port {ports}", "small dim"),
        ]
        for link in clients:
            middle = self.middle(link["component"])
            parts += [_line(middle, top, middle, bus + 14), _arrow(middle, bus + 7)]
            parts.append(words(middle + 6, bus + 32, f"{link['programs']} ×", "small dim"))
        return parts

    def box(self, component: str, top: float) -> str:
        """Return the box of a component."""
        members = [name for name, host in self.hosts.items() if component in host["components"]]
        programs = self.programs(component)
        ports = sorted({port for program in programs for port in program["ports"]})
        left, width = self.left(component), self.width - GAP
        lines = [
            (22, component, "mid bold" if members else "mid dim"),
            (38, counted(len(members), "host"), "small dim mid"),
            (52, counted(len(programs), "program"), "small dim mid"),
            (67, _ports(ports), "tiny mid"),
        ]
        parts = [rect("comp" if members else "comp-none", left, top, width, BOX_HEIGHT, 6)]
        return "".join(parts + [words(left + width / 2, top + down, text, kind) for down, text, kind in lines])

    def rows(self, top: float) -> tuple[list[str], float]:
        """Return a row per host, or per hosts that are alike where there are many, and where they end."""
        names = in_order(name for name, host in self.hosts.items() if host["state"] != NO_COMPONENT)
        groups = [[name] for name in names]
        if len(names) > MOST_ROWS:
            groups = alike(
                names,
                lambda name: (self.hosts[name]["state"], [self.cell(name, component) for component in COMPONENTS]),
            )
        parts = []
        for group in groups:
            parts.append(f'<path class="line" d="M{MARGIN} {number(top)} H{WIDTH - MARGIN}"/>')
            parts.append(words(MARGIN, top + 17, cut(compact(group), 25)))
            if len(group) > 1:
                parts.append(words(MARGIN, top + 31, f"{len(group)} hosts", "small dim"))
            for component in self.hosts[group[0]]["components"]:
                kind, text = self.cell(group[0], component)
                left, width = self.left(component), self.width - GAP
                parts.append(rect("c-" + kind, left, top + 4, width, ROW_HEIGHT - 6, 4))
                parts.append(words(left + width / 2, top + 18, text, "small mid"))
            top += ROW_HEIGHT + (14 if len(group) > 1 else 2)
        return parts, top

    def cell(self, name: str, component: str) -> tuple[str, str]:
        """Return what happens to a component on a host: the change that matters most, and words."""
        host = self.hosts[name]
        mine = [program for program in host["programs"] if program["component"] == component]
        if host["state"] != READY:
            return "unknown", host["state"]
        if not mine:
            return "unknown", "not known"
        for change in CHANGES:
            found = sum(1 for program in mine if program["change"] == change)
            if found and change != "none":
                word = "not known" if change == "unknown" else change
                if found < len(mine):
                    return change, f"{word} {found} of {len(mine)}"
                return change, word if found == 1 else f"{found} × {word}"
        return "none", "unchanged"


def _ports(ports: Sequence[int]) -> str:
    if len(ports) > 2 and list(ports) == list(range(ports[0], ports[-1] + 1)):
        return f"{ports[0]}–{ports[-1]}"
    return " ".join(str(port) for port in ports[:3])


def _line(left: float, top: float, right: float, bottom: float) -> str:
    return f'<path class="link" d="M{number(left)} {number(top)} L{number(right)} {number(bottom)}"/>'


def _elbow(start: float, end: float, low: float, level: float) -> list[str]:
    """Return an arrow that leaves a box downwards and comes up to another one."""
    way = f"M{number(start)} {number(low)} V{number(level)} H{number(end)} V{number(low + 8)}"
    return [f'<path class="link" d="{way}"/>', _arrow(end, low + 1)]


def _arrow(left: float, top: float) -> str:
    """Return the head of an arrow that points up."""
    return f'<path class="arrow" d="M{number(left)} {number(top)} l-4 7 h8 z"/>'
