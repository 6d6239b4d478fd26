# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plan as text for a terminal: short, aligned, equal hosts together. Pure functions."""

from __future__ import annotations

import re
import shlex
import textwrap

from .._rules.table import counts
from .build import CHANGES, READY, alike, between, counted

MIN_WIDTH, MAX_WIDTH = 100, 160
MOST_BLOCKS = 8  # hosts whose plot_server_gpus is shown
HEADER = ("HOST", "PROGRAM", "PORTS", "CPUS", "CHANGE")
# What happens, as a sentence has it.
VERBS = {
    "start": ("starts", "start"),
    "restart": ("restarts", "restart"),
    "stop": ("stops", "stop"),
    "reload": ("reloads", "reload"),
}
VERBS.update(unknown=("is unknown", "are unknown"), none=("stays as it is", "stay as they are"))
WORDS = {"none": "-", "unknown": "unknown"}


def plan_text(plan, width, commands=False):
    """The plan in at most ``width`` columns (100 to 160); with ``commands`` the command of every program too."""
    width = max(MIN_WIDTH, min(MAX_WIDTH, width))
    parts = [
        _programs(plan, width, commands),
        _farms(plan),
        _blocks(plan),
        _reasons(plan, width),
        _steps(plan, width),
        _others(plan, width),
    ]
    return "\n\n".join(filter(None, parts + [summary(plan, width)]))


def compact(names):
    """Host names on one line, runs of numbers together: ``node-1…node-3, plotter-1``."""
    runs = []
    for name in names:
        stem, number = re.match(r"(.*?)(\d*)\Z", name, re.DOTALL).groups()
        last = runs[-1] if runs else None
        if (
            last
            and number
            and last["stem"] == stem
            and int(number) == last["last"] + 1
            and len(number) >= last["digits"]
        ):
            last.update(last=int(number), names=last["names"] + [name])
        else:
            runs.append(
                {
                    "stem": stem,
                    "last": int(number) if number else None,
                    "digits": len(number) if number.startswith("0") else 1,
                    "names": [name],
                }
            )
    texts = [run["names"] if len(run["names"]) < 3 else [f"{run['names'][0]}…{run['names'][-1]}"] for run in runs]
    return ", ".join(text for run in texts for text in run)


def in_order(names):
    """In the order in which people count: plotter-2 before plotter-10."""
    return sorted(names, key=_natural)


def _natural(name):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def _programs(plan, width, commands):
    """The table of programs; hosts with equal rows stand together."""
    hosts = plan["hosts"]
    concerned = [name for name in in_order(hosts) if hosts[name]["programs"]]
    rows = []

    def row(program):
        return (
            program["name"],
            _ports(program["ports"]),
            program["cpus"] or "-",
            WORDS.get(program["change"], program["change"]),
        )

    for names in alike(
        concerned, lambda name: (hosts[name]["state"], [row(program) for program in hosts[name]["programs"]])
    ):
        label = compact(names) + (f" ({len(names)})" if len(names) > 2 else "")
        for program in hosts[names[0]]["programs"]:
            rows.append((label, row(program), program))
            label = ""
    if not rows:
        return ""
    host_width = min(28, max(len(label) for label, _cells, _program in rows))
    widths = [
        max(len(HEADER[column + 1]), max(len(cells[column]) for _label, cells, _program in rows)) for column in range(3)
    ]
    widths[2] = min(widths[2], 30)
    layout = f"%-{host_width}s  {'  '.join('%%-%ds' % size for size in widths)}"
    lines = [(layout + "  %s") % HEADER]
    for label, cells, program in rows:
        name, ports, cpus, change = cells
        columns = [
            textwrap.wrap(label, host_width, break_on_hyphens=False) or [""],
            [name],
            [ports],
            textwrap.wrap(cpus.replace(",", ", "), widths[2]) if len(cpus) > widths[2] else [cpus],
            [change],
        ]
        for number in range(max(len(column) for column in columns)):
            lines.append(
                (
                    (layout + "  %s") % tuple(column[number] if number < len(column) else "" for column in columns)
                ).rstrip()
            )
        if commands and program["command"]:
            text = " ".join(shlex.quote(argument) for argument in program["command"])
            lines += textwrap.wrap(
                text,
                width,
                initial_indent="    ",
                subsequent_indent="      ",
                break_on_hyphens=False,
                break_long_words=False,
            )
    return "\n".join(lines)


def reasons(plan):
    """Why programs change: ``[(change, reason, [(hosts, [programs])])]``, equal ones together."""
    found = {}
    for name in in_order(plan["hosts"]):
        for program in plan["hosts"][name]["programs"]:
            if program["reason"]:
                key = (CHANGES.index(program["change"]), program["reason"])
                found.setdefault(key, {}).setdefault(name, []).append(program["name"])
    result = []
    for (change, reason), hosts in sorted(found.items(), key=lambda item: item[0]):
        groups = [(names, hosts[names[0]]) for names in alike(list(hosts), hosts.get)]
        result.append((CHANGES[change], reason, groups))
    return result


def _reasons(plan, width):
    lines = []
    for change, reason, groups in reasons(plan):
        lines += textwrap.wrap(f"{change:<8} {reason}", width, subsequent_indent=" " * 9, break_on_hyphens=False)
        text = "; ".join(f"{compact(names)}: {compact(programs)}" for names, programs in groups)
        lines += textwrap.wrap(text, width, initial_indent=" " * 9, subsequent_indent=" " * 9, break_on_hyphens=False)
    return "\n".join(["WHY", *lines]) if lines else ""


def _ports(ports):
    return " ".join(str(port) for port in ports) or "-"


def _farms(plan):
    hosts = plan["hosts"]
    concerned = [name for name in in_order(hosts) if hosts[name]["farms"]]

    def rows(name):
        return [
            (farm["path"], str(farm["sectors"]), str(farm["sectors_there"]), str(farm["max_sectors"]), farm["state"])
            for farm in hosts[name]["farms"]
        ]

    lines = [("STORAGE HOST", "FARM", "SECTORS", "THERE NOW", "AT MOST", "")]
    for names in alike(concerned, rows):
        label = compact(names)
        for path, *numbers, state in rows(names[0]):
            lines.append(
                (
                    label,
                    path,
                    *("?" if number == "None" else number for number in numbers),
                    "" if state == "present" else state,
                )
            )
            label = ""
    if len(lines) == 1:
        return ""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    widths[0] = min(widths[0], 40)
    layout = "%%-%ds  %%-%ds  %%%ds  %%%ds  %%%ds  %%s" % tuple(widths[:5])
    return "\n".join((layout % line).rstrip() for line in lines)


def _blocks(plan):
    """What to paste where no list fixes the slots of GPUs yet."""
    hosts = [plan["hosts"][name] for name in in_order(plan["hosts"])]
    blocks = [
        host["gpus"]["block"]
        for host in hosts
        if host["gpus"] and host["gpus"]["gpus"] and not host["gpus"]["slots_fixed"]
    ]
    if not blocks:
        return ""
    if len(blocks) > MOST_BLOCKS:
        return f"No list fixes which GPU has which number on {len(blocks)} hosts: what to paste is in the report and in the JSON."
    return "To fix which GPU has which number, paste into the variables of the host:\n\n" + "\n\n".join(blocks)


def _steps(plan, width):
    if not plan["steps"]:
        return ""
    lines = ["STEPS"]
    for number, step in enumerate(plan["steps"], 1):
        lines += textwrap.wrap(
            f"{step_title(step)}: {step_hosts(step)}",
            width,
            initial_indent=f"{number:2d}. ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
        if step["made_of"]:
            each = f" each of {len(step['batches'])} times" if len(step["batches"]) > 1 else ""
            text = f"{between(step['at_least_s'], step['at_most_s'])} ({', '.join(step['made_of'])}{each})"
            lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def step_title(step):
    """What a step does."""
    return f"{step['kind']} {counted(step['programs'], '%s program' % step['component'])}"


def step_hosts(step):
    """On which hosts, in which order."""
    texts = [compact(in_order(batch)) for batch in step["batches"]]
    if len(texts) > 8:
        texts = texts[:3] + [f"… {len(texts) - 5} more …"] + texts[-2:]
    return ", then ".join(texts)


def _others(plan, width):
    """What hosts do not change, and what cannot be told."""
    hosts, lines = plan["hosts"], []
    for names in alike(
        [name for name in in_order(hosts) if hosts[name]["state"] != READY],
        lambda name: (hosts[name]["state"], hosts[name]["why"]),
    ):
        lines += _wrapped(f"{compact(names)}: {hosts[names[0]]['state']}. {hosts[names[0]]['why']}", width)
    for names in alike([name for name in in_order(hosts) if hosts[name]["errors"]], lambda name: hosts[name]["errors"]):
        for error in hosts[names[0]]["errors"]:
            lines += _wrapped(f"{compact(names)}: {' '.join(error.split())}", width)
    return "\n".join(["NOT IN THE PLAN"] + lines) if lines else ""


def _wrapped(text, width):
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)


def summary(plan, width):
    """The plan in sentences."""
    lines = []
    for sentence in sentences(plan):
        lines += textwrap.wrap(sentence, width, break_on_hyphens=False)
    return "\n".join(lines)


def sentences(plan):
    """What the plan comes to."""
    numbers, hosts = plan["summary"]["changes"], plan["summary"]["hosts"]
    words = [f"{numbers[change]} {VERBS[change][numbers[change] != 1]}" for change in VERBS if numbers[change]]
    result = [
        f"Plan for {counted(hosts, 'host')}, {counted(plan['summary']['programs'], 'program')}: {', '.join(words) or 'none'}."
    ]
    if plan["stopping"]:
        result.append(
            f"site.yml would stop before it changes anything ({', '.join(plan['stopping'])}); this is what it would do once that is mended."
        )
    if plan["steps"]:
        span = between(plan["summary"]["at_least_s"], plan["summary"]["at_most_s"])
        result.append(
            f"The steps take {span}, and the time that Ansible needs for itself; the longer end is reached when every program uses up its bounds."
        )
    for version in plan["versions"]:
        span = between(version["at_least_s"], version["at_most_s"])
        result.append(
            f"{version['what']} {', '.join(version['from'])} and {', '.join(version['to'])} run beside each other for {span}, from the first restart ({version['components'][0]}) to the last ({version['components'][-1]})."
        )
        if version["held_back"]:
            result.append(f"Not in this plan and so still on what they run: {compact(in_order(version['held_back']))}.")
    result += plan["notes"]
    if plan["findings"]:
        result.append(f"Findings: {counts(plan['findings'])}.")
    return result + ["Nothing was changed."]
