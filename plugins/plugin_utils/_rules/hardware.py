# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Rules about what the machines have: memory, processors, network, and room for data."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import parse_size

from .view import ERROR, HOST, INFO, WARNING, Rule, finding, names

RULES = {
    "HOST006": Rule(WARNING, "host", "A host has little memory"),
    "HOST007": Rule(INFO, "host", "A host has few CPUs"),
    "HOST008": Rule(WARNING, "host", "A network link is slow"),
    "DISK011": Rule(WARNING, "host", "A disk is small for its data"),
    "DISK012": Rule(ERROR, "host", "A folder's filesystem is unsuitable"),
}

GB = 10**9
MIB, GIB = 2**20, 2**30

# What the tutorial asks for.
MEMORY_GPU = MEMORY_NODE = 64 * GB
NODE_CPUS = 64
NODE_LINK = 1000
# A sector is about 1.06 GB in and as much out, and a fast GPU makes one in about 3 seconds.
GPU_LINK = 3000

# Filesystems that end with the host, or with the network.
FLEETING = ("tmpfs", "ramfs")
REMOTE = ("nfs", "nfs4", "cifs", "fuse.sshfs")


def check(view):
    for host, facts in view.read("host"):
        if view.components(host):
            yield from _memory(view, host, facts)
            yield from _link(view, host, facts)
            yield from _folders(view, host, facts.get("disks") or {})
            cpus = facts.get("cpus")
            if "node" in view.components(host) and cpus is not None and cpus < NODE_CPUS:
                message = f"The host has {cpus} CPUs; {NODE_CPUS} are recommended for a node with its controller and proof server"
                yield finding(
                    "HOST007",
                    [host],
                    "node",
                    message,
                    "Accept this finding if blocks are imported and proofs computed in time.",
                )


def _gpus(view, host):
    """Number of GPUs that plot on a host, None where it is not known."""
    listed = view.value(host, "plot_server_gpus")
    if listed:
        return len(listed)
    answer = (view.facts.get(host) or {}).get("gpus")
    return len((answer.get("topology") or {}).get("gpus") or []) if answer and not answer.get("gpu_error") else None


def _memory(view, host, facts):
    memory = facts.get("memory_mib")
    if memory is None:
        return
    wanted, why, component = 0, [], None
    gpus = _gpus(view, host) if "plot_server" in view.components(host) else None
    if gpus:
        wanted, why, component = gpus * MEMORY_GPU, [f"64 GB for each of {gpus} GPUs"], "plot_server"
    if "node" in view.components(host):
        wanted, why, component = wanted + MEMORY_NODE, why + ["64 GB for the node"], component or "node"
    if memory * MIB < wanted:
        message = f"The host has {memory * MIB / GB:.1f} GB of memory; {' and '.join(why)} are wanted"
        yield finding(
            "HOST006",
            [host],
            component,
            message,
            f"Add memory{(', or list fewer GPUs in plot_server_gpus' if gpus else '')}.",
        )


def _link(view, host, facts):
    interface = next(
        (
            each
            for each in facts.get("interfaces") or []
            if view.address(host) in [address.split("/")[0] for address in each["addresses"]]
        ),
        None,
    )
    speed = (interface or {}).get("speed_mbps")
    if speed is None:
        return
    needs = []
    if "node" in view.components(host):
        needs.append((NODE_LINK, "a node wants"))
    if "plot_server" in view.components(host) and _gpus(view, host):
        needs.append((_gpus(view, host) * GPU_LINK, f"{_gpus(view, host)} GPUs plot"))
    if "plot_client" in view.components(host):
        all_gpus = [_gpus(view, plotter) for plotter in view.members("plot_server")]
        if all_gpus and None not in all_gpus:
            storages = len(view.members("plot_client"))
            needs.append(
                (
                    sum(all_gpus) * GPU_LINK // storages,
                    f"{sum(all_gpus)} GPUs plot for {storages} storage hosts, to each",
                )
            )
    for need, why in needs:
        if speed < need:
            message = f"{interface['name']} has {speed} Mbit/s; {why} about {need} Mbit/s each way"
            yield finding(
                "HOST008",
                [host],
                HOST,
                message,
                "Use a faster link for cluster_address, or accept that plotting waits for it.",
            )


def _folders(view, host, disks):
    needs = {}
    for component in view.components(host):
        for name, room in COMPONENTS[component].folders:
            path = view.value(host, name)
            disk = disks.get(path)
            if disk is None:
                continue
            if disk.get("error"):
                message = f"{path} ({name}, {disk['device']}) cannot be read: {disk['error']}"
                yield finding("DISK010", [host], component, message, "Look for errors of the disk with dmesg.")
                continue
            yield from _unsuitable(host, component, name, path, disk)
            wanted = room if isinstance(room, int) else _size_of(view.value(host, room))
            if wanted:
                needs.setdefault((disk["mountpoint"], disk["device"]), []).append((component, path, wanted, disk))
    for (mountpoint, device), entries in sorted(needs.items()):
        yield from _room(host, mountpoint, device, entries)


def _size_of(value):
    try:
        return parse_size(value)
    except (TypeError, ValueError):
        return None


def _unsuitable(host, component, name, path, disk):
    if disk["read_only"]:
        message = f"{path} ({name}) is on a filesystem that is mounted read-only ({disk['device']})"
        yield finding(
            "DISK012",
            [host],
            component,
            message,
            "Look for errors of the disk with dmesg, repair the filesystem and mount it writable.",
        )
    elif disk["fstype"] in FLEETING + REMOTE:
        fate = "is lost when the host restarts" if disk["fstype"] in FLEETING else "depends on the network"
        message = f"{path} ({name}) is on {disk['fstype']}: its data {fate}"
        yield finding("DISK012", [host], component, message, "Use a folder on a local disk.", WARNING)


def _room(host, mountpoint, device, entries):
    """Whether the folders of one filesystem together find the room that they want, with what they hold already."""
    disk = entries[0][3]
    used = [entry[3]["used"] for entry in entries]
    room = disk["size"] if None in used else disk["available"] + sum(used)
    wanted = sum(entry[2] for entry in entries)
    if room < wanted:
        parts = [f"{_size(bytes_)} for {component} ({path})" for component, path, bytes_, _disk in entries]
        message = f"{mountpoint} ({device}) has {_size(room)}; wanted are {names(parts)}"
        components = sorted({entry[0] for entry in entries})
        remedy = "Mount a larger disk there, or give the folders another place before there is data in them."
        if "nats" in components:
            remedy += " nats_jetstream_max_file says how much JetStream may take."
        yield finding("DISK011", [host], components[0] if len(components) == 1 else HOST, message, remedy)


def _size(number):
    return f"{number / GIB:.1f} GiB"
