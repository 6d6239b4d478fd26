# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The piece caches: the sharded cache, and the cache with all pieces."""

from __future__ import annotations

from . import names
from .common import Component, Facts, Folder, Programs, Settings, ShortestStop, connected, farmer, make_program

SHARDED, FULL_PIECE = "autonomys-sharded-cache", "autonomys-full-piece"

# A terabyte less what the file system takes, for both together.
_ROOM = int(0.45 * 2**40)


def _build(s: Settings, facts: Facts) -> Programs:
    for name, word, kind in (
        (SHARDED, "sharded-cache", "sharded"),
        (FULL_PIECE, "full-piece-sharded-cache", "full_piece"),
    ):
        path = s[f"caches_{kind}_path"]
        command = farmer(s, "caches", word, *s["caches_extra_args"], *s[f"caches_{kind}_extra_args"], "path=" + path)
        program = make_program(s, "caches", name, command)
        program["state_directories"] = [path]
        yield program, connected(s, "caches")


COMPONENT = Component(
    name="caches",
    build=_build,
    binary=names.FARMER,
    file="autonomys-caches",
    programs=(SHARDED, FULL_PIECE),
    uses=("nats",),
    without="plot servers fetch every piece from the network",
    needs="all",
    folders=(Folder("caches_sharded_path", _ROOM), Folder("caches_full_piece_path", _ROOM)),
    shortest_stop=ShortestStop(30, "a farmer can take minutes to stop"),
)
