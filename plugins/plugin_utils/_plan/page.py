# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plan as one HTML page with drawn pictures: no script, nothing loaded from anywhere, light and dark, printable. Pure functions.

Every text that comes from an inventory or a host goes through ``escape``. Equal hosts share a picture.
"""

from __future__ import annotations

import shlex

from .._rules.table import counts
from . import drawing as _drawing
from . import pictures as _pictures
from .build import READY, alike, between, counted
from .drawing import PALETTE, draw_machine, escape
from .pictures import draw_cluster, draw_disks, size, thousands
from .text import compact, in_order, reasons, sentences, step_hosts

MOST_OPEN = 6  # pictures and tables of a kind that are open without a click

STYLE = """
:root{color-scheme:light dark;--back:#ffffff;--panel:#f6f7f9;--ink:#1f2430;--soft:#5a6272;--rule:#dfe3ea;--link:#1f55a5}
*{box-sizing:border-box}html{scroll-behavior:smooth}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
a{color:var(--link)}h1,h2,h3{line-height:1.25;margin:0;overflow-wrap:anywhere}h1{font-size:26px}h2{font-size:20px;margin-bottom:6px}h3{font-size:16px}
header.top{border-bottom:1px solid var(--rule);padding:26px 0 20px}header.top p{margin:6px 0 0}
.wrap{max-width:1320px;margin:0 auto;padding:0 32px}.columns{display:grid;grid-template-columns:200px minmax(0,1fr);gap:40px}
nav{font-size:14px;padding:26px 0}nav>div{position:sticky;top:20px;max-height:calc(100vh - 40px);overflow-y:auto}
nav ul{list-style:none;margin:0;padding:0}nav li{margin:0}nav a{display:block;padding:3px 0;text-decoration:none;color:var(--ink);overflow-wrap:anywhere}
nav a:hover{text-decoration:underline}nav ul ul a{padding-left:14px;color:var(--soft);font-size:13px}
main{min-width:0;padding:4px 0 60px}section{padding:26px 0 8px}section+section{border-top:1px solid var(--rule)}
.soft{color:var(--soft)}.lead{font-size:16px;margin:8px 0 0;max-width:75ch}p{margin:6px 0;max-width:90ch}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(86px,1fr));gap:10px;margin:18px 0 6px;padding:0;list-style:none}
.tiles li{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:8px 12px}
.tiles b{display:block;font-size:20px;line-height:1.4;white-space:nowrap}
.tiles span{font-size:13px;color:var(--soft)}.tiles li.wide{grid-column:span 3}.keep{white-space:nowrap}
figure{margin:14px 0}.scroll{overflow-x:auto}.scroll:focus-visible{outline:2px solid var(--link)}
figure svg{display:block;width:100%;min-width:860px;max-width:1060px;height:auto}
figcaption{font-size:13px;color:var(--soft);margin-top:6px}
table{border-collapse:collapse;width:100%;font-size:14px;margin:10px 0}th{text-align:left;font-weight:600;color:var(--soft);font-size:13px}
th,td{padding:6px 14px 6px 0;border-bottom:1px solid var(--rule);vertical-align:top;overflow-wrap:break-word}td code{overflow-wrap:anywhere}
code,pre{font:12.5px/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:10px 12px;margin:8px 0;white-space:pre-wrap;overflow-wrap:anywhere}
.tag{display:inline-block;border-radius:10px;padding:0 9px;font-size:12.5px;line-height:20px;white-space:nowrap;border:1px solid transparent}
.t-start{background:#d9f2e3;color:#135734}.t-restart,.t-warning{background:#ffe9c2;color:#6d4200}.t-stop,.t-error{background:#ffdcd9;color:#951b14}
.t-reload,.t-info{background:#dcebff;color:#1b4789}.t-none{background:#eceef3;color:#454d5e}.t-unknown,.t-accepted{border-color:#8d95a5;color:var(--soft)}
article{border:1px solid var(--rule);border-radius:8px;padding:14px 18px;margin:14px 0}article>p:first-of-type{margin-top:4px}
.finding{display:grid;grid-template-columns:150px minmax(0,1fr);gap:4px 18px}.finding p{margin:0 0 4px}.finding .tag{margin:0 6px 4px 0}
.chip{display:inline-block;min-width:24px;text-align:center;border-radius:4px;padding:0 5px;color:#14171d;font-weight:600;font-size:13px;line-height:20px}
details{margin:8px 0}summary{cursor:pointer;padding:3px 0}summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
details.group{border:1px solid var(--rule);border-radius:8px;padding:10px 18px;margin:14px 0}
details.group>summary{font-weight:600;font-size:16px;overflow-wrap:anywhere}
details.group>summary span{font-weight:400;font-size:14px;margin-left:6px}.tiles+p{margin-top:16px}figure::after{content:"";font-size:13px;color:var(--soft)}
.why{margin:2px 0 0;max-width:95ch}.skip{position:absolute;left:-9999px}.skip:focus{left:10px;top:10px;background:var(--back);padding:6px 10px;z-index:1}
footer{border-top:1px solid var(--rule);padding:18px 0;color:var(--soft);font-size:13px}
@media (max-width:1000px){.columns{display:block}.wrap{padding:0 16px}header.top{padding:18px 0}nav{padding:14px 0 0}nav>div{position:static;max-height:none}
nav ul{display:flex;flex-wrap:wrap;gap:0 16px}nav ul ul{display:none}figure::after{content:"The picture is wider than the window: scroll it sideways."}
.scroll{margin:0 -16px;padding:0 16px}}
@media (max-width:640px){body{font-size:14px}h1{font-size:22px}article,details.group{padding:10px 12px}.finding{display:block}
.scroll{margin:0 -12px;padding:0 12px}
table.stack thead{display:none}table.stack tr{display:block;border-bottom:1px solid var(--rule);padding:8px 0}
table.stack td{display:block;border:0;padding:1px 0;text-align:left}
table.stack td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-size:12.5px}
table.stack td:empty{display:none}.tiles{grid-template-columns:1fr 1fr 1fr}}
"""
DARK = """
:root{--back:#14171d;--panel:#1d212a;--ink:#e4e8f0;--soft:#a2abbb;--rule:#313846;--link:#8ab4ff}
.t-start{background:#153a27;color:#8fe0b3}.t-restart,.t-warning{background:#43300c;color:#ffcf85}.t-stop,.t-error{background:#4a1b19;color:#ffb3ad}
.t-reload,.t-info{background:#16294a;color:#b3d1ff}.t-none{background:#262c38;color:#c3cad6}.t-unknown,.t-accepted{border-color:#79829a}
"""
PRINT = """
@page{margin:14mm}body{font-size:11pt}.columns{display:block}.wrap{padding:0}nav{display:none}header.top{padding:0 0 10px}section{padding:14px 0 4px}
figure svg{min-width:0}figure::after{content:none}.scroll{overflow:visible;margin:0;padding:0}article,figure,tr,.finding{break-inside:avoid}
h2,h3{break-after:avoid}
details::details-content{content-visibility:visible;block-size:auto}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
"""


def report(plan, topologies, when):
    """The page.

    Args:
        plan: what ``build_plan`` returns.
        topologies: host to what gpu_topology_info returned.
        when: the time, as text.
    """
    page = _Page(plan, topologies)
    sections = [(name, title, body, inner) for name, title, (body, inner) in page.sections() if body]
    versions = ", ".join(f"{what} {' and '.join(values)}" for what, values in plan["wanted"].items() if values)
    styles = STYLE + _drawing.STYLE + _pictures.STYLE
    dark = DARK + _drawing.DARK + _pictures.DARK
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">\n<title>Plan of the cluster</title>',
            f"<style>{styles}@media screen and (prefers-color-scheme:dark){{{dark}}}@media print{{{PRINT}}}</style>\n</head>\n<body>",
            '<a class="skip" href="#summary">To the summary</a>',
            f'<header class="top"><div class="wrap"><h1>Plan of the cluster</h1><p class="soft">{escape(versions)} · {escape(when)}</p></div></header>',
            f'<div class="wrap columns"><nav aria-label="Contents"><div>{_contents(sections)}</div></nav>\n<main>',
            *(f'<section id="{name}"><h2>{title}</h2>\n{body}</section>' for name, title, body, _inner in sections),
            "<footer>Made by playbooks/plan.yml of autonomys.cluster. It changed nothing.</footer></main></div>\n</body>\n</html>\n",
        ]
    )


def _label(names):
    """A short name of a group of hosts, for the table of contents."""
    text = compact(names)
    return text if len(text) <= 44 else f"{names[0]} and {len(names) - 1} more"


def _contents(sections):
    lines = ["<ul>"]
    for name, title, _body, inner in sections:
        below = "".join(f'<li><a href="#{anchor}">{escape(label)}</a></li>' for anchor, label in inner)
        lines.append('<li><a href="#%s">%s</a>%s</li>' % (name, title, f"<ul>{below}</ul>" if below else ""))
    return "".join(lines + ["</ul>"])


def _tag(kind, text=None):
    return f'<span class="tag t-{kind}">{escape(text or kind)}</span>'


def _change(change):
    return _tag(change, {"none": "unchanged", "unknown": "not known"}.get(change))


def _cells(*cells):
    """A line of a table: pairs of label and HTML."""
    return "<tr>%s</tr>" % "".join(
        "<td%s>%s</td>" % (f' data-label="{label}"' if label and html else "", html) for label, html in cells
    )


def _keep(text):
    """A text in HTML whose short words are not broken at their hyphens."""
    words = [(word, escape(word)) for word in text.split(" ")]
    return " ".join(
        f'<span class="keep">{html}</span>' if "-" in word and len(word) <= 40 else html for word, html in words
    )


def _table(head, rows):
    return '<table class="stack"><thead><tr>%s</tr></thead><tbody>%s</tbody></table>' % (
        "".join(f"<th>{cell}</th>" for cell in head),
        "".join(rows),
    )


def _cpus(text):
    return f"<code>{_keep((text or 'any').replace(',', ', '))}</code>"


def _named(gpu):
    return escape(", ".join(filter(None, [gpu["name"], gpu["bus_id"]])))


def _figure(svg, caption=""):
    caption = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure><div class="scroll" tabindex="0" role="group" aria-label="Picture">{svg}</div>{caption}</figure>'


def _folded(anchor, title, words, body, opened):
    """A part that can be closed, and is where there are many."""
    note = f' <span class="soft">{escape(words)}</span>' if words else ""
    return '<details class="group" id="%s"%s><summary>%s%s</summary>%s</details>' % (
        anchor,
        " open" if opened else "",
        escape(title),
        note,
        body,
    )


class _Page:
    def __init__(self, plan, topologies):
        self.plan = plan
        self.hosts = plan["hosts"]
        self.topologies = topologies
        self.order = in_order(plan["hosts"])

    def sections(self):
        """``[(anchor, title, (HTML, [(anchor, title)]))]``"""
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

    def summary(self):
        numbers, found = self.plan["summary"], self.plan["summary"]["findings"]
        tiles = [
            (numbers["ready"], f"of {numbers['hosts']} hosts" if numbers["ready"] < numbers["hosts"] else "hosts", "")
        ]
        labels = {
            "start": "start",
            "restart": "restart",
            "stop": "stop",
            "reload": "reload",
            "unknown": "unknown",
            "none": "unchanged",
        }
        for change, label in labels.items():
            if numbers["changes"][change] or change in ("start", "restart", "none"):
                tiles.append((numbers["changes"][change], label, ""))
        tiles.append((found["error"], "error" if found["error"] == 1 else "errors", ""))
        tiles.append((found["warning"], "warning" if found["warning"] == 1 else "warnings", ""))
        if self.plan["steps"]:
            tiles.append((between(numbers["at_least_s"], numbers["at_most_s"]), "for all steps", ' class="wide"'))
        body = "".join(
            f"<li{kind}><b>{escape(value)}</b><span>{escape(label)}</span></li>" for value, label, kind in tiles
        )
        # The last one is the footer's.
        first, *others = sentences(self.plan)[:-1]
        return '<p class="lead">%s</p><ul class="tiles">%s</ul>%s' % (
            escape(first),
            body,
            "".join(f"<p>{escape(text)}</p>" for text in others),
        )

    def cluster(self):
        caption = "Columns are components with the ports that they listen on, rows are hosts with what would happen there. Lines say how many programs "
        caption += "connect where; a client of NATS holds one of the servers and knows all. "
        caption += "Pieces and sectors go host to host between caches, plot servers and plot clients; their ports are not documented."
        return _figure(draw_cluster(self.plan, "cluster-picture"), caption)

    def changes(self):
        parts = []
        if not self.plan["steps"]:
            return "<p>%s</p>" % (
                "Nothing that is known."
                if self.plan["summary"]["changes"]["unknown"]
                else "Nothing: what runs is what is wanted."
            )
        rows = []
        for number, step in enumerate(self.plan["steps"], 1):
            each = f" each of {len(step['batches'])} times" if len(step["batches"]) > 1 else ""
            time = f"{between(step['at_least_s'], step['at_most_s'])}<br><span class='soft'>{escape(', '.join(step['made_of']))}{each}</span>"
            what = f"<span class='keep'><b>{number}. {escape(step['component'])}</b> {_change(step['kind'])}</span>"
            what += f"<br><span class='soft'>{counted(step['programs'], 'program')}</span>"
            rows.append(_cells(("", what), ("", _keep(step_hosts(step))), ("", time)))
        parts.append(
            "<p>Steps, one after another. Hosts that stand together are changed at once; each is healthy before the next.</p>"
        )
        parts.append(_table(("What", "Where, in which order", "How long, and what that is made of"), rows))
        rows = []
        for change, reason, groups in reasons(self.plan):
            where = "<br>".join(f"{_keep(compact(names))}: {_keep(compact(programs))}" for names, programs in groups)
            rows.append(_cells(("", _change(change)), ("", escape(reason)), ("", where)))
        if rows:
            parts.append("<h3>Why</h3>" + _table(("", "Reason", "Where"), rows))
        return "".join(parts)

    def findings(self):
        found = self.plan["findings"]
        if not found:
            return "<p>None.</p>"
        parts = [f"<p>{escape(counts(found))}. An accepted finding is named in cluster_accept.</p>"]
        for item in found:
            tags = _tag(item["severity"]) + (_tag("accepted") if item["accepted"] else "")
            where = compact(in_order(item["hosts"])) if item["hosts"] else "the cluster"
            parts.append(
                '<article class="finding"><div>%s<br><code>%s</code></div><div><p class="soft">%s · %s</p><p>%s</p><p><b>Remedy:</b> %s</p></div></article>'
                % (
                    tags,
                    escape(item["rule"]),
                    escape(where),
                    escape(item["component"]),
                    escape(item["message"]),
                    escape(item["remedy"]),
                )
            )
        return "".join(parts)

    def gpus(self):
        """Every GPU host: its picture, and for each GPU which cores and why."""
        names = [name for name in self.order if self.hosts[name]["gpus"]]
        parts, inner = [], []
        groups = alike(names, lambda name: (self.machine(name, "", "x"), self.whys(name)))
        for number, group in enumerate(groups):
            host = self.hosts[group[0]]
            title = compact(group)
            anchor = f"gpus-{number}"
            gpus = host["gpus"]["gpus"]
            words = (f"{len(group)} hosts alike, " if len(group) > 1 else "") + (
                counted(len(gpus), "plot server") if gpus else "proof server"
            )
            body = [_figure(self.machine(group[0], title, anchor)), self.whys(group[0])]
            body += [f"<p>{escape(text[:1].upper() + text[1:] + '.')}</p>" for text in host["gpus"]["warnings"]]
            if gpus:
                body.append(self.blocks(group))
            parts.append(_folded(anchor, title, words, "".join(body), number < MOST_OPEN))
            inner.append((anchor, _label(group)))
        return "".join(parts), inner

    def machine(self, name, title, anchor):
        gpus = self.hosts[name]["gpus"]
        owners = [
            dict(bus_id=gpu["bus_id"], cpus=gpu["cpus"], slot=gpu["slot"], port=gpu["port"]) for gpu in gpus["gpus"]
        ]
        proof = gpus["proof_server"]
        if proof:
            owners.append(
                dict(bus_id=proof["bus_id"], cpus=proof["cpus"], slot="P", owner="the proof server", port=None)
            )
        return draw_machine(self.topologies[name], owners, title, anchor)

    def whys(self, name):
        gpus = self.hosts[name]["gpus"]
        rows = []
        for order, gpu in enumerate(gpus["gpus"]):
            chip = '<span class="chip" style="background:%s">%d</span>' % (PALETTE[order % len(PALETTE)], gpu["slot"])
            which = f"GPU {gpu['index']}" if gpu["index"] is not None else "missing"
            about = f"<b>{escape(which)}</b><br><span class='soft'>{_named(gpu)}</span>"
            cores = _cpus(gpu["cpus"])
            row = [
                ("Plot server", chip),
                ("", about),
                ("Port", escape(gpu["port"])),
                ("CPUs", cores),
                ("", '<p class="why">%s</p>' % escape(gpu["why"])),
            ]
            rows.append(_cells(*row))
        proof = gpus["proof_server"]
        if proof:
            chip = '<span class="chip" style="background:%s">P</span>' % PALETTE[len(gpus["gpus"]) % len(PALETTE)]
            about = f"<b>GPU {escape(proof['index'])}</b><br><span class='soft'>{_named(proof)}</span>"
            cores = _cpus(proof["cpus"])
            rows.append(
                _cells(
                    ("", chip),
                    ("", about),
                    ("", ""),
                    ("CPUs", cores),
                    ("", '<p class="why">%s</p>' % escape(proof["why"])),
                )
            )
        return _table(("", "GPU", "Port", "CPUs", "Why"), rows) if rows else "<p>No GPU is used.</p>"

    def blocks(self, group):
        fixed = [name for name in group if self.hosts[name]["gpus"]["slots_fixed"]]
        text = "\n\n".join(self.hosts[name]["gpus"]["block"] for name in group)
        state = "fixed by the inventory" if len(fixed) == len(group) else "to paste into the variables of the host"
        return f"<details><summary>plot_server_gpus: which GPU has which number, {state}</summary><pre>{escape(text)}</pre></details>"

    def storage(self):
        """Every storage host: its disks, planned, there, free."""
        names = [name for name in self.order if self.hosts[name]["farms"]]
        parts, inner = [], []
        groups = alike(names, lambda name: self.hosts[name]["farms"])
        for number, group in enumerate(groups):
            farms = self.hosts[group[0]]["farms"]
            title, anchor = compact(group), f"storage-{number}"
            planned = sum(farm["sectors"] or 0 for farm in farms if farm["state"] == "present")
            there = sum(farm["sectors_there"] or 0 for farm in farms)
            taken = sum(farm["planned_bytes"] or 0 for farm in farms if farm["state"] == "present")
            alike_words = f"{len(group)} hosts alike, each " if len(group) > 1 else ""
            words = f"{alike_words}{counted(len(farms), 'disk')}, {thousands(planned)} sectors planned ({size(taken)})"
            words += f", {thousands(there)} there now"
            parts.append(_folded(anchor, title, words, _figure(draw_disks(farms, title, anchor)), number < MOST_OPEN))
            inner.append((anchor, _label(group)))
        return "".join(parts), inner

    def programs(self):
        """Every host's programs with ports, CPUs, change and command."""
        names = [name for name in self.order if self.hosts[name]["programs"]]
        keys = ("name", "ports", "cpus", "change", "reason")
        groups = alike(
            names,
            lambda name: (
                self.about(name),
                [[program[key] for key in keys] for program in self.hosts[name]["programs"]],
            ),
        )
        parts, inner = [], []
        for number, group in enumerate(groups):
            host = self.hosts[group[0]]
            title, anchor = compact(group), f"host-{number}"
            rows = []
            for program in host["programs"]:
                ports = " ".join(str(port) for port in program["ports"])
                cpus = _cpus(program["cpus"]) if program["cpus"] else ""
                change = _change(program["change"]) + (" " + escape(program["reason"]) if program["reason"] else "")
                rows.append(
                    _cells(("", f"<b>{escape(program['name'])}</b>"), ("Ports", ports), ("CPUs", cpus), ("", change))
                )
            body = f"<p class='soft'>{escape(self.about(group[0]))}</p>" if self.about(group[0]) else ""
            body += _table(("Program", "Ports", "CPUs", "Change"), rows)
            body += f"<details><summary>Commands</summary>{self.commands(group)}</details>"
            addresses = f"{len(group)} hosts alike" if len(group) > 1 else str(host["address"])
            parts.append(_folded(anchor, title, addresses, body, number < MOST_OPEN))
            inner.append((anchor, _label(group)))
        return "".join(parts), inner

    def commands(self, group):
        """The commands of a host's programs, and of its equals where they differ."""
        parts = []
        for number, program in enumerate(self.hosts[group[0]]["programs"]):
            variants = alike(group, lambda name, number=number: self.hosts[name]["programs"][number]["command"])
            for names in variants:
                command = self.hosts[names[0]]["programs"][number]["command"]
                title = program["name"] + (" on " + compact(names) if len(variants) > 1 else "")
                text = " ".join(shlex.quote(argument) for argument in command) or "no longer wanted"
                parts.append(f'<p class="soft">{escape(title)}</p><pre>{escape(text)}</pre>')
        return "".join(parts)

    def about(self, name):
        """What is to be done on a host before its programs."""
        host = self.hosts[name]
        parts = list(host["prepare"])
        if host["install"]:
            parts.append(f"install {', '.join(host['install'])}")
        if host["state"] != READY:
            parts.insert(0, f"{host['state']}: {host['why']}")
        return "; ".join(parts)

    def outside(self):
        rows = []
        left = [name for name in self.order if self.hosts[name]["state"] != READY]
        for group in alike(left, lambda name: (self.hosts[name]["state"], self.hosts[name]["why"])):
            host = self.hosts[group[0]]
            rows.append(
                _cells(
                    ("", f"<b>{escape(compact(group))}</b>"),
                    ("", _tag("unknown", host["state"])),
                    ("", escape(host["why"])),
                )
            )
        for group in alike(
            [name for name in self.order if self.hosts[name]["errors"]], lambda name: self.hosts[name]["errors"]
        ):
            for error in self.hosts[group[0]]["errors"]:
                rows.append(
                    _cells(
                        ("", f"<b>{escape(compact(group))}</b>"),
                        ("", _tag("unknown", "not known")),
                        ("", escape(error)),
                    )
                )
        return _table(("Hosts", "", "Why"), rows) if rows else ""
