# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test host with what no container has: two sockets of its own.

A virtual machine in software, which needs no hardware support.

Its kernel sees two NUMA nodes, each with a socket of four cores of two threads, half of the memory and one PCI
display device in the place of
a GPU. It lies in build/machines/<name>; its disk is a throw-away copy of the image, which is built once for each
recipe. Called by
molecule/numa; commands are idempotent and print one line for each thing that they changed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

from hosts import (
    IMAGE_RECIPE,
    REPOSITORY,
    HostsError,
    alone,
    archive,
    changed,
    ensure_keys,
    fake_gpus,
    host_files,
    image_name,
    json,
    run,
    wait_for,
)

MACHINES = REPOSITORY / "build/machines"
NODES = 2
CPUS_PER_NODE = 8
MEMORY_PER_NODE = "1G"
# : The NUMA node of each GPU, by PCI address: the wrong way round, so that the order of GPUs tells nothing about their
# nodes.
GPU_NODES = [1, 0]
# : The buses of the host bridges that the GPUs are behind; the firmware gives the bus behind the bridge's port the next
# number.
GPU_BUSES = [0x40, 0x80]
BOOT_SECONDS = 420


def ensure_image() -> Path:
    """Kernel, initrd and disk, in a folder that is named by what they are made from."""
    folder = MACHINES / "images" / image_name().partition(":")[2]
    if not (folder / "disk.ext4").exists():
        if os.geteuid() != 0:
            raise HostsError(
                f"the machine's image is missing and only root can build it: sudo {IMAGE_RECIPE} machine {folder}"
            )
        shutil.rmtree(folder.parent, ignore_errors=True)
        run(IMAGE_RECIPE, "machine", folder)
        changed(f"image {folder} built")
    return folder


def gpus(name: str) -> list[dict]:
    """GPUs at the addresses of the display devices; where these are in the machine only its kernel tells."""
    found = fake_gpus(name, len(GPU_NODES))
    for gpu, bus in zip(found, GPU_BUSES):
        gpu.update(bus_id=f"00000000:{bus + 1:02X}:00.0", cpu_affinity=None, numa_affinity=None)
    return found


def write_files(path: Path, name: str) -> None:
    """The archive that the machine unpacks over its root folder when it boots."""
    files = host_files(name, len(GPU_NODES))
    files["/etc/autonomys-fakes/gpus.json"] = (0o644, (json.dumps(gpus(name), indent=2) + "\n").encode())
    path.write_bytes(archive(files))


def command(name: str, folder: Path, image: Path, port: int) -> list[str]:
    """The machine as qemu's command line."""
    cpus = NODES * CPUS_PER_NODE
    result = ["qemu-system-x86_64", "-name", f"autonomys-{name}", "-nodefaults", "-no-user-config", "-display", "none"]
    # A processor of a maker whose threads Linux recognizes, and without the features for which it would load modules
    # that nobody needs.
    result += ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem,+rdrand"]
    result += ["-smp", f"{cpus},sockets={NODES},cores={CPUS_PER_NODE // 2},threads=2"]
    result += ["-m", f"{NODES}G"]
    for node in range(NODES):
        first = node * CPUS_PER_NODE
        result += ["-object", f"memory-backend-ram,id=memory{node},size={MEMORY_PER_NODE}"]
        result += ["-numa", f"node,nodeid={node},cpus={first}-{first + CPUS_PER_NODE - 1},memdev=memory{node}"]
    result += ["-numa", "dist,src=0,dst=1,val=21"]
    for number, (node, bus) in enumerate(zip(GPU_NODES, GPU_BUSES)):
        result += ["-device", f"pxb-pcie,id=bridge{number},bus_nr={bus},numa_node={node},bus=pcie.0"]
        result += ["-device", f"pcie-root-port,id=port{number},bus=bridge{number},chassis={number},slot={number}"]
        result += ["-device", f"bochs-display,bus=port{number}"]
    for number, (file, options) in enumerate(
        [(image / "disk.ext4", "snapshot=on,cache=unsafe"), (folder / "files.tar", "readonly=on")]
    ):
        result += [
            "-drive",
            f"id=disk{number},if=none,format=raw,file={file},{options}",
            "-device",
            f"virtio-blk-pci,drive=disk{number},bus=pcie.0",
        ]
    # No way out of the machine; the only way in is this one.
    result += [
        "-netdev",
        f"user,id=network,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device",
        "virtio-net-pci,netdev=network,bus=pcie.0",
    ]
    result += ["-device", "virtio-rng-pci,bus=pcie.0"]
    result += ["-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd")]
    # Without what only makes emulated processors slower: guards against neighbours, self-tests, watchdogs.
    quick = "quiet mitigations=off cryptomgr.notests nowatchdog random.trust_cpu=on"
    result += ["-append", f"root=/dev/vda rootfstype=ext4 rw console=ttyS0 systemd.hostname={name} {quick}"]
    return [*result, "-serial", f"file:{folder / 'console.log'}", "-pidfile", str(folder / "pid"), "-daemonize"]


def running(folder: Path) -> int | None:
    """The number of the machine's process; a number that somebody else has by now does not count."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((folder / "pid").read_text())
        if str(folder / "pid").encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return pid
    return None


def create(options: argparse.Namespace) -> None:
    if shutil.which("qemu-system-x86_64") is None:
        raise HostsError("qemu-system-x86_64 is missing (Debian: apt-get install qemu-system-x86)")
    folder = MACHINES / options.name
    if running(folder) is None:
        with alone():
            ensure_keys()
        image = ensure_image()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_files(folder / "files.tar", options.name)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", options.port))
            except OSError as error:
                raise HostsError(
                    f"port {options.port}, which the machine is to be reached by, is in use: {error}"
                ) from error
        run(*command(options.name, folder, image, options.port))
        changed(f"{options.name} started")
    try:
        wait_for("127.0.0.1", options.port, b"SSH-2.0", seconds=BOOT_SECONDS)
    except HostsError as error:
        console = (folder / "console.log").read_text(errors="replace")[-3000:]
        raise HostsError(f"{error}; the end of its console:\n{console}") from error


def destroy(options: argparse.Namespace) -> None:
    folder = MACHINES / options.name
    pid = running(folder)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        while running(folder) is not None:
            time.sleep(0.1)
        changed(f"{options.name} removed")
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for function in (create, destroy):
        sub = commands.add_parser(function.__name__)
        sub.set_defaults(function=function)
        sub.add_argument("--name", required=True)
        if function is create:
            sub.add_argument(
                "--port", type=int, required=True, help="port of this machine's loopback that leads to SSH"
            )
    options = parser.parse_args()
    try:
        options.function(options)
    except HostsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
