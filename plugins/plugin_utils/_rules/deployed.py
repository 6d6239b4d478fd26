# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a supervised program that is defined on a host says of itself: its component, its options, its version."""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components.programs import COMPONENTS

PLOT_SERVER = re.compile(r"^autonomys-plot-server-[0-9]+$")
CACHES = ("autonomys-sharded-cache", "autonomys-full-piece")
RELEASE = re.compile(r"/releases/([^/]+)/autonomys-")
FARM = re.compile(r"^path=(.+),sectors=([0-9]+)$")


def component_of(name):
    """The component that a program belongs to, None for one that this collection does not know."""
    if PLOT_SERVER.match(name):
        return "plot_server"
    if name in CACHES:
        return "caches"
    return next((component for component, program in COMPONENTS.items() if program == name), None)


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
    """The version of the release that a program runs from, None where its path does not tell."""
    match = RELEASE.search(" ".join(program.get("command") or [])[:400])
    return match.group(1) if match else None


def farms_of(program):
    """``{path: sectors}`` of the farms that a plot client has in its command line."""
    matches = [FARM.match(word) for word in program.get("command") or []]
    return {match.group(1).rstrip("/") or "/": int(match.group(2)) for match in matches if match}
