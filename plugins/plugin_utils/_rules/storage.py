# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about farms: what the inventory says of them, and the disks that they lie on."""

from __future__ import annotations

import posixpath
import re

from ansible_collections.autonomys.cluster.plugins.module_utils import _sectors
from ansible_collections.autonomys.cluster.plugins.module_utils._components.plot_client import present_farms

from .. import _ss58
from .view import ERROR, WARNING, Rule, finding, names, shown

RULES = {
    "FARM001": Rule(ERROR, "inventory", "The reward address is wrong"),
    "FARM002": Rule(ERROR, "inventory", "A farm's path cannot be passed on"),
    "FARM003": Rule(ERROR, "inventory", "A farm's sectors are no number"),
    "FARM004": Rule(ERROR, "inventory", "A farm has too many sectors"),
    "FARM005": Rule(ERROR, "inventory", "A farm is listed twice"),
    "FARM006": Rule(ERROR, "inventory", "A plot client has too many farms"),
    "FARM007": Rule(WARNING, "inventory", "A plot client has no farm"),
    "FARM011": Rule(ERROR, "inventory", "The number of pieces in a sector is out of range"),
    "DISK001": Rule(ERROR, "host", "A farm's path does not exist"),
    "DISK002": Rule(ERROR, "host", "A farm's path is no mountpoint"),
    "DISK003": Rule(ERROR, "host", "Farms share a device"),
    "DISK004": Rule(ERROR, "host", "A farm's filesystem is unsuitable"),
    "DISK005": Rule(ERROR, "host", "A farm's filesystem is read-only"),
    "DISK006": Rule(ERROR, "host", "A farm has more sectors than its disk holds"),
    "DISK007": Rule(ERROR, "host", "A farm has fewer sectors than are plotted"),
    "DISK008": Rule(ERROR, "host", "A disk has no room for a farm"),
    "DISK009": Rule(ERROR, "host", "A farm's files cannot be accessed directly"),
    "DISK010": Rule(ERROR, "host", "A disk cannot be read"),
}

MAX_FARMS = 256

GOOD_FILESYSTEMS = ("ext4", "xfs")
# Copying on write they fragment plots or refuse O_DIRECT; those in memory and those of a network have other limits.
BAD_FILESYSTEMS = (
    "btrfs",
    "zfs",
    "bcachefs",
    "overlay",
    "tmpfs",
    "ramfs",
    "nfs",
    "nfs4",
    "cifs",
    "fuse.sshfs",
    "vfat",
    "exfat",
)


def check(view):
    for host in view.members("plot_client"):
        yield from _reward(view, host)
        pieces = view.value(host, "plot_client_pieces_in_sector")
        if pieces is not None and _pieces(view, host) != pieces:
            message = (
                f"plot_client_pieces_in_sector is {pieces}; a sector has 1 to {_sectors.MAX_PIECES_IN_SECTOR} pieces"
            )
            yield finding(
                "FARM011",
                [host],
                "plot_client",
                message,
                f"Leave it out: {_sectors.DEFAULT_PIECES_IN_SECTOR} is what the chain says.",
            )
        farms = _farms(view, host)
        if farms is not None:
            yield from _listed(host, farms)
    for host, disks in view.read("disks", "plot_client"):
        yield from _disks(view, host, _farms(view, host) or [], disks)


def _pieces(view, host):
    """Pieces in a sector, the usual number where the variable is missing or wrong."""
    pieces = view.value(host, "plot_client_pieces_in_sector")
    return (
        pieces
        if isinstance(pieces, int) and 1 <= pieces <= _sectors.MAX_PIECES_IN_SECTOR
        else _sectors.DEFAULT_PIECES_IN_SECTOR
    )


def _farms(view, host):
    """The farms that are passed on, None when the list is wrong."""
    farms = view.value(host, "plot_client_farms")
    if not isinstance(farms, list) or not all(
        isinstance(farm, dict) and isinstance(farm.get("path"), str) for farm in farms
    ):
        return None
    return present_farms({"plot_client_farms": farms})


def _reward(view, host):
    address = view.value(host, "plot_client_reward_address")
    if address is None:
        return
    try:
        _ss58.decode(str(address))
    except _ss58.Ss58Error as error:
        message = f"plot_client_reward_address {shown(str(address))} is no address: {error}"
        yield finding(
            "FARM001",
            [host],
            "plot_client",
            message,
            "Copy the address from your wallet again; rewards to a wrong one are lost.",
        )


def _sectors_of(farm):
    """Number of sectors, None with ``auto`` and with anything else."""
    text = str(farm.get("sectors", "auto"))
    return int(text) if re.match(r"^[0-9]+$", text) else None


def _listed(host, farms):
    paths = {}
    for farm in farms:
        path, sectors = str(farm["path"]), farm.get("sectors", "auto")
        paths.setdefault(posixpath.normpath(path), []).append(path)
        if re.search(r"[\s,]", path) or not path.startswith("/"):
            message = f"The path of a farm is {shown(path)}; the farmer's option path=…,sectors=… needs an absolute path without commas and spaces"
            yield finding("FARM002", [host], "plot_client", message, "Mount the disk elsewhere.")
        number = _sectors_of(farm)
        if str(sectors) != "auto" and not number:
            yield finding(
                "FARM003",
                [host],
                "plot_client",
                f"sectors of {path} is {shown(sectors)}",
                "Write auto or a number of at least 1.",
            )
        elif number and number > _sectors.MAX_SECTORS:
            message = f"sectors of {path} is {number}; a farm has {_sectors.MAX_SECTORS} at most"
            yield finding("FARM004", [host], "plot_client", message, "Lower it, or split the disk.")
    for path, same in sorted(paths.items()):
        if len(same) > 1:
            yield finding(
                "FARM005",
                [host],
                "plot_client",
                f"plot_client_farms has {path} {len(same)} times",
                "Remove all but one.",
            )
    if len(farms) > MAX_FARMS:
        message = f"plot_client_farms has {len(farms)} farms; a plot client serves {MAX_FARMS} at most"
        yield finding(
            "FARM006", [host], "plot_client", message, "Join disks, for example with LVM or RAID 0, or use more hosts."
        )
    if not farms:
        message = "plot_client_farms has no farm with the state present"
        yield finding(
            "FARM007", [host], "plot_client", message, "Add farms, or take the host out of the group plot_client."
        )


def _disks(view, host, farms, disks):
    pieces = _pieces(view, host)
    devices = {}
    for farm in farms:
        path = str(farm["path"])
        disk = disks.get(path)
        if disk is None:
            continue
        if disk.get("error"):
            message = f"{path} ({disk['device']}) cannot be read: {disk['error']}"
            remedy = "Look for errors of the disk with dmesg. One farm that cannot be read keeps the plot client from starting: list it with state: absent."
            yield finding("DISK010", [host], "plot_client", message, remedy)
            continue
        if not disk["exists"]:
            message = f"{path} does not exist; a farm there would fill the disk of {disk['mountpoint']}"
            yield finding(
                "DISK001", [host], "plot_client", message, "Mount the farm's disk there, or correct the path."
            )
            continue
        on_root = not disk["is_mountpoint"] and disk["mountpoint"] == "/"
        devices.setdefault(disk["device"], []).append(path)
        if not disk["is_mountpoint"]:
            message = (
                f"{path} is no mountpoint but a folder on the filesystem of {disk['mountpoint']} ({disk['device']})"
            )
            remedy = "Mount the farm's disk there, in /etc/fstab too, or correct the path."
            yield finding("DISK002", [host], "plot_client", message, remedy, ERROR if on_root else WARNING)
        if not on_root:
            yield from _filesystem(host, path, disk)
        yield from _capacity(host, farm, path, disk, pieces)
    for device, paths in sorted(devices.items()):
        if len(paths) > 1 and any(disks[path]["is_mountpoint"] or disks[path]["mountpoint"] != "/" for path in paths):
            remedy = "Give each farm its own disk; one farm can use the whole disk."
            yield finding("DISK003", [host], "plot_client", f"{names(paths)} are all on {device}", remedy)


def _filesystem(host, path, disk):
    if disk["fstype"] not in GOOD_FILESYSTEMS:
        bad = disk["fstype"] in BAD_FILESYSTEMS
        message = f"{path} is on {disk['fstype']}, which is {('not fit for plots' if bad else 'untested for plots')}"
        yield finding(
            "DISK004",
            [host],
            "plot_client",
            message,
            "Use ext4 (or xfs): plots need direct access in place.",
            ERROR if bad else WARNING,
        )
    if disk["read_only"]:
        message = f"{path} is mounted read-only ({disk['device']})"
        yield finding(
            "DISK005",
            [host],
            "plot_client",
            message,
            "Look for errors of the disk with dmesg, repair the filesystem and mount it writable.",
        )
    journal = "data=journal" in disk["options"]
    if journal or disk.get("direct_io") is False:
        why = "is mounted with data=journal" if journal else "refuses to open the farm's files with O_DIRECT"
        message = f"{path} ({disk['device']}, {disk['fstype']}) {why}, so the farmer cannot pass the page cache by"
        yield finding(
            "DISK009",
            [host],
            "plot_client",
            message,
            "Use ext4 or xfs on the disk itself, mounted with their usual options.",
        )


def _capacity(host, farm, path, disk, pieces):
    plotted = _sectors.existing_sectors(disk["existing_plot_bytes"], pieces)
    number = _sectors_of(farm)
    if number is None:
        if not plotted and disk["max_sectors"] < 1:
            message = f"{path} has {_bytes(disk['available'])} bytes left; a sector takes {_bytes(_sectors.sector_bytes(pieces))}"
            yield finding(
                "DISK008", [host], "plot_client", message, "Free space on the disk or take the farm out of the list."
            )
        return
    if number < plotted:
        message = f"sectors of {path} is {number}, but its files hold {plotted}: {plotted - number} plotted sectors would be cut off"
        yield finding("DISK007", [host], "plot_client", message, f"Set sectors to {plotted} or to auto.")
    elif number > disk["max_sectors"]:
        wanted = number * _sectors.sector_bytes(pieces)
        message = f"sectors of {path} is {number} ({_bytes(wanted)} bytes); the disk holds {disk['max_sectors']}"
        yield finding(
            "DISK006", [host], "plot_client", message, f"Set sectors to {disk['max_sectors']} at most, or to auto."
        )


def _bytes(number):
    return f"{number:,}"
