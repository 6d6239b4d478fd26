# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plan as one HTML page with drawn pictures. Pure functions.

The page has no script, loads nothing from anywhere, is light or dark and can be printed.
Every text that comes from an inventory or a host goes through ``escape``. Equal hosts share a picture.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from .._rules.table import counts
from .._words import alike, between, compact, counted, in_order, size, thousands
from . import markup
from .cluster_picture import draw_cluster
from .disks_picture import draw_disks
from .machine_picture import draw_machine
from .markup import bold, change_tag, keep, paragraph, row, soft, table, tag
from .shape import READY, Gpu, GpuHost, Plan, ProofServer, Step
from .style import style
from .svg import colour, escape
from .text import reasons, sentences, step_hosts, time_made_of

MOST_OPEN = 6  # pictures and tables of a kind that are open without a click

# A section's HTML with the anchors and titles of its parts.
Section = tuple[str, Sequence[tuple[str, str]]]


def report(plan: Plan, topologies: Mapping[str, Mapping[str, Any]], when: str) -> str:
    """Return the page.

    Args:
        plan: what ``build_plan`` returns.
        topologies: host to what gpu_topology_info returned.
        when: the time, as text.
    """
    page = _Page(plan, topologies)
    sections = [(anchor, title, body, inner) for anchor, title, (body, inner) in page.sections() if body]
    contents = markup.contents([(anchor, title, inner) for anchor, title, _body, inner in sections])
    versions = ", ".join(f"{what} {' and '.join(values)}" for what, values in plan["wanted"].items() if values)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">\n<title>Plan of the cluster</title>',
            f"<style>{style()}</style>\n</head>\n<body>",
            '<a class="skip" href="#summary">To the summary</a>',
            '<header class="top"><div class="wrap"><h1>Plan of the cluster</h1>',
            f"{paragraph(f'{versions} · {when}', 'soft')}</div></header>",
            f'<div class="wrap columns"><nav aria-label="Contents"><div>{contents}</div></nav>\n<main>',
            *(f'<section id="{anchor}"><h2>{title}</h2>\n{body}</section>' for anchor, title, body, _inner in sections),
            "<footer>Made by playbooks/plan.yml of autonomys.cluster. It changed nothing.</footer>",
            "</main></div>\n</body>\n</html>\n",
        ]
    )


class _Page:
    """The sections of the page."""

    def __init__(self, plan: Plan, topologies: Mapping[str, Mapping[str, Any]]) -> None:
        self.plan = plan
        self.hosts = plan["hosts"]
        self.topologies = topologies
        self.order = in_order(plan["hosts"])

    def sections(self) -> list[tuple[str, str, Section]]:
        """Return ``[(anchor, title, section)]``."""
        return [
            ("summary", "Summary", (self.summary(), [])),
            ("cluster", "The cluster", (self.cluster(), [])),
            ("changes", "What would change", (self.changes(), [])),
            ("findings", "Findings", (self.findings(), [])),
            ("gpus", "GPU hosts", self.gpus()),
            ("storage", "Storage hosts", self.storage()),
            ("hosts", "Programs by host", self.programs()),
            ("outside", "Not in the plan", (self.outside(), [])),
        ]

    def summary(self) -> str:
        numbers = self.plan["summary"]
        changes, found = numbers["changes"], numbers["findings"]
        of_all = f"of {numbers['hosts']} hosts" if numbers["ready"] < numbers["hosts"] else "hosts"
        tiles = [_tile(numbers["ready"], of_all)]
        for change in ("start", "restart", "stop", "reload", "unknown", "none"):
            if changes[change] or change in ("start", "restart", "none"):
                tiles.append(_tile(changes[change], "unchanged" if change == "none" else change))
        tiles.append(_tile(found["error"], "error" if found["error"] == 1 else "errors"))
        tiles.append(_tile(found["warning"], "warning" if found["warning"] == 1 else "warnings"))
        if self.plan["steps"]:
            tiles.append(_tile(between(numbers["at_least_s"], numbers["at_most_s"]), "for all steps", "wide"))
        # The last one is the footer's.
        first, *others = sentences(self.plan)[:-1]
        body = f'<ul class="tiles">{"".join(tiles)}</ul>' + "".join(paragraph(text) for text in others)
        return paragraph(first, "lead") + body

    def cluster(self) -> str:
        return markup.figure(
            draw_cluster(self.plan, "cluster-picture"),
            "Columns are components with the ports that they listen on, rows are hosts with what would happen there. "
            "Lines show how many programs connect where; a NATS client is connected to one server and knows all. "
            "Pieces and sectors go from host to host between caches, plot servers and plot clients; "
            "their ports are not documented.",
        )

    def changes(self) -> str:
        if not self.plan["steps"]:
            unknown = self.plan["summary"]["changes"]["unknown"]
            return paragraph(
                "No change is known; what is not known is listed below."
                if unknown
                else "Nothing: what runs is what is wanted."
            )
        head = (
            "Steps, one after another. Hosts that are named together change at the same time, "
            "and must be healthy before the next ones."
        )
        steps = [_step_row(number, step) for number, step in enumerate(self.plan["steps"], 1)]
        parts = [paragraph(head)]
        parts.append(table(("What", "Where, in which order", "How long, and what that is made of"), steps))
        rows = []
        for change, reason, groups in reasons(self.plan):
            where = "<br>".join(f"{keep(compact(names))}: {keep(compact(programs))}" for names, programs in groups)
            rows.append(row(("", change_tag(change)), ("", escape(reason)), ("", where)))
        if rows:
            parts.append("<h3>Why</h3>" + table(("", "Reason", "Where"), rows))
        return "".join(parts)

    def findings(self) -> str:
        found = self.plan["findings"]
        if not found:
            return paragraph("None.")
        head = paragraph(f"{counts(found)}. An accepted finding is named in cluster_accept.")
        return head + "".join(_finding(item) for item in found)

    def gpus(self) -> Section:
        """Return every GPU host: its picture, and for each GPU which cores and why."""
        known = {name: gpus for name in self.order for gpus in [self.hosts[name]["gpus"]] if gpus}
        parts, inner = [], []
        groups = alike(known, lambda name: (self.machine(name, known[name], "", "x"), _whys(known[name])))
        for number, names in enumerate(groups):
            gpus, title, anchor = known[names[0]], compact(names), f"gpus-{number}"
            note = counted(len(gpus["gpus"]), "plot server") if gpus["gpus"] else "proof server"
            if len(names) > 1:
                note = f"{len(names)} hosts alike, {note}"
            body = [markup.figure(self.machine(names[0], gpus, title, anchor)), _whys(gpus)]
            body += [paragraph(f"{text[:1].upper()}{text[1:]}.") for text in gpus["warnings"]]
            if gpus["gpus"]:
                body.append(_blocks([known[name] for name in names]))
            parts.append(markup.group(anchor, title, note, "".join(body), number < MOST_OPEN))
            inner.append((anchor, _label(names)))
        return "".join(parts), inner

    def machine(self, name: str, gpus: GpuHost, title: str, anchor: str) -> str:
        owners: list[Mapping[str, Any]] = list(gpus["gpus"])
        proof = gpus["proof_server"]
        if proof:
            owners.append({**proof, "slot": "P", "owner": "the proof server"})
        return draw_machine(self.topologies[name], owners, title, anchor)

    def storage(self) -> Section:
        """Return every storage host: its disks, planned, there, free."""
        parts, inner = [], []
        storing = [name for name in self.order if self.hosts[name]["farms"]]
        for number, names in enumerate(alike(storing, lambda name: self.hosts[name]["farms"])):
            farms = self.hosts[names[0]]["farms"]
            title, anchor = compact(names), f"storage-{number}"
            present = [farm for farm in farms if farm["state"] == "present"]
            planned = thousands(sum(farm["sectors"] or 0 for farm in present))
            taken = size(sum(farm["planned_bytes"] or 0 for farm in present))
            there = thousands(sum(farm["sectors_there"] or 0 for farm in farms))
            note = f"{counted(len(farms), 'disk')}, {planned} sectors planned ({taken}), {there} on disk now"
            if len(names) > 1:
                note = f"{len(names)} hosts alike, each {note}"
            picture = markup.figure(draw_disks(farms, title, anchor))
            parts.append(markup.group(anchor, title, note, picture, number < MOST_OPEN))
            inner.append((anchor, _label(names)))
        return "".join(parts), inner

    def programs(self) -> Section:
        """Return every host's programs with ports, CPUs, change and command."""
        parts, inner = [], []
        running = [name for name in self.order if self.hosts[name]["programs"]]
        for number, names in enumerate(alike(running, lambda name: (self.about(name), self.rows(name)))):
            title, anchor = compact(names), f"host-{number}"
            about = self.about(names[0])
            body = paragraph(about, "soft") if about else ""
            body += table(("Program", "Ports", "CPUs", "Change"), self.rows(names[0]))
            body += markup.details("Commands", self.commands(names))
            note = f"{len(names)} hosts alike" if len(names) > 1 else str(self.hosts[names[0]]["address"])
            parts.append(markup.group(anchor, title, note, body, number < MOST_OPEN))
            inner.append((anchor, _label(names)))
        return "".join(parts), inner

    def rows(self, name: str) -> list[str]:
        return [
            row(
                ("", bold(program["name"])),
                ("Ports", " ".join(str(port) for port in program["ports"])),
                ("CPUs", markup.cpus(program["cpus"]) if program["cpus"] else ""),
                ("", f"{change_tag(program['change'])} {escape(program['reason'])}".rstrip()),
            )
            for program in self.hosts[name]["programs"]
        ]

    def commands(self, names: Sequence[str]) -> str:
        """Return the commands of a host's programs, and of its equals where they differ."""
        parts = []
        for number, program in enumerate(self.hosts[names[0]]["programs"]):
            commands = {name: self.hosts[name]["programs"][number]["command"] for name in names}
            variants = alike(names, commands.__getitem__)
            for alike_names in variants:
                title = program["name"] + (" on " + compact(alike_names) if len(variants) > 1 else "")
                text = " ".join(shlex.quote(argument) for argument in commands[alike_names[0]])
                parts.append(f"{paragraph(title, 'soft')}<pre>{escape(text or 'no longer wanted')}</pre>")
        return "".join(parts)

    def about(self, name: str) -> str:
        """Return what is to be done on a host before its programs."""
        host = self.hosts[name]
        parts = [] if host["state"] == READY else [f"{host['state']}: {host['why']}"]
        parts += host["prepare"]
        if host["install"]:
            parts.append(f"install {', '.join(host['install'])}")
        return "; ".join(parts)

    def outside(self) -> str:
        rows = []
        left = [name for name in self.order if self.hosts[name]["state"] != READY]
        for names in alike(left, lambda name: (self.hosts[name]["state"], self.hosts[name]["why"])):
            host = self.hosts[names[0]]
            rows.append(row(("", bold(compact(names))), ("", tag("unknown", host["state"])), ("", escape(host["why"]))))
        failing = [name for name in self.order if self.hosts[name]["errors"]]
        for names in alike(failing, lambda name: self.hosts[name]["errors"]):
            for error in self.hosts[names[0]]["errors"]:
                rows.append(row(("", bold(compact(names))), ("", tag("unknown", "not known")), ("", escape(error))))
        return table(("Hosts", "", "Why"), rows) if rows else ""


def _tile(value: object, label: str, kind: str = "") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f"<li{styled}>{bold(value)}<span>{escape(label)}</span></li>"


def _step_row(number: int, step: Step) -> str:
    what = f'<span class="keep">{bold(f"{number}. " + step["component"])} {change_tag(step["kind"])}</span>'
    what += f"<br>{soft(counted(step['programs'], 'program'))}"
    time = f"{escape(between(step['at_least_s'], step['at_most_s']))}<br>{soft(time_made_of(step))}"
    return row(("", what), ("", keep(step_hosts(step))), ("", time))


def _finding(item: Mapping[str, Any]) -> str:
    tags = tag(item["severity"]) + (tag("accepted") if item["accepted"] else "")
    where = compact(in_order(item["hosts"])) if item["hosts"] else "the cluster"
    text = paragraph(f"{where} · {item['component']}", "soft") + paragraph(item["message"])
    text += f"<p><b>Remedy:</b> {escape(item['remedy'])}</p>"
    left = f"{tags}<br>{markup.code(item['rule'])}"
    return f'<article class="finding"><div>{left}</div><div>{text}</div></article>'


def _whys(gpus: GpuHost) -> str:
    """Return the table of a host's GPUs: which cores each uses and why."""
    rows = [
        row(
            ("Plot server", markup.chip(colour(order), gpu["slot"])),
            ("", bold(f"GPU {gpu['index']}" if gpu["index"] is not None else "missing") + f"<br>{_named(gpu)}"),
            ("Port", escape(gpu["port"])),
            ("CPUs", markup.cpus(gpu["cpus"])),
            ("", paragraph(gpu["why"], "why")),
        )
        for order, gpu in enumerate(gpus["gpus"])
    ]
    proof = gpus["proof_server"]
    if proof:
        rows.append(
            row(
                ("", markup.chip(colour(len(gpus["gpus"])), "P")),
                ("", bold(f"GPU {proof['index']}") + f"<br>{_named(proof)}"),
                ("", ""),
                ("CPUs", markup.cpus(proof["cpus"])),
                ("", paragraph(proof["why"], "why")),
            )
        )
    return table(("", "GPU", "Port", "CPUs", "Why"), rows) if rows else paragraph("No GPU is used.")


def _named(gpu: Gpu | ProofServer) -> str:
    return soft(", ".join(filter(None, [gpu["name"], gpu["bus_id"]])))


def _blocks(hosts: Sequence[GpuHost]) -> str:
    """Return the blocks of ``plot_server_gpus`` of equal hosts."""
    fixed = all(gpus["slots_fixed"] for gpus in hosts)
    state = "pinned by the inventory" if fixed else "to add to the host's variables"
    text = "\n\n".join(gpus["block"] for gpus in hosts)
    return markup.details(f"plot_server_gpus: which GPU has which number, {state}", f"<pre>{escape(text)}</pre>")


def _label(names: Sequence[str]) -> str:
    """Return a short name of a group of hosts, for the table of contents."""
    text = compact(names)
    return text if len(text) <= 44 else f"{names[0]} and {len(names) - 1} more"
