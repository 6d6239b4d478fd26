# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What ``/proc`` tells about a process and its descendants. ``root`` (default ``/proc``) may be a recorded tree.

A process can end at any moment, so everything that cannot be read counts as not there.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from typing import Dict, Iterable, Mapping, Sequence, Tuple, TypedDict, Union

from .._cpuset import CpuSetError, format_cpu_list, parse_cpu_list
from .files import read_bytes
from .parse import natural

IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
SocketTable = Dict[str, Tuple[str, str, str]]
"""Inode to state, local and remote address of a TCP socket, undecoded."""

_DELETED = " (deleted)"
# Bytes that are read at most. A process can make its own command line as long as its memory.
_MAX_READ = 16 * 1024 * 1024
_MAX_COMMAND_LINE = 128 * 1024
_TCP_ESTABLISHED = "01"
_TCP_LISTEN = "0A"
_UNIX_LISTEN = "00010000"


class Evidence(TypedDict):
    """What a health check asks about a process and its descendants."""

    pids: list[int]
    cpus_allowed: str | None
    memory_policy: str | None
    environment: dict[str, str]
    listening: list[int]
    connected: list[str]
    open_files: list[str]
    open_file_limit: int | None
    fd_count: int
    executable: str | None
    executable_deleted: bool


class Owner(TypedDict):
    """Whose process it is: the supervised program that it belongs to, and the beginning of its command line."""

    program: str | None
    command: str


def _read(*parts: str, most: int = _MAX_READ) -> str:
    try:
        return read_bytes(os.path.join(*parts), most).decode("utf-8", "replace")
    except OSError:
        return ""


def _readlink(*parts: str) -> str:
    try:
        # a name may be any bytes, but what we return must be text
        return os.fsencode(os.readlink(os.path.join(*parts))).decode("utf-8", "replace")
    except OSError:
        return ""


def _listdir(*parts: str) -> list[str]:
    try:
        return os.listdir(os.path.join(*parts))
    except OSError:
        return []


def parents(root: str = "/proc") -> dict[int, int]:
    """Return ``{pid: parent pid}`` of all processes."""
    result = {}
    for entry in _listdir(root):
        pid = natural(entry)
        if pid is not None:
            # the program's name is in brackets and may hold anything, brackets too
            fields = _read(root, entry, "stat").rpartition(")")[2].split()
            parent = natural(fields[1]) if len(fields) > 1 else None
            if parent is not None:
                result[pid] = parent
    return result


def own_processes(root: str = "/proc") -> list[tuple[str, str]]:
    """Return the name and the command line of all processes of this machine.

    What runs in a container on it is another machine's. A user other than root cannot look into every process; those
    count as this machine's.
    """
    return [(_read(root, pid, "comm"), _read(root, pid, "cmdline", most=_MAX_COMMAND_LINE)) for pid in _own_pids(root)]


def command_lines(root: str = "/proc") -> dict[int, list[str]]:
    """Return ``{pid: the words of its command line}`` of all processes of this machine, as ``own_processes``."""
    lines = {int(pid): _read(root, pid, "cmdline", most=_MAX_COMMAND_LINE) for pid in _own_pids(root)}
    return {pid: line.rstrip("\0").split("\0") for pid, line in lines.items() if line}


def _own_pids(root: str) -> list[str]:
    own = _readlink(root, "self", "ns", "pid")
    pids = [entry for entry in _listdir(root) if natural(entry) is not None]
    return [pid for pid in pids if _readlink(root, pid, "ns", "pid") in ("", own)]


def tree(pid: int, parent_of: Mapping[int, int]) -> list[int]:
    """Return *pid* and all its descendants, from the result of :func:`parents`."""
    children: dict[int, list[int]] = {}
    for child, parent in parent_of.items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        if current in parent_of and current not in found:
            found.append(current)
            waiting.extend(children.get(current, []))
    return sorted(found)


def cpus_allowed(pids: Iterable[int], root: str = "/proc") -> str | None:
    """Return the CPUs that any thread of *pids* may use, in the kernel's list format; None when nothing can be read."""
    masks: set[str] = set()
    for pid in pids:
        for task in _listdir(root, str(pid), "task"):
            status = _read(root, str(pid), "task", task, "status")
            match = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.MULTILINE)
            if match:
                masks.add(match.group(1))
    try:
        return format_cpu_list(frozenset().union(*[parse_cpu_list(mask) for mask in masks])) if masks else None
    except CpuSetError:
        return None


def memory_policy(pids: Iterable[int], root: str = "/proc") -> str | None:
    """Return the NUMA memory policies of *pids*, joined by commas, such as ``local`` or ``bind:0``; None if unknown."""
    policies: set[str] = set()
    for pid in pids:
        try:
            # The kernel walks the pages of every mapping that is read from here: the first lines must do.
            with open(os.path.join(root, str(pid), "numa_maps"), "rb", buffering=0) as handle:
                fields = handle.read(512).split(b"\n", 1)[0].split()
        except OSError:
            continue
        if len(fields) > 1:
            policies.add(fields[1].decode("ascii", "replace"))
    return ",".join(sorted(policies)) if policies else None


def environment(pid: int, prefixes: Iterable[str], root: str = "/proc") -> dict[str, str]:
    """Return the variables of the process's environment that begin with one of *prefixes*."""
    result = {}
    for item in _read(root, str(pid), "environ").split("\0"):
        name, equals, value = item.partition("=")
        if equals and name.startswith(tuple(prefixes)):
            result[name] = value
    return result


def executable(pid: int, root: str = "/proc") -> tuple[str | None, bool]:
    """Return the path of the program and whether that file was deleted or replaced since it was started."""
    path = _readlink(root, str(pid), "exe")
    if path.endswith(_DELETED):
        return path[: -len(_DELETED)], True
    return path or None, False


def open_file_limit(pid: int, root: str = "/proc") -> int | None:
    """Return the soft limit of open files, None when it is unlimited or cannot be read."""
    match = re.search(r"^Max open files\s+([0-9]{1,18})\s", _read(root, str(pid), "limits"), re.MULTILINE)
    return int(match.group(1)) if match else None


def descriptors(pid: int, root: str = "/proc") -> tuple[int, set[str], set[str]]:
    """Return how many files the process has open, the paths of the regular ones, and the inodes of its sockets."""
    count = 0
    files: set[str] = set()
    sockets: set[str] = set()
    folder = os.path.join(root, str(pid), "fd")
    for entry in _listdir(folder):
        target = _readlink(folder, entry)
        if not target:
            continue
        count += 1
        if target.startswith("socket:["):
            sockets.add(target[len("socket:[") : -1])
        elif target.startswith("/") and not target.endswith(_DELETED):
            try:
                if stat.S_ISREG(os.stat(os.path.join(folder, entry)).st_mode):
                    files.add(target)
            except OSError:
                continue
    return count, files, sockets


def _decode_address(text: str) -> tuple[IPAddress, int]:
    """Decode an address as in ``/proc/net/tcp``: 32-bit words in the machine's (little endian) order."""
    host, port = text.split(":")
    raw = bytes.fromhex(host)
    raw = b"".join(raw[index : index + 4][::-1] for index in range(0, len(raw), 4))
    address = ipaddress.ip_address(raw)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address, int(port, 16)


def sockets_of(pid: int, root: str = "/proc") -> SocketTable:
    """Return ``{inode: (state, local, remote)}`` of the TCP sockets in the network namespace of *pid*."""
    result: SocketTable = {}
    for name in ("tcp", "tcp6"):
        for line in _read(root, str(pid), "net", name).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] in (_TCP_LISTEN, _TCP_ESTABLISHED):
                result[fields[9]] = (fields[3], fields[1], fields[2])
    return result


def unix_sockets(pid: int, root: str = "/proc") -> list[str]:
    """Return the paths of the sockets of the machine itself on which a process listens, sorted."""
    _count, _files, inodes = descriptors(pid, root)
    found = set()
    for line in _read(root, str(pid), "net", "unix").split("\n")[1:]:
        fields = line.split(None, 7)
        if len(fields) == 8 and fields[3] == _UNIX_LISTEN and fields[6] in inodes:
            # supervisord binds to a path of its own, and renames that.
            found.add(re.sub(r"\.[0-9]+\Z", "", fields[7]))
    return sorted(found)


def connections(inodes: Iterable[str], table: SocketTable) -> tuple[list[int], list[str]]:
    """Return the listening ports and the remote ends of established connections among the sockets *inodes*."""
    listening: set[int] = set()
    connected: set[str] = set()
    for inode in inodes:
        state, local, remote = table.get(inode, ("", "", ""))
        if state == _TCP_LISTEN:
            listening.add(_decode_address(local)[1])
        elif state == _TCP_ESTABLISHED:
            address, port = _decode_address(remote)
            connected.add(f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}")
    return sorted(listening), sorted(connected)


def evidence(
    pid: int,
    parent_of: Mapping[int, int],
    socket_tables: dict[int | str, SocketTable],
    prefixes: Sequence[str] = ("CUDA_", "GPU_"),
    root: str = "/proc",
) -> Evidence:
    """Return everything about the process *pid* and its descendants that a health check asks for.

    *parent_of* is the result of :func:`parents`; *socket_tables* is a dictionary that keeps what was read of a network
    namespace, so that several programs of a host cost one reading.
    """
    namespace = _readlink(root, str(pid), "ns", "net") or pid
    if namespace not in socket_tables:
        socket_tables[namespace] = sockets_of(pid, root)
    pids = tree(pid, parent_of)
    files: set[str] = set()
    sockets: set[str] = set()
    for member in pids:
        _count, member_files, member_sockets = descriptors(member, root)
        files |= member_files
        sockets |= member_sockets
    listening, connected = connections(sockets, socket_tables[namespace])
    path, deleted = executable(pid, root)
    return {
        "pids": pids,
        "cpus_allowed": cpus_allowed(pids, root),
        "memory_policy": memory_policy(pids, root),
        "environment": environment(pid, prefixes, root),
        "listening": listening,
        "connected": connected,
        "open_files": sorted(files),
        "open_file_limit": open_file_limit(pid, root),
        "fd_count": descriptors(pid, root)[0],
        "executable": path,
        "executable_deleted": deleted,
    }


def owner(pid: int, root: str = "/proc") -> Owner | None:
    """Return whose process it is, None where it cannot be told: the process is gone, or not ours to look at."""
    environ = _read(root, str(pid), "environ")
    command = _read(root, str(pid), "cmdline", most=_MAX_COMMAND_LINE)
    if not environ or not command:
        return None
    variables = dict(item.split("=", 1) for item in environ.split("\0") if "=" in item)
    # supervisord tells each program its name, and its children inherit that.
    return {
        "program": variables.get("SUPERVISOR_PROCESS_NAME"),
        "command": " ".join(command.split("\0")[:3]).strip()[:120],
    }
