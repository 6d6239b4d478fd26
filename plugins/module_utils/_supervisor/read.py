# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The text of supervisord's configuration files, read as supervisord does. Pure functions, no I/O."""

from __future__ import annotations

import configparser
import shlex
from typing import Any, Dict, Mapping

from .._foreign import reads_foreign
from .._secrets import secret_values
from .errors import ConfError

# Section to option to value.
Sections = Mapping[str, Mapping[str, str]]
# Group to program to option to value: what a group is made of, comparable.
Definitions = Dict[str, Dict[str, Dict[str, str]]]

PROGRAM_KINDS = ("program:", "fcgi-program:", "eventlistener:")


@reads_foreign
def parse(text: str, path: str = "the file") -> dict[str, dict[str, str]]:
    """Read *text* the way supervisord does: sections in their order, each a dictionary of options.

    A line that cannot be read is told by its number: it may hold a secret.
    """
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    try:
        parser.read_string(text, source=path)
    except configparser.MissingSectionHeaderError as error:
        raise ConfError(f"{path} cannot be read: line {error.lineno} is before any section") from None
    except configparser.ParsingError as error:
        lines = ", ".join(str(number) for number, _line in error.errors)
        raise ConfError(f"{path} cannot be read: no option in line {lines}") from None
    except configparser.Error as error:
        raise ConfError(f"{path} cannot be read: {type(error).__name__}") from None
    return {section: dict(parser.items(section)) for section in parser.sections()}


@reads_foreign
def decode(data: bytes, path: str) -> str:
    """Decode the bytes of the file *path*."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfError(f"{path} cannot be read: {error}") from error


def groups(sections: Sections) -> dict[str, list[str]]:
    """Return what supervisord makes of *sections*: process groups, each with the names of its program sections.

    A program that no ``[group:]`` of these sections names is a group of its own.
    """
    result: dict[str, list[str]] = {}
    members: set[str] = set()
    for section, options in sections.items():
        if section.startswith("group:"):
            names = [name.strip() for name in (options.get("programs") or "").split(",") if name.strip()]
            result[section[len("group:") :].strip()] = names
            members.update(names)
    for name in program_names(sections):
        if name not in members:
            result[name] = [name]
    return result


def program_names(sections: Sections) -> list[str]:
    """Return the names of all programs of *sections*."""
    return [section[len(kind) :].strip() for section in sections for kind in PROGRAM_KINDS if section.startswith(kind)]


def options_of(sections: Sections, program: str) -> Mapping[str, str]:
    """Return the options of *program*, an empty dictionary when there is no such program."""
    for kind in PROGRAM_KINDS:
        if kind + program in sections:
            return sections[kind + program]
    return {}


def definitions_of(sections: Sections) -> Definitions:
    """Return for every group of *sections* what it is made of, comparable."""
    return {
        group: {name: dict(options_of(sections, name)) for name in members}
        for group, members in groups(sections).items()
    }


def changed_options(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> str:
    """Name the options that differ between two definitions of a group."""
    names: set[str] = set()
    for program in set(old) | set(new):
        before, after = old.get(program, {}), new.get(program, {})
        names.update(key for key in set(before) | set(after) if before.get(key) != after.get(key))
    return ", ".join(sorted(names))


def number(options: Mapping[str, Any], key: str, default: int) -> int:
    """Return a whole number among *options*, *default* when it is missing or unreadable."""
    try:
        return int(options.get(key, default))
    except (TypeError, ValueError):
        return default


@reads_foreign
def parse_environment(value: str) -> dict[str, str]:
    """Read the value of ``environment`` as supervisord does."""
    lexer = shlex.shlex(value)
    lexer.wordchars += "/.+-():"
    try:
        tokens = list(lexer)
    except ValueError as error:
        raise ConfError(f"environment: {error}") from None
    result = {}
    for index in range(0, len(tokens), 4):
        item = tokens[index : index + 3]
        if len(item) != 3 or item[1] != "=":
            raise ConfError("environment: it is not a list of NAME=value")
        result[item[0]] = item[2].strip("'\"").replace("%%", "%")
    return result


@reads_foreign
def parse_command(value: str) -> list[str]:
    """Read the value of ``command`` as supervisord does."""
    try:
        return [argument.replace("%%", "%") for argument in shlex.split(value)]
    except ValueError as error:
        raise ConfError(f"command: {error}") from None


def secrets_of(sections: Sections) -> set[str]:
    """Return the values in *sections* that must be hidden in other texts, such as the log of a program."""
    found: set[str] = set()
    for section, options in sections.items():
        shown = [section, *(value for key, value in options.items() if key not in ("environment", "command"))]
        environment: dict[str, str] = {}
        arguments: list[str] = []
        try:
            environment = parse_environment(options.get("environment") or "")
            arguments = parse_command(options.get("command") or "")
        except ConfError:
            # supervisord may quote what it cannot read
            found.update(value for value in (options.get("environment"), options.get("command")) if value)
        found |= secret_values(environment, arguments, shown)
    return found
