# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The text of a file of programs as it may be shown: without secrets, and with a mark where a hidden value changes."""

from __future__ import annotations

import re
from typing import Mapping, Sequence

from .._secrets import MASK, is_secret_name, masked_arguments, masked_environment, masked_url
from .errors import ConfError
from .read import Sections, options_of, parse, parse_command, parse_environment
from .write import quote_argument

CHANGED = f"{MASK} (changed)"

_OPTION = re.compile(r"(?P<comment>[;#]?\s*)(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*[=:]\s*(?P<value>.*)", re.DOTALL)
_SECTION = re.compile(r"\[(?:[^\]:]+:)?(?P<name>[^\]]+)\]")


def masked_texts(before: str | None, after: str | None) -> tuple[str, str]:
    """Return the two texts of a diff without secrets."""
    return masked_text(before), masked_text(after, before)


def masked_text(text: str | None, former: str | None = None) -> str:
    """Return a text without secrets. A hidden value that is another one than in the *former* text has a mark."""
    old: Sections = {}
    if former is not None:
        try:
            old = parse(former)
        except ConfError:
            old = {}
    result = []
    program = ""
    for lines in _entries(text or ""):
        section = _SECTION.match(lines)
        program = section.group("name").strip() if section else program
        result.append(lines if section else _masked_entry(lines, options_of(old, program)))
    return "".join(result)


def _entries(text: str) -> list[str]:
    """Return the options of a text, each with its line ends and the lines that it goes on in, and all other lines."""
    entries: list[str] = []
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if line[:1] in (" ", "\t") and entries and line.strip() and not _SECTION.match(entries[-1]):
            entries[-1] += line
        else:
            entries.append(line)
    return entries


def _masked_entry(entry: str, former: Mapping[str, str]) -> str:
    option = _OPTION.match(entry)
    if not option:
        return masked_url(entry)
    name, value = option.group("name").lower(), option.group("value")
    if name == "environment":
        shown = _masked_environment(value, former.get(name))
    elif name == "command":
        shown = _masked_command(value, former.get(name))
    elif is_secret_name(name):
        shown = MASK
    else:
        return masked_url(entry)
    if shown is None:
        return entry
    return f"{entry[: option.start('value')]}{shown}" + ("\n" if entry.endswith("\n") else "")


def _masked_environment(value: str, former: str | None) -> str | None:
    """Return the value of an option ``environment`` as it may be shown, None when that is as it is."""
    try:
        environment = parse_environment(value)
    except ConfError:
        return MASK
    shown = masked_environment(environment)
    if shown == environment:
        return None
    old = _environment(former)
    parts = []
    for name, text in shown.items():
        if text != environment[name] and name in old and old[name] != environment[name]:
            text = text.replace(MASK, CHANGED)
        quote = "'" if '"' in text else '"'
        escaped = text.replace("%", "%%")
        parts.append(f"{name}={quote}{escaped}{quote}")
    return ",".join(parts)


def _masked_command(value: str, former: str | None) -> str | None:
    """Return the value of an option ``command`` as it may be shown, None when that is as it is."""
    try:
        arguments = parse_command(value)
    except ConfError:
        return MASK
    shown = masked_arguments(arguments)
    if shown == arguments:
        return None
    old = _arguments(former)
    known = masked_arguments(old)
    words = []
    for argument, text in zip(arguments, shown):
        if text != argument and text in known and argument not in old:
            text = text.replace(MASK, CHANGED)
        words.append(_quoted(text))
    return " ".join(words)


def _quoted(argument: str) -> str:
    try:
        return quote_argument(argument)
    except ConfError:  # a file that was not made here can hold more
        return argument


def _environment(value: str | None) -> dict[str, str]:
    try:
        return parse_environment(value or "")
    except ConfError:
        return {}


def _arguments(value: str | None) -> Sequence[str]:
    try:
        return parse_command(value or "")
    except ConfError:
        return []
