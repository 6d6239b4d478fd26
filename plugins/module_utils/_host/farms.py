# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads the disks that farms are on: what a farm there has, and how many sectors fit."""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
from pathlib import Path
from typing import Sequence, TypedDict

from .._foreign import reads_foreign
from .._sectors import SectorsError, max_sectors
from .disks import HARMLESS, PATIENCE_S, Disk, read_disks

FARM_FILES = ("plot.bin", "metadata.bin")
# Identity and description of a farm have some hundred bytes.
MAX_SMALL_FILE = 65536
BLOCK = 4096


class Farm(TypedDict):
    """What the files of a farm say of it, each None when its file does not tell."""

    id: str | None
    genesis_hash: str | None
    identity: str | None


class FarmFacts(TypedDict):
    """What a folder holds of a farm, and may hold."""

    existing_plot_bytes: int | None
    max_sectors: int | None
    farm: Farm | None
    direct_io: bool | None


class FarmDisk(Disk, FarmFacts):
    """What a farm's path is on."""


UNREAD: FarmFacts = {"existing_plot_bytes": None, "max_sectors": None, "farm": None, "direct_io": None}


def read_farms(
    paths: Sequence[str], user: str, pieces_in_sector: int, margin_bytes: int = 0, seconds: float = PATIENCE_S
) -> dict[str, FarmDisk]:
    """Return what each path is on; the arguments are the options of disk_info."""
    for path in paths:
        if not path.startswith("/"):
            raise SectorsError(f"the path {path} is not absolute")
    # Wrong numbers are said here, not by every disk.
    max_sectors(0, 0, pieces_in_sector, margin_bytes)

    def more(folder: Path | None, disk: Disk) -> FarmFacts:
        return read_farm_facts(folder, disk["available"] or 0, pieces_in_sector, margin_bytes)

    return {
        path: {**disk, **(facts or UNREAD)} for path, (disk, facts) in read_disks(paths, user, more, seconds).items()
    }


def read_farm_facts(folder: Path | None, available: int, pieces_in_sector: int, margin_bytes: int) -> FarmFacts:
    """Return what concerns a farm in a folder, None where the folder does not exist, on a disk with so much room."""
    files = [file_bytes(folder / name) for name in FARM_FILES] if folder else []
    # The holes of a file that was not allocated yet are still counted as free by the filesystem.
    allocated = sum(taken for _size, taken in files)
    return {
        "existing_plot_bytes": sum(size for size, _taken in files),
        "max_sectors": max_sectors(available, allocated, pieces_in_sector, margin_bytes),
        "farm": read_farm(folder) if folder else None,
        "direct_io": direct_io(folder) if folder else None,
    }


def file_bytes(path: Path) -> tuple[int, int]:
    """Return (size, bytes taken on the disk) of a file, at most its size; (0, 0) when there is none."""
    try:
        info = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return 0, 0
    return info.st_size, min(info.st_size, info.st_blocks * 512)


def small_file(path: Path) -> bytes | None:
    """Return the bytes of a small file, None when there is none, and no bytes where it is not ours to read.

    Raises OSError where the disk has an error.
    """
    try:
        with open(str(path), "rb") as handle:
            return handle.read(MAX_SMALL_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno not in HARMLESS:
            raise
        return b""


def read_farm(folder: Path) -> Farm | None:
    """Return what the files of a farm say of it, None where there is no farm."""
    identity, description = small_file(folder / "identity.bin"), small_file(folder / "single_disk_farm.json")
    if identity is None and description is None:
        return None
    number, chain = parse_description(description or b"")
    return {
        "id": number,
        "genesis_hash": chain,
        # The identity is the farm's private key: it never leaves the host.
        "identity": hashlib.sha256(identity).hexdigest()[:16] if identity else None,
    }


@reads_foreign
def parse_description(raw: bytes) -> tuple[str | None, str | None]:
    """Return the id and the genesis hash in a farm's description, None where it does not tell."""
    try:
        # The only key is the version of the format.
        [fields] = json.loads(raw.decode("utf-8")).values()
        number, chain = fields.get("id"), fields.get("genesisHash")
    except (ValueError, AttributeError, RecursionError):
        return None, None
    return str(number) if number else None, str(chain) if chain else None


def direct_io(folder: Path) -> bool | None:
    """Return whether files of a farm can be read with direct access, None where no file tells.

    Direct access asks the disk itself, however much of a file the kernel remembers: raises OSError where that has an
    error.
    """
    told = None
    for name in FARM_FILES:
        path = str(folder / name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in HARMLESS:
                raise
            if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
                return False
            # Missing rights say nothing.
            continue
        try:
            # Memory of its own is aligned as direct access wants it.
            os.preadv(descriptor, [mmap.mmap(-1, BLOCK)], 0)
        except OSError as error:
            if error.errno not in HARMLESS:
                raise OSError(error.errno, error.strerror, path) from error
        finally:
            os.close(descriptor)
        told = True
    return told
