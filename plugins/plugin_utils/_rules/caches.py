# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""CACHE: rules about the caches of plotters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.caches import FULL_PIECE, SHARDED

from .deployed import Deployed, key_values, programs_of, same_folder
from .view import WARNING, Finding, Rule, View, finding

# Program to the variable with its folder.
VARIABLES = {SHARDED: "caches_sharded_path", FULL_PIECE: "caches_full_piece_path"}

RULES = {
    "CACHE001": Rule(WARNING, "inventory", "A cache deletes its pieces when it ends"),
    "CACHE002": Rule(WARNING, "host", "A cache's pieces would be left behind"),
}


def check(view: View) -> Iterator[Finding]:
    for host in view.members("caches"):
        for name in ("caches_extra_args", "caches_full_piece_extra_args", "caches_sharded_extra_args"):
            if "--tmp" in [str(argument) for argument in view.value(host, name) or []]:
                message = f"{name} has --tmp: the cache deletes its pieces, exported ones too, when it ends"
                yield finding("CACHE001", [host], "caches", message, "Remove it; later releases do not know it.")
    for host, facts in view.read("host", "caches"):
        for program in programs_of(view, host, "caches"):
            yield from _moved(view, host, program, facts.get("disks") or {})


def _moved(view: View, host: str, program: Deployed, disks: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Judge a cache that would begin in an empty folder; one with pieces, such as exported ones, is no loss."""
    command = program.get("command") or []
    variable = VARIABLES.get(program["name"])
    if variable is None:
        variable = VARIABLES[FULL_PIECE if "full-piece-sharded-cache" in command else SHARDED]
    path = view.value(host, variable)
    there = [pairs["path"] for pairs in key_values(command, "path")]
    if path is None or not there or any(same_folder(folder, path) for folder in there):
        return
    if disks.get(path, {}).get("empty") is not False:
        message = f"{variable} is {path}, but {program['name']} keeps its pieces in {' and '.join(there)}"
        remedy = (
            "Set it back, or move the folder there yourself: an empty cache is filled again, over the network. When "
            "the new folder is for exported pieces, export_pieces.yml fills it."
        )
        yield finding("CACHE002", [host], "caches", message, remedy)
