# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""CACHE: rules about the caches of plotters."""

from __future__ import annotations

from collections.abc import Iterator

from .view import WARNING, Finding, Rule, View, finding

RULES = {
    "CACHE001": Rule(WARNING, "inventory", "A cache deletes its pieces when it ends"),
}


def check(view: View) -> Iterator[Finding]:
    for host in view.members("caches"):
        for name in ("caches_extra_args", "caches_full_piece_extra_args", "caches_sharded_extra_args"):
            if "--tmp" in [str(argument) for argument in view.value(host, name) or []]:
                message = f"{name} has --tmp: the cache deletes its pieces, exported ones too, when it ends"
                yield finding("CACHE001", [host], "caches", message, "Remove it; later releases do not know it.")
