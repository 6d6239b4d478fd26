# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a file of programs remembers in its text: programs that are kept stopped, groups that still have to go.

Pure functions, no I/O.
"""

from __future__ import annotations

import re
from typing import Collection

from .read import PROGRAM_KINDS, groups, options_of, parse

HEADER = "; Managed by Ansible (autonomys.cluster): changes made by hand are overwritten."
LEAVING = "; Still to be stopped and removed: "
KEPT_STOPPED = "; Kept stopped: only a run with its definition starts it."


def boolean(value: bool) -> str:
    """Write a truth value as supervisord reads it."""
    return "true" if value else "false"


def _lines(text: str | None) -> list[str]:
    """Return the lines of a text as supervisord has them: a form feed, for one, ends none."""
    lines = (text or "").split("\n")
    return lines if lines[-1] else lines[:-1]


def set_autostart(text: str, value: bool, only: Collection[str] | None = None) -> str:
    """Change ``autostart`` of every program in *text* (or of *only* these) that is not kept stopped, nothing else."""
    lines: list[str] = []
    stopped = kept_stopped(text)
    in_program = False
    header: int | None = None

    def finish() -> None:
        if header is not None and not value:
            lines.insert(header + 1, "autostart=false")

    for line in _lines(text):
        section = re.match(r"^\[([^\]]+)\]", line)
        if section:
            finish()
            kind, _colon, name = section.group(1).partition(":")
            in_program = kind in ("program", "fcgi-program") and name not in stopped and (only is None or name in only)
            header = len(lines) if in_program else None
        elif in_program and re.match(r"(?i)^autostart\s*[=:]", line):
            header = None
            line = f"autostart={boolean(value)}"
        lines.append(line)
    finish()
    return "\n".join(lines) + "\n"


def kept_stopped(text: str | None) -> set[str]:
    """Return the names of the programs that *text* keeps stopped, whatever the state of the others."""
    names = set()
    section = ""
    for line in _lines(text):
        found = re.match(r"^\[(?:[^\]:]+:)?([^\]]+)\]", line)
        section = found.group(1) if found else section
        if line == KEPT_STOPPED:
            names.add(section)
    return names


def leaving(text: str | None) -> list[str]:
    """Return the names that *text* remembers as still to be stopped and removed."""
    for line in _lines(text):
        if line.startswith(LEAVING):
            return [name for name in re.split(r"[,\s]+", line[len(LEAVING) :]) if name]
    return []


def with_leaving(text: str | None, names: Collection[str]) -> str:
    """Return *text* remembering *names*: when a run is interrupted, nothing else knows what has left the file."""
    lines = [line for line in _lines(text or HEADER) if not line.startswith(LEAVING)]
    while lines and not lines[-1]:
        lines.pop()
    if names:
        lines += ["", LEAVING + ", ".join(sorted(names))]
    return "\n".join(lines) + "\n"


def stopped_groups(text: str | None) -> set[str]:
    """Return the groups of *text* that are stopped as a whole, apart from programs that are kept stopped."""
    sections = parse(text or "")
    kept = kept_stopped(text)
    return {
        group
        for group, members in groups(sections).items()
        if any(name not in kept and options_of(sections, name).get("autostart") == "false" for name in members)
    }


def group_texts(text: str | None) -> dict[str, str]:
    """Return the text of every group of *text*: its sections as they are, in one piece."""
    pieces: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in _lines(with_leaving(text, [])):
        found = re.match(r"^\[([^\]]+)\]", line)
        if found:
            lines = pieces.setdefault(found.group(1).strip(), [])
        lines.append(line)
    result = {}
    for group, members in groups(parse(text or "")).items():
        sections = [f"group:{group}", *(kind + member for member in members for kind in PROGRAM_KINDS)]
        result[group] = "\n".join(
            "\n".join(pieces[section]).rstrip("\n") + "\n" for section in sections if section in pieces
        )
    return result


def compose(old: str | None, kept: str | None, now: set[str], former: set[str]) -> str | None:
    """Return a text of the groups *now* of the text *old* and *former* of the text *kept*, None when there are none."""
    texts, others = group_texts(old), group_texts(kept)
    if now == set(texts) and not former:
        return with_leaving(old, []) if now else None
    chosen = [
        texts[group] if group in now else others[group]
        for group in {**texts, **others}
        if group in now or group in former
    ]
    return "\n".join([HEADER + "\n", *chosen]) if chosen else None
