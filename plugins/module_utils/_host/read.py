# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads what a host is: in one go, and quickly. What it cannot tell is None, False or empty, never a failure."""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Callable, Sequence, Tuple, TypedDict

from .commands import CommandError, find_program, run_command
from .disks import Disk, read_disks, used_bytes
from .files import MAX_FILE, read_text, why_unreadable
from .parse import (
    Distribution,
    Service,
    fields_of,
    filters_packets,
    natural,
    parse_addresses,
    parse_memory_mib,
    parse_os_release,
    parse_packages,
    parse_service,
)
from .processes import open_file_limit

Ask = Callable[[Sequence[str]], Tuple[int, str]]
"""What runs a program of the host and returns its status and its output."""

NO_ANSWER = -1
"""The status of a program that is not there, or did not run to its end."""

# Seconds for each program that is run.
PATIENCE_S = 10
PACKAGE_FORMAT = "${Package}\\t${db:Status-Status}\\t${Version}\\n"
SERVICE_FIELDS = "LoadState,UnitFileState,ActiveState,MainPID"


class Interface(TypedDict):
    """A network interface."""

    name: str
    addresses: list[str]
    speed_mbps: int | None


class User(TypedDict):
    """An account."""

    name: str
    uid: int
    gid: int
    group: str
    home: str


class FileFacts(TypedDict):
    """A file, or what is none but there."""

    content: str | None
    mode: str
    owner: str
    group: str


class Limits(TypedDict):
    """How many files may be open."""

    service: int | None
    kernel: int | None


class Contents(TypedDict):
    """How much a folder holds."""

    used: int | None
    empty: bool | None


class Folder(Disk, Contents):
    """What a folder with data is on, and how much it holds."""


class HostFacts(TypedDict):
    """What a host is."""

    hostname: str
    architecture: str
    distribution: Distribution
    addresses: list[str]
    interfaces: list[Interface]
    memory_mib: int | None
    cpus: int | None
    clock_synchronized: bool | None
    packages: dict[str, str | None]
    user: User | None
    files: dict[str, FileFacts | None]
    service: Service
    limits: Limits
    packet_filter: bool | None
    disks: dict[str, Folder]
    running_as: str
    unreadable: dict[str, str]


def ask(command: Sequence[str]) -> tuple[int, str]:
    """Return status and output of a program of the host; NO_ANSWER and nothing when it cannot be run to its end."""
    path = find_program(command[0])
    if path is None:
        return NO_ANSWER, ""
    try:
        status, output, _errors = run_command([path, *command[1:]], PATIENCE_S)
    except CommandError:
        return NO_ANSWER, ""
    return status, output


def read_host(
    packages: Sequence[str] = (),
    user: str | None = None,
    files: Sequence[str] = (),
    service: str = "supervisor",
    paths: Sequence[str] = (),
    ask: Ask = ask,
) -> HostFacts:
    """Read everything; the arguments are the options of host_info."""
    installed = ask(["dpkg-query", "-W", "-f", PACKAGE_FORMAT, *packages])[1] if packages else ""
    shown = ask(["systemctl", "show", "-p", SERVICE_FIELDS, "--", service + ".service"])[1]
    interfaces = read_interfaces(parse_addresses(ask(["ip", "-j", "address"])[1]))
    uname = os.uname()
    return {
        "hostname": uname.nodename,
        "architecture": uname.machine,
        "distribution": parse_os_release(read_text("/etc/os-release") or ""),
        "addresses": [address for interface in interfaces for address in interface["addresses"]],
        "interfaces": interfaces,
        "memory_mib": parse_memory_mib(read_text("/proc/meminfo") or ""),
        "cpus": os.cpu_count(),
        "clock_synchronized": clock_synchronized(),
        "packages": parse_packages(installed, packages),
        "user": read_user(user) if user else None,
        "files": {path: read_file(path) for path in files},
        "service": parse_service(shown),
        "limits": {"service": service_limit(shown), "kernel": natural(read_text("/proc/sys/fs/nr_open"))},
        "packet_filter": read_packet_filter(ask),
        "disks": read_folders(paths, user or "root"),
        "running_as": user_name(os.geteuid()),
        "unreadable": {path: why for path in files for why in [why_unreadable(path)] if why},
    }


def is_real(interface: str, depth: int = 0, base: str = "/sys/class/net") -> bool:
    """Tell whether an interface is a device, or rests on one; the kernel makes up the speed of others."""
    folder = Path(base) / interface
    if (folder / "device").exists():
        return True
    lower = [entry.name[len("lower_") :] for entry in folder.glob("lower_*")]
    return depth < 4 and any(is_real(name, depth + 1, base) for name in lower)


def read_interfaces(addresses: dict[str, list[str]]) -> list[Interface]:
    """Return the interfaces of the parsed addresses with their speeds."""
    interfaces: list[Interface] = []
    for name, values in addresses.items():
        # A link that is down reads as -1, or not at all.
        speed = natural(read_text(f"/sys/class/net/{name}/speed")) if is_real(name) else None
        interfaces.append({"name": name, "addresses": values, "speed_mbps": speed or None})
    return interfaces


def read_packet_filter(ask: Ask) -> bool | None:
    """Tell whether anything filters incoming packets, None when it cannot be told."""
    status, rules = ask(["nft", "list", "ruleset"])
    return filters_packets(rules, read_text("/proc/net/ip_tables_names") or "") if status == 0 else None


def read_folders(paths: Sequence[str], user: str) -> dict[str, Folder]:
    """Return what each folder with data is on, and how much it holds."""
    unknown: Contents = {"used": None, "empty": None}
    return {path: {**disk, **(held or unknown)} for path, (disk, held) in read_disks(paths, user, _contents).items()}


def _contents(folder: Path | None, _disk: Disk) -> Contents:
    if folder is None:
        return {"used": 0, "empty": True}
    return {"used": used_bytes(folder), "empty": not any(os.scandir(str(folder)))}


def read_user(name: str) -> User | None:
    """Return an account, None when there is none of that name."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return {
        "name": entry.pw_name,
        "uid": entry.pw_uid,
        "gid": entry.pw_gid,
        "group": group_name(entry.pw_gid),
        "home": entry.pw_dir,
    }


def user_name(number: int) -> str:
    """Return the name of a user, the number itself when it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    """Return the name of a group, the number itself when it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def read_file(path: str) -> FileFacts | None:
    """Return content, mode and owner of a path, None when it does not exist."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return {
        "content": read_text(path) if stat.S_ISREG(info.st_mode) and info.st_size <= MAX_FILE else None,
        "mode": f"{stat.S_IMODE(info.st_mode):04o}",
        "owner": user_name(info.st_uid),
        "group": group_name(info.st_gid),
    }


def service_limit(shown: str) -> int | None:
    """Return how many files the main process of a service may open, None when it does not run."""
    pid = natural(fields_of(shown).get("MainPID"))
    return open_file_limit(pid) if pid else None


class _Timex(ctypes.Structure):
    """struct timex of the kernel, up to the fields that are read here and with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_long * 32),
    )


def clock_synchronized() -> bool | None:
    """Return whether the kernel's clock is kept by a time source, by the measure of timedatectl; None if not told."""
    try:
        timex = _Timex()
        if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    error_us: int = timex.maxerror
    return error_us < 16 * 1000 * 1000
