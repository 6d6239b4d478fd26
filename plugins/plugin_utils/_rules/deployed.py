# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a supervised program that is defined on a host says of itself: its component, its options, its version."""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import NATS_SERVER, read_command

FARM = re.compile(r"^path=(.+),sectors=([0-9]+)$")


def deployed_programs(view, host):
    """Return the programs that are defined on a host, whether they run or not."""
    return ((view.facts.get(host) or {}).get("host") or {}).get("programs") or []


def deployed_program(view, host, name):
    """Return the program of that name that is defined on a host, None without one."""
    return next((program for program in deployed_programs(view, host) if program["name"] == name), None)


def option(words, name):
    """The value of an option of a command line, None where it is not given."""
    words = [str(word) for word in words]
    for number, word in enumerate(words):
        if word == name and number + 1 < len(words):
            return words[number + 1]
        if word.startswith(name + "="):
            return word[len(name) + 1 :]
    return None


def version_of(program):
    """Return the version of Autonomys that a program runs, None where its path does not tell."""
    binary = read_command(program.get("command") or [])
    return binary.version if binary and binary.name != NATS_SERVER else None


def farms_of(program):
    """``{path: sectors}`` of the farms that a plot client has in its command line."""
    matches = [FARM.match(word) for word in program.get("command") or []]
    return {match.group(1).rstrip("/") or "/": int(match.group(2)) for match in matches if match}
