# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Names of programs, slots, files of programs, and paths of binaries: the one place that makes and reads them.

Which component a program belongs to is known by the component itself: see ``component_of`` in the registry.
"""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

NATS_SERVER = "nats-server"
NODE = "autonomys-node"
FARMER = "autonomys-farmer"

# The only programs of which a host has several: one per GPU, numbered by its slot.
PLOT_SERVER = "autonomys-plot-server"

# How the names of all supervised programs of this collection begin.
_OURS = ("autonomys-", NATS_SERVER)

# Folders with a folder per version: of nats-server, and of all other binaries.
_NATS, _RELEASES = "nats", "releases"

# Binaries, as people name the files too: with version and platform, such as autonomys-farmer-ubuntu-x86_64-v2.
_PROGRAM = re.compile(r"(?:(?:autonomys|subspace)-(?:node|farmer|export-piece)|nats-server)(?:[-_][\w.+-]*)?")
_SLOT = re.compile(rf"{PLOT_SERVER}-([0-9]+)")
_BINARY = re.compile(rf"/(?:.*/)?(?:{_RELEASES}|{_NATS})/([^/]+)/(autonomys-[^/]+|{NATS_SERVER})", re.DOTALL)


class Binary(NamedTuple):
    """What the path of an installed binary says."""

    version: str
    name: str


def is_ours(program: str) -> bool:
    """Return whether a supervised program has one of this collection's names."""
    return program.startswith(_OURS)


def is_binary(word: str) -> bool:
    """Return whether the path or name of a program is one of a binary of this collection, or a former one."""
    return bool(_PROGRAM.fullmatch(word.rpartition("/")[2]))


def is_nats_server(word: str) -> bool:
    """Return whether the path or name of a program is one of nats-server."""
    return is_binary(word) and word.rpartition("/")[2].startswith(NATS_SERVER)


def program_of(slot: int) -> str:
    """Return the name of the plot server of a slot."""
    return f"{PLOT_SERVER}-{slot}"


def slot_of(program: str) -> int | None:
    """Return the slot of a plot server, None for any other program."""
    match = _SLOT.fullmatch(program)
    return int(match.group(1)) if match else None


def conf_name(file: str) -> str:
    """Return how a file of programs is called in supervisord's folder."""
    return file + ".conf"


def file_of(path: str) -> str:
    """Return the file of programs that a path leads to, without folder and ending."""
    return path.rpartition("/")[2].rpartition(".")[0]


def release_root(install_dir: str, binary: str) -> str:
    """Return the folder that has a folder for each version of a binary."""
    return f"{install_dir}/{_NATS if binary == NATS_SERVER else _RELEASES}"


def binary_path(install_dir: str, version: str, binary: str) -> str:
    """Return where a version of a binary is installed."""
    return f"{release_root(install_dir, binary)}/{version}/{binary}"


def read_path(path: str) -> Binary | None:
    """Return what the path of an installed binary says, None for any other path."""
    match = _BINARY.fullmatch(path)
    return Binary(*match.groups()) if match else None


def read_command(words: Iterable[str]) -> Binary | None:
    """Return what a command line says of the installed binary that it runs, be it behind numactl or an interpreter."""
    return next(filter(None, map(read_path, words)), None)


def version_of(words: Iterable[str]) -> str | None:
    """Return the version that a command line runs, None where it does not tell."""
    binary = read_command(words)
    return binary.version if binary else None
