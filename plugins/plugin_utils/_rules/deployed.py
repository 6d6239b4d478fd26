# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a supervised program that is defined on a host says of itself: its options, its version, its farms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import NATS_SERVER, read_command

from .view import View

FARM = re.compile(r"^path=(.+),sectors=([0-9]+)$")

# A program as ``host_info`` returns it.
Deployed = Mapping[str, Any]


def deployed_programs(view: View, host: str) -> Sequence[Deployed]:
    """Return the programs that are defined on a host, whether they run or not."""
    return view.host_facts(host).get("programs") or []


def deployed_program(view: View, host: str, name: str) -> Deployed | None:
    """Return the program of that name that is defined on a host, None without one."""
    return next((program for program in deployed_programs(view, host) if program["name"] == name), None)


def option(words: Sequence[object], name: str) -> str | None:
    """Return the value of an option of a command line, None where it is not given."""
    texts = [str(word) for word in words]
    for number, word in enumerate(texts):
        if word == name and number + 1 < len(texts):
            return texts[number + 1]
        if word.startswith(name + "="):
            return word[len(name) + 1 :]
    return None


def version_of(program: Deployed) -> str | None:
    """Return the version of Autonomys that a program runs, None where its path does not tell."""
    binary = read_command(program.get("command") or [])
    return binary.version if binary and binary.name != NATS_SERVER else None


def farms_of(program: Deployed) -> dict[str, int]:
    """Return ``{path: sectors}`` of the farms that a plot client has in its command line."""
    matches = [FARM.match(word) for word in program.get("command") or []]
    return {match.group(1).rstrip("/") or "/": int(match.group(2)) for match in matches if match}
