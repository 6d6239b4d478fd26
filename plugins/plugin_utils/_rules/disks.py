# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""DISK: rules about the disks of farms, and about those of folders with data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import parse_size
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import existing_sectors, sector_bytes

from .._words import names
from .farms import listed_farms, pieces_in_sector, sectors_of
from .system_folders import data_folders, why_forbidden
from .view import ERROR, HOST, WARNING, Finding, Rule, View, finding

RULES = {
    "DISK001": Rule(ERROR, "host", "A farm's path does not exist"),
    "DISK002": Rule(ERROR, "host", "A farm's path is not a mountpoint"),
    "DISK003": Rule(ERROR, "host", "Farms share a device"),
    "DISK004": Rule(ERROR, "host", "A farm's filesystem is unsuitable"),
    "DISK005": Rule(ERROR, "host", "A farm's filesystem is read-only"),
    "DISK006": Rule(ERROR, "host", "A farm has more sectors than its disk holds"),
    "DISK007": Rule(ERROR, "host", "A farm has fewer sectors than are plotted"),
    "DISK008": Rule(ERROR, "host", "A disk has no room for a farm"),
    "DISK009": Rule(ERROR, "host", "A farm's files cannot be accessed directly"),
    "DISK010": Rule(ERROR, "host", "A disk cannot be read"),
    "DISK011": Rule(WARNING, "host", "A disk is small for its data"),
    "DISK012": Rule(ERROR, "host", "A folder's filesystem is unsuitable"),
    "DISK013": Rule(ERROR, "inventory", "A folder of the system would be given away"),
    "DISK014": Rule(ERROR, "host", "A program's user cannot reach its folder"),
}

GIB = 2**30

# Filesystems that end with the host, and those of a network.
FLEETING = ("tmpfs", "ramfs")
REMOTE = ("nfs", "nfs4", "cifs", "fuse.sshfs")

GOOD_FOR_FARMS = ("ext4", "xfs")
# Those that copy on write fragment plots or refuse O_DIRECT.
BAD_FOR_FARMS = ("btrfs", "zfs", "bcachefs", "overlay", "vfat", "exfat") + FLEETING + REMOTE

LOOK_FOR_ERRORS = "Look for errors of the disk with dmesg"
MAKE_WRITABLE = f"{LOOK_FOR_ERRORS}, repair the filesystem and mount it writable."

Disk = Mapping[str, Any]


def check(view: View) -> Iterator[Finding]:
    for host in view.hosts:
        yield from _given(view, host)
    for host, disks in view.read("disks", "plot_client"):
        yield from _farms(view, host, disks)
    for host, facts in view.read("host"):
        yield from _folders(view, host, facts.get("disks") or {})


def _given(view: View, host: str) -> Iterator[Finding]:
    """Judge the folders that programs are given, with their owner."""
    user = str(view.value(host, "cluster_user"))
    disks = {**(view.host_facts(host).get("disks") or {}), **(view.facts.get(host, {}).get("disks") or {})}
    for component, name, path in data_folders(view, host):
        why = why_forbidden(path, user, disks.get(path))
        if why:
            message = f"{name} has {path}, which would be given to {user}: {why}"
            yield finding("DISK013", [host], component, message, "Use a folder of its own, for example one below it.")
        closed = (disks.get(path) or {}).get("closed")
        if closed:
            message = f"{path} ({name}) is below {closed}, which {user} may not enter"
            remedy = f"Move or mount the data elsewhere, or let others pass: chmod o+x {closed}."
            yield finding("DISK014", [host], component, message, remedy)


def _farms(view: View, host: str, disks: Mapping[str, Disk]) -> Iterator[Finding]:
    devices: dict[str, list[str]] = {}
    for farm in listed_farms(view, host) or []:
        path = str(farm["path"])
        disk = disks.get(path)
        if disk is None:
            continue
        fault = _unusable(path, disk)
        if fault:
            rule, message, remedy = fault
            yield finding(rule, [host], "plot_client", message, remedy)
            continue
        devices.setdefault(disk["device"], []).append(path)
        yield from _mount(host, path, disk)
        yield from _capacity(host, farm, disk, pieces_in_sector(view, host))
    for device, paths in sorted(devices.items()):
        if len(paths) > 1 and any(not _on_root(disks[path]) for path in paths):
            remedy = "Give each farm its own disk; one farm can use the whole disk."
            yield finding("DISK003", [host], "plot_client", f"{names(paths)} are all on {device}", remedy)


def _on_root(disk: Disk) -> bool:
    if disk.get("bound_from_root"):
        return True
    return not disk["is_mountpoint"] and disk["mountpoint"] == "/"


def _unusable(path: str, disk: Disk) -> tuple[str, str, str] | None:
    """Return rule, message and remedy for a farm that cannot be looked into."""
    if disk.get("error"):
        message = f"{path} ({disk['device']}) cannot be read: {disk['error']}"
        remedy = (
            f"{LOOK_FOR_ERRORS}. One farm that cannot be read keeps the plot client from starting: list it with "
            "state: absent."
        )
        return "DISK010", message, remedy
    if not disk["exists"]:
        message = f"{path} does not exist; a farm there would fill the disk of {disk['mountpoint']}"
        return "DISK001", message, "Mount the farm's disk there, or correct the path."
    return None


def _mount(host: str, path: str, disk: Disk) -> Iterator[Finding]:
    if disk.get("bound_from_root"):
        message = f"{path} shows {disk['bound_from_root']}, a folder of the root filesystem ({disk['device']})"
        remedy = "Mount the farm's disk there, in /etc/fstab too, or correct the path."
        yield finding("DISK002", [host], "plot_client", message, remedy)
    elif not disk["is_mountpoint"]:
        message = (
            f"{path} is not a mountpoint but a folder on the filesystem of {disk['mountpoint']} ({disk['device']})"
        )
        remedy = "Mount the farm's disk there, in /etc/fstab too, or correct the path."
        yield finding("DISK002", [host], "plot_client", message, remedy, ERROR if _on_root(disk) else WARNING)
    if not _on_root(disk):
        yield from _filesystem(host, path, disk)


def _filesystem(host: str, path: str, disk: Disk) -> Iterator[Finding]:
    if disk["fstype"] not in GOOD_FOR_FARMS:
        bad = disk["fstype"] in BAD_FOR_FARMS
        message = f"{path} is on {disk['fstype']}, which is {'unfit' if bad else 'untested'} for plots"
        remedy = "Use ext4 (or xfs): plots need direct access in place."
        yield finding("DISK004", [host], "plot_client", message, remedy, ERROR if bad else WARNING)
    if disk["read_only"]:
        message = f"{path} is mounted read-only ({disk['device']})"
        yield finding("DISK005", [host], "plot_client", message, MAKE_WRITABLE)
    journal = "data=journal" in disk["options"]
    if journal or disk.get("direct_io") is False:
        why = "is mounted with data=journal" if journal else "refuses to open the farm's files with O_DIRECT"
        message = f"{path} ({disk['device']}, {disk['fstype']}) {why}, so the farmer cannot bypass the page cache"
        remedy = "Use ext4 or xfs on the disk itself, mounted with their usual options."
        yield finding("DISK009", [host], "plot_client", message, remedy)


def _capacity(host: str, farm: Mapping[str, Any], disk: Disk, pieces: int) -> Iterator[Finding]:
    path, number = farm["path"], sectors_of(farm)
    plotted, room = existing_sectors(disk["existing_plot_bytes"], pieces), disk["max_sectors"]
    if number is None:
        if not plotted and room < 1:
            message = f"{path} has {disk['available']:,} bytes left; a sector takes {sector_bytes(pieces):,}"
            remedy = "Free space on the disk or take the farm out of the list."
            yield finding("DISK008", [host], "plot_client", message, remedy)
    elif number < plotted:
        message = (
            f"sectors of {path} is {number}, but its files hold {plotted}: {plotted - number} plotted sectors would be "
            "cut off"
        )
        yield finding("DISK007", [host], "plot_client", message, f"Set sectors to {plotted} or to auto.")
    elif number > room:
        wanted = number * sector_bytes(pieces)
        message = f"sectors of {path} is {number} ({wanted:,} bytes); the disk holds {room}"
        yield finding("DISK006", [host], "plot_client", message, f"Set sectors to {room} at most, or to auto.")


def _folders(view: View, host: str, disks: Mapping[str, Disk]) -> Iterator[Finding]:
    needs: dict[tuple[str, str], list[tuple[str, str, int, Disk]]] = {}
    for component, name, wanted in _data_folders(view, host):
        path = view.value(host, name)
        disk = disks.get(path)
        if disk is None:
            continue
        if disk.get("error"):
            message = f"{path} ({name}, {disk['device']}) cannot be read: {disk['error']}"
            yield finding("DISK010", [host], component, message, f"{LOOK_FOR_ERRORS}.")
            continue
        yield from _unsuitable(host, component, name, path, disk)
        if wanted:
            needs.setdefault((disk["mountpoint"], disk["device"]), []).append((component, path, wanted, disk))
    for (mountpoint, device), entries in sorted(needs.items()):
        yield from _room(host, mountpoint, device, entries)


def _data_folders(view: View, host: str) -> Iterator[tuple[str, str, int | None]]:
    """Yield component, variable and bytes wanted of the folders with data that a host has."""
    for component in view.components(host):
        for name, room in COMPONENTS[component].folders:
            yield component, name, room if isinstance(room, int) else _size_of(view.value(host, room))


def _size_of(value: Any) -> int | None:
    try:
        size: int = parse_size(value)
    except (TypeError, ValueError):
        return None
    return size


def _unsuitable(host: str, component: str, name: str, path: str, disk: Disk) -> Iterator[Finding]:
    if disk["read_only"]:
        message = f"{path} ({name}) is on a filesystem that is mounted read-only ({disk['device']})"
        yield finding("DISK012", [host], component, message, MAKE_WRITABLE)
    elif disk["fstype"] in FLEETING + REMOTE:
        fate = "is lost when the host restarts" if disk["fstype"] in FLEETING else "depends on the network"
        message = f"{path} ({name}) is on {disk['fstype']}: its data {fate}"
        yield finding("DISK012", [host], component, message, "Use a folder on a local disk.", WARNING)


def _room(host: str, mountpoint: str, device: str, entries: Sequence[tuple[str, str, int, Disk]]) -> Iterator[Finding]:
    """Judge whether the folders of one filesystem together have room enough, with what they hold already."""
    disk = entries[0][3]
    used = [entry[3]["used"] for entry in entries]
    room = disk["size"] if None in used else disk["available"] + sum(used)
    if room < sum(wanted for _component, _path, wanted, _disk in entries):
        parts = [f"{_size(wanted)} for {component} ({path})" for component, path, wanted, _disk in entries]
        message = f"{mountpoint} ({device}) has {_size(room)}; recommended are {names(parts)}"
        components = sorted({entry[0] for entry in entries})
        remedy = "Mount a larger disk there, or move the folders before there is data in them."
        if "nats" in components:
            remedy += " nats_jetstream_max_file says how much JetStream may take."
        yield finding("DISK011", [host], components[0] if len(components) == 1 else HOST, message, remedy)


def _size(number: float) -> str:
    return f"{number / GIB:.1f} GiB"
