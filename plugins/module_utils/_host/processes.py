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

from .._cpuset import format_cpu_list, parse_cpu_list

_DELETED = " (deleted)"
_TCP_ESTABLISHED = "01"
_TCP_LISTEN = "0A"


def _read(*parts):
    try:
        with open(os.path.join(*parts), "rb") as handle:
            return handle.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _readlink(*parts):
    try:
        # a name may be any bytes, but what we return must be text
        return os.fsencode(os.readlink(os.path.join(*parts))).decode("utf-8", "replace")
    except OSError:
        return ""


def _listdir(*parts):
    try:
        return os.listdir(os.path.join(*parts))
    except OSError:
        return []


def parents(root="/proc"):
    """Give ``{pid: parent pid}`` of all processes."""
    result = {}
    for entry in _listdir(root):
        if entry.isdigit():
            # the name of the program stands in brackets and may hold anything, brackets too
            fields = _read(root, entry, "stat").rpartition(")")[2].split()
            if len(fields) > 1:
                result[int(entry)] = int(fields[1])
    return result


def own_processes(root="/proc"):
    """Give the name and the command line of all processes of this machine: what runs in a container on it is another machine's."""
    own = _readlink(root, "self", "ns", "pid")
    # Who is not root cannot look into every process, and takes it for an own one.
    pids = [entry for entry in _listdir(root) if entry.isdigit() and _readlink(root, entry, "ns", "pid") in ("", own)]
    return [(_read(root, pid, "comm"), _read(root, pid, "cmdline")) for pid in pids]


def tree(pid, parent_of):
    """Give *pid* and all its descendants, from the result of :func:`parents`."""
    children = {}
    for child, parent in parent_of.items():
        children.setdefault(parent, []).append(child)
    found = []
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        if current in parent_of and current not in found:
            found.append(current)
            waiting.extend(children.get(current, []))
    return sorted(found)


def cpus_allowed(pids, root="/proc"):
    """Give the CPUs that any thread of *pids* may use, in the kernel's list format; None when nothing can be read."""
    masks = set()
    for pid in pids:
        for task in _listdir(root, str(pid), "task"):
            match = re.search(
                r"^Cpus_allowed_list:\s*(\S+)", _read(root, str(pid), "task", task, "status"), re.MULTILINE
            )
            if match:
                masks.add(match.group(1))
    return format_cpu_list(set().union(*[parse_cpu_list(mask) for mask in masks])) if masks else None


def memory_policy(pids, root="/proc"):
    """Give the NUMA memory policies of *pids* (``local``, ``default``, ``bind:0`` …, joined by commas), None if unknown."""
    policies = set()
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


def environment(pid, prefixes, root="/proc"):
    """Give the variables of the process's environment that begin with one of *prefixes*."""
    result = {}
    for item in _read(root, str(pid), "environ").split("\0"):
        name, equals, value = item.partition("=")
        if equals and name.startswith(tuple(prefixes)):
            result[name] = value
    return result


def executable(pid, root="/proc"):
    """Give the path of the program and whether that file was deleted or replaced since it was started."""
    path = _readlink(root, str(pid), "exe")
    if path.endswith(_DELETED):
        return path[: -len(_DELETED)], True
    return path or None, False


def open_file_limit(pid, root="/proc"):
    """Give the soft limit of open files, None when it is unlimited or cannot be read."""
    match = re.search(r"^Max open files\s+(\d+)", _read(root, str(pid), "limits"), re.MULTILINE)
    return int(match.group(1)) if match else None


def descriptors(pid, root="/proc"):
    """Give how many files the process has open, the paths of those that are regular files, and the inodes of its sockets."""
    count = 0
    files = set()
    sockets = set()
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


def _decode_address(text):
    """Decode an address as in ``/proc/net/tcp``: 32-bit words in the machine's (little endian) order."""
    host, port = text.split(":")
    raw = bytes.fromhex(host)
    raw = b"".join(raw[index : index + 4][::-1] for index in range(0, len(raw), 4))
    address = ipaddress.ip_address(raw)
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address, int(port, 16)


def sockets_of(pid, root="/proc"):
    """Give ``{inode: (state, local, remote)}``, undecoded, of the TCP sockets in the network namespace of *pid*."""
    result = {}
    for name in ("tcp", "tcp6"):
        for line in _read(root, str(pid), "net", name).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] in (_TCP_LISTEN, _TCP_ESTABLISHED):
                result[fields[9]] = (fields[3], fields[1], fields[2])
    return result


def connections(inodes, table):
    """Give the listening ports and the remote ends of established connections among the sockets *inodes*."""
    listening = set()
    connected = set()
    for inode in inodes:
        state, local, remote = table.get(inode, (None, None, None))
        if state == _TCP_LISTEN:
            listening.add(_decode_address(local)[1])
        elif state == _TCP_ESTABLISHED:
            address, port = _decode_address(remote)
            connected.add(("[%s]:%d" if address.version == 6 else "%s:%d") % (address, port))
    return sorted(listening), sorted(connected)


def evidence(pid, parent_of, socket_tables, prefixes=("CUDA_", "GPU_"), root="/proc"):
    """Give everything about the process *pid* and its descendants that a health check asks for.

    *parent_of* is the result of :func:`parents`; *socket_tables* is a dictionary that keeps what was read of a network
    namespace, so that several programs of a host cost one reading.
    """
    namespace = _readlink(root, str(pid), "ns", "net") or pid
    if namespace not in socket_tables:
        socket_tables[namespace] = sockets_of(pid, root)
    pids = tree(pid, parent_of)
    files = set()
    sockets = set()
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


def gpus_by_pid(text):
    """Read ``nvidia-smi --query-compute-apps=pid,gpu_uuid --format=csv,noheader``: ``{pid: [uuid, …]}``."""
    result = {}
    for line in text.splitlines():
        pid, _comma, uuid = line.partition(",")
        if pid.strip().isdigit() and uuid.strip():
            result.setdefault(int(pid), []).append(uuid.strip())
    return result


def owner(pid, root="/proc"):
    """Give ``{program, command}`` of a process: the supervised program that it belongs to, None for none, and the beginning of its command line.

    None where it cannot be told: the process is gone, or not ours to look at.
    """
    environ, command = _read(root, str(pid), "environ"), _read(root, str(pid), "cmdline")
    if not environ or not command:
        return None
    variables = dict(item.split("=", 1) for item in environ.split("\0") if "=" in item)
    # supervisord tells each program its name, and its children inherit that.
    return {
        "program": variables.get("SUPERVISOR_PROCESS_NAME"),
        "command": " ".join(command.split("\0")[:3]).strip()[:120],
    }
