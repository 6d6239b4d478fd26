# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a supervised program that is defined on a host says of itself: its component, options, version and folders."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import (
    NATS_SERVER,
    is_binary,
    read_command,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import component_of

from .view import View

# The farmer's word for each component, upstream's included.
WORDS = {
    "controller": "controller",
    "proof-server": "proof_server",
    "sharded-cache": "caches",
    "full-piece-sharded-cache": "caches",
    "cache": "caches",
    "plot-server": "plot_server",
    "plotter": "plot_server",
    "plot-client": "plot_client",
    "farmer": "plot_client",
}

# A program as ``host_info`` returns it.
Deployed = Mapping[str, Any]


def deployed_programs(view: View, host: str) -> Sequence[Deployed]:
    """Return the programs that are defined on a host, whether they run or not."""
    return view.host_facts(host).get("programs") or []


def deployed_program(view: View, host: str, name: str) -> Deployed | None:
    """Return the program of that name that is defined on a host, None without one."""
    return next((program for program in deployed_programs(view, host) if program["name"] == name), None)


def programs_of(view: View, host: str, component: str) -> list[Deployed]:
    """Return the programs on a host that are a component's by their names, or else by what they run."""
    return [program for program in deployed_programs(view, host) if component_of_program(program) == component]


def component_of_program(program: Deployed) -> str | None:
    """Return the component that a program belongs to, None for one that this collection does not know."""
    return component_of(program["name"]) or _component_run(program.get("command") or [])


def _component_run(command: Sequence[str]) -> str | None:
    """Return the component that a command line runs, whatever its program is called."""
    binary = posixpath.basename(command[0]) if command and is_binary(command[0]) else ""
    if binary.startswith(NATS_SERVER):
        return "nats"
    if re.match(r"[a-z]+-node\b", binary):
        return "node"
    if not re.match(r"[a-z]+-farmer\b", binary) or "cluster" not in command:
        return None
    words = iter(command[list(command).index("cluster") + 1 :])
    for word in words:
        if not word.startswith("-"):
            return WORDS.get(word)
        if "=" not in word:
            next(words, None)
    return None


def option(words: Sequence[object], *names: str) -> str | None:
    """Return the value of an option of a command line, None where it is not given.

    A name with one dash and one letter may have its value attached, as in ``-d/var/node``.
    """
    texts = [str(word) for word in words]
    for number, word in enumerate(texts):
        for name in names:
            if word == name and number + 1 < len(texts):
                return texts[number + 1]
            if word.startswith(name + "="):
                return word[len(name) + 1 :]
            if len(name) == 2 and word.startswith(name) and len(word) > 2:
                return word[2:]
    return None


def same_folder(first: str, second: str) -> bool:
    """Return whether two paths name the same folder, as far as their texts tell."""
    return posixpath.normpath(first) == posixpath.normpath(second)


def key_values(command: Sequence[str], key: str) -> list[dict[str, str]]:
    """Return the words of a command line that are lists such as ``path=/mnt/a,sectors=5`` and have a key."""
    found = []
    for word in command:
        if not word.startswith("-"):
            pairs = dict(part.partition("=")[::2] for part in word.split(",") if "=" in part)
            if key in pairs:
                found.append(pairs)
    return found


def version_of(program: Deployed) -> str | None:
    """Return the version of Autonomys that a program runs, None where its path does not tell."""
    binary = read_command(program.get("command") or [])
    return binary.version if binary and binary.name != NATS_SERVER else None


def farms_of(program: Deployed) -> dict[str, str]:
    """Return ``{path: how large}`` of the farms that a plot client has in its command line."""
    farms = {}
    for pairs in key_values(program.get("command") or [], "path"):
        sectors, size = pairs.get("sectors"), pairs.get("size")
        farms[posixpath.normpath(pairs["path"])] = f"{sectors} sectors" if sectors else f"size {size or 'unknown'}"
    return farms
