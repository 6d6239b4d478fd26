# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plan as text for a terminal: short, aligned, equal hosts together. Pure functions."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

from .._rules.table import counts
from .._words import aligned, alike, beside, between, compact, counted, fitted, in_order, text_width, wrapped
from .shape import CHANGES, READY, Plan, Program, Step

MOST_BLOCKS = 8  # hosts whose plot_server_gpus is shown
MOST_BATCHES = 8  # of a step that are all named
HEADER = ("HOST", "PROGRAM", "PORTS", "CPUS", "CHANGE")
FARM_HEADER = ("STORAGE HOST", "FARM", "SECTORS", "ON DISK", "AT MOST", "")
# What happens, as a sentence has it of one and of several.
VERBS = {
    "start": ("starts", "start"),
    "restart": ("restarts", "restart"),
    "stop": ("stops", "stop"),
    "reload": ("reloads", "reload"),
    "unknown": ("is unknown", "are unknown"),
    "none": ("stays as it is", "stay as they are"),
}

# Why programs change: the change, the reason, and groups of hosts with their programs.
Reason = tuple[str, str, Sequence[tuple[Sequence[str], Sequence[str]]]]


def plan_text(plan: Plan, width: int, commands: bool = False) -> str:
    """Return the plan in at most ``width`` columns (79 to 160); with ``commands`` the command of every program too."""
    width = text_width(width)
    parts = [
        _programs(plan, width, commands),
        _farms(plan, width),
        _blocks(plan, width),
        _reasons(plan, width),
        _steps(plan, width),
        _others(plan, width),
        "\n".join(line for sentence in sentences(plan) for line in wrapped(sentence, width)),
    ]
    return printable("\n\n".join(filter(None, parts)), lines=True)


def _programs(plan: Plan, width: int, commands: bool) -> str:
    """Return the table of programs, hosts with equal rows together."""
    hosts = plan["hosts"]
    concerned = [name for name in in_order(hosts) if hosts[name]["programs"]]
    groups = alike(
        concerned, lambda name: (hosts[name]["state"], [_cells(program) for program in hosts[name]["programs"]])
    )
    rows = []
    for names in groups:
        label = compact(names) + (f" ({len(names)})" if len(names) > 2 else "")
        for program in hosts[names[0]]["programs"]:
            rows.append(((label, *_cells(program)), program))
            label = ""
    if not rows:
        return ""
    widths = _program_widths([cells for cells, _program in rows], width)
    lines = [aligned(HEADER, widths)]
    for (label, name, ports, cpus, change), program in rows:
        # A list may be broken at its commas.
        cpu_list = cpus.replace(",", ", ") if len(cpus) > widths[3] else cpus
        columns = [wrapped(label, widths[0]), [name], wrapped(ports, widths[2]), wrapped(cpu_list, widths[3]), [change]]
        lines += [aligned(line, widths) for line in beside(columns)]
        if commands and program["command"]:
            text = printable(" ".join(shlex.quote(argument) for argument in program["command"]))
            lines += wrapped(text, width, first=" " * 4, others=" " * 6, break_words=False)
    return "\n".join(lines)


def _program_widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of all columns but the last one; hosts, ports and CPUs may take several lines."""
    host, name, ports, cpus, change = _longest([HEADER, *rows])
    return fitted(
        [min(host, 28), name, ports, min(cpus, 30)], [min(host, 12), name, 5, min(cpus, 12)], width - change - 2
    )


def _longest(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the length of the longest cell of each column."""
    return [max(map(len, column)) for column in zip(*rows)]


def _cells(program: Program) -> tuple[str, str, str, str]:
    change = "-" if program["change"] == "none" else program["change"]
    ports = " ".join(str(port) for port in program["ports"])
    return printable(program["name"]), ports or "-", printable(program["cpus"] or "-"), change


def reasons(plan: Plan) -> list[Reason]:
    """Return why programs change, equal reasons together, what matters most first."""
    found: dict[tuple[int, str], dict[str, list[str]]] = {}
    for name in in_order(plan["hosts"]):
        for program in plan["hosts"][name]["programs"]:
            if program["reason"]:
                key = (CHANGES.index(program["change"]), program["reason"])
                found.setdefault(key, {}).setdefault(name, []).append(program["name"])
    return [
        (CHANGES[change], reason, [(names, hosts[names[0]]) for names in alike(hosts, hosts.__getitem__)])
        for (change, reason), hosts in sorted(found.items(), key=lambda item: item[0])
    ]


def _reasons(plan: Plan, width: int) -> str:
    lines = []
    for change, reason, groups in reasons(plan):
        lines += wrapped(f"{change:<8} {reason}", width, others=" " * 9)
        for names, programs in groups:
            lines += wrapped(f"{compact(names)}: {compact(programs)}", width, first=" " * 9, others=" " * 11)
    return "\n".join(["WHY", *lines]) if lines else ""


def _farms(plan: Plan, width: int) -> str:
    """Return the table of farms, hosts with equal rows together."""
    hosts = plan["hosts"]
    rows = []
    for names in alike([name for name in in_order(hosts) if hosts[name]["farms"]], lambda name: _farm_rows(plan, name)):
        label = compact(names)
        for row in _farm_rows(plan, names[0]):
            rows.append((label, *row))
            label = ""
    if not rows:
        return ""
    host, path, *numbers, state = _longest([FARM_HEADER, *rows])
    room = width - sum(numbers) - state - 8
    widths = [*fitted([min(host, 40), path], [min(host, 12), min(path, 20)], room), *numbers]
    lines = []
    for label, folder, *figures, state_word in [FARM_HEADER, *rows]:
        right = [[figure.rjust(number)] for figure, number in zip(figures, numbers)]
        columns = [wrapped(label, widths[0]), wrapped(folder, widths[1]), *right, [state_word]]
        lines += [aligned(line, widths) for line in beside(columns)]
    return "\n".join(lines)


def _farm_rows(plan: Plan, name: str) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            printable(farm["path"]),
            _number(farm["sectors"]),
            _number(farm["sectors_there"]),
            _number(farm["max_sectors"]),
            "" if farm["state"] == "present" else farm["state"],
        )
        for farm in plan["hosts"][name]["farms"]
    ]


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _blocks(plan: Plan, width: int) -> str:
    """Return what to add where no list pins the slots of GPUs yet."""
    known = [plan["hosts"][name]["gpus"] for name in in_order(plan["hosts"])]
    blocks = [gpus["block"] for gpus in known if gpus and gpus["gpus"] and not gpus["slots_fixed"]]
    if not blocks:
        return ""
    if len(blocks) > MOST_BLOCKS:
        sentence = f"No list pins which GPU has which number on {len(blocks)} hosts: "
        return "\n".join(wrapped(sentence + "the lines to add are in the report and in the JSON file.", width))
    return "To pin which GPU has which number, add these lines to the host's variables:\n\n" + "\n\n".join(blocks)


def _steps(plan: Plan, width: int) -> str:
    if not plan["steps"]:
        return ""
    lines = ["STEPS"]
    for number, step in enumerate(plan["steps"], 1):
        title = f"{step['kind']} {counted(step['programs'], step['component'] + ' program')}"
        lines += wrapped(f"{title}: {step_hosts(step)}", width, first=f"{number:2d}. ", others=" " * 4)
        if step["made_of"]:
            text = f"{between(step['at_least_s'], step['at_most_s'])} ({time_made_of(step)})"
            lines += wrapped(text, width, first=" " * 4, others=" " * 4)
    return "\n".join(lines)


def step_hosts(step: Step) -> str:
    """Return on which hosts a step happens, in which order."""
    texts = [compact(in_order(batch)) for batch in step["batches"]]
    if len(texts) > MOST_BATCHES:
        texts = [*texts[:3], f"… {len(texts) - 5} more …", *texts[-2:]]
    return ", then ".join(texts)


def time_made_of(step: Step) -> str:
    """Return what the time of a step is made of."""
    times = f"{len(step['batches'])} times: " if len(step["batches"]) > 1 else ""
    return times + ", ".join(step["made_of"])


def _others(plan: Plan, width: int) -> str:
    """Return what hosts do not change, and what cannot be told."""
    hosts = plan["hosts"]
    sentences_ = []
    left = [name for name in in_order(hosts) if hosts[name]["state"] != READY]
    for names in alike(left, lambda name: (hosts[name]["state"], hosts[name]["why"])):
        sentences_.append(f"{compact(names)}: {hosts[names[0]]['state']}. {hosts[names[0]]['why']}")
    failing = [name for name in in_order(hosts) if hosts[name]["errors"]]
    for names in alike(failing, lambda name: hosts[name]["errors"]):
        sentences_ += [f"{compact(names)}: {error}" for error in hosts[names[0]]["errors"]]
    lines = [line for text in sentences_ for line in wrapped(text, width, others="  ")]
    return "\n".join(["NOT IN THE PLAN", *lines]) if lines else ""


def sentences(plan: Plan) -> list[str]:
    """Return what the plan comes to."""
    summary, changes = plan["summary"], plan["summary"]["changes"]
    words = [f"{changes[change]} {VERBS[change][changes[change] != 1]}" for change in VERBS if changes[change]]
    counted_hosts, counted_programs = counted(summary["hosts"], "host"), counted(summary["programs"], "program")
    result = [f"Plan for {counted_hosts}, {counted_programs}: {', '.join(words) or 'none'}."]
    if plan["stopping"]:
        result.append(
            f"site.yml would stop before it changes anything ({', '.join(plan['stopping'])}); "
            "this is what it would do once that is fixed."
        )
    if plan["steps"]:
        span = between(summary["at_least_s"], summary["at_most_s"])
        result.append(
            f"The steps take {span}, plus the time that Ansible itself needs; "
            "they take the longest when every program needs all the time that it is given."
        )
    for version in plan["versions"]:
        span = between(version["at_least_s"], version["at_most_s"])
        first, last = version["components"][0], version["components"][-1]
        result.append(
            f"{version['what']} {', '.join(version['from'])} and {', '.join(version['to'])} run side by side "
            f"for {span}, from the first restart ({first}) to the last ({last})."
        )
        if version["held_back"]:
            result.append(f"Not in this plan, so they keep their version: {compact(in_order(version['held_back']))}.")
    result += plan["notes"]
    if plan["findings"]:
        result.append(f"Findings: {counts(plan['findings'])}.")
    return [*result, f"Nothing was changed. site.yml -e cluster_plan_id={plan['id']} does this or refuses."]
