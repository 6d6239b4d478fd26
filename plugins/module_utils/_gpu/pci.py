# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads the PCI bus in sysfs: NVIDIA's display devices, where a device is attached, and network cards."""

from __future__ import annotations

import os
import re
from typing import Any, Collection, Iterable, Mapping, NamedTuple, TypedDict

from .._cpuset import CpuSet
from .._host.files import Host

DEVICES = "/sys/bus/pci/devices"
NVIDIA_VENDOR = "0x10de"
DISPLAY = "0x03"
_PASSTHROUGH = ("vfio-pci", "pci-stub", "xen-pciback")
_ADDRESS_RE = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\Z")


class Nic(TypedDict):
    """A network card."""

    name: str
    bus_id: str
    numa_node: int | None
    speed_mbps: int | None


class Place(NamedTuple):
    """Where a device is attached: its NUMA node and the CPUs near it, each None when it is not told."""

    node: int | None
    cpus: CpuSet | None


def pci_gpus(host: Host) -> list[str]:
    """Return the PCI addresses of NVIDIA's display devices, in PCI order."""
    found = []
    for name in host.names(DEVICES, _ADDRESS_RE.pattern):
        if not (host.read(f"{DEVICES}/{name}/class") or "").startswith(("0x0300", "0x0302")):
            continue
        # Every kernel has the vendor; recordings that left it out are taken at their word.
        if host.read(f"{DEVICES}/{name}/vendor") in (NVIDIA_VENDOR, None):
            found.append(name)
    return sorted(found, key=lambda name: [int(part, 16) for part in re.split("[:.]", name)])


def unlisted_gpus(host: Host, listed: Collection[str | None]) -> tuple[list[str], list[str]]:
    """Return a sentence for each NVIDIA GPU on the PCI bus that is missing from nvidia-smi's list.

    Those that are lost come first, then those that virtual machines have.
    """
    present = pci_gpus(host)
    lost: list[str] = []
    given: list[str] = []
    # Without any of the listed ones on the bus this is a container that sees another machine's sysfs.
    for bus_id in present if set(present).intersection(listed) else []:
        driver = _driver_of(host, bus_id)
        if bus_id in listed:
            continue
        sentence = _held_by(bus_id, driver) or (
            f"the NVIDIA device {bus_id} is on the PCI bus but nvidia-smi does not list it: "
            "look for Xid messages in dmesg"
        )
        (given if driver in _PASSTHROUGH else lost).append(sentence)
    return lost, given


def foreign_drivers(host: Host) -> list[str]:
    """Return a sentence for each NVIDIA GPU on the PCI bus that another driver than NVIDIA's has."""
    return list(filter(None, (_held_by(bus_id, _driver_of(host, bus_id)) for bus_id in pci_gpus(host))))


def _held_by(bus_id: str, driver: str | None) -> str | None:
    """Return what a driver other than NVIDIA's means for a GPU, None for NVIDIA's and where none is known."""
    if driver is None or driver.startswith("nvidia"):
        return None
    if driver in _PASSTHROUGH:
        return f"the NVIDIA device {bus_id} is bound to {driver}, which keeps it for virtual machines"
    return f"the NVIDIA device {bus_id} is bound to {driver}: unbind that so that NVIDIA's driver can take it"


def _driver_of(host: Host, bus_id: str) -> str | None:
    """Return the name of the driver that a device is bound to, None when it is bound to none."""
    try:
        return os.path.basename(os.readlink(str(host.path(f"{DEVICES}/{bus_id}/driver"))))
    except OSError:
        return None


def mig_gpus(host: Host, gpus: Iterable[Mapping[str, Any]], divided: Collection[int] = ()) -> list[str]:
    """Return a sentence for each GPU that MIG divides; *divided* are the indexes of those that are in its mode."""
    found = []
    for gpu in gpus:
        information = host.read(f"/proc/driver/nvidia/gpus/{gpu['bus_id']}/information") or ""
        minor = re.search(r"^Device Minor:\s*([0-9]+)", information, re.MULTILINE)
        if minor and host.names(f"/proc/driver/nvidia/capabilities/gpu{minor.group(1)}/mig", r"gi[0-9]+\Z"):
            found.append(
                f"GPU{gpu['index']} ({gpu['bus_id']}) is divided by MIG: a program that is given its UUID gets the "
                "first instance only; switch MIG off (nvidia-smi -mig 0) for a plot server to use all of it"
            )
        elif gpu["index"] in divided:
            found.append(
                f"GPU{gpu['index']} ({gpu['bus_id']}) is in MIG mode and has no instance, so no program can use it: "
                f"switch MIG off (nvidia-smi -i {gpu['index']} -mig 0)"
            )
    return found


def read_place(host: Host, bus_id: str | None) -> Place | None:
    """Return where a GPU of nvidia-smi is attached, None when it is not on the bus of this sysfs."""
    folder = f"{DEVICES}/{bus_id}"
    node = host.integer(folder + "/numa_node")
    cpus = host.cpus(folder + "/local_cpulist", folder + "/local_cpus")
    if cpus is None and node is None:
        return None
    # The address is nvidia-smi's own. Where something else than a display device is there, the bus is not the one that
    # nvidia-smi speaks of, as in a container that sees another machine's sysfs. The maker does not matter: a bridge or
    # an emulator may show its own.
    maker, kind = host.read(folder + "/vendor"), host.read(folder + "/class") or ""
    if maker not in (NVIDIA_VENDOR, None) and not kind.startswith(DISPLAY):
        return None
    return Place(node if node is not None and node >= 0 else None, cpus)


def read_nics(host: Host) -> list[Nic]:
    """Return the network and InfiniBand cards on the PCI bus, by name."""
    nics: dict[str, Nic] = {}
    for kind in ("net", "infiniband"):
        for name in host.names("/sys/class/" + kind):
            folder = f"/sys/class/{kind}/{name}"
            bus_id = _pci_parent(host, folder + "/device")
            if bus_id is None or (kind == "infiniband" and any(nic["bus_id"] == bus_id for nic in nics.values())):
                continue
            node = host.integer(f"{DEVICES}/{bus_id}/numa_node")
            speed = host.integer(folder + "/speed")
            nics[name] = {
                "name": name,
                "bus_id": bus_id,
                "numa_node": node if node is not None and node >= 0 else None,
                "speed_mbps": speed if speed is not None and speed > 0 else None,
            }
    return [nics[name] for name in sorted(nics)]


def _pci_parent(host: Host, device: str) -> str | None:
    """Return the PCI address of the device that a sysfs link points to or below, None when it is on no PCI bus."""
    path = host.path(device)
    if not path.exists():
        return None
    for part in reversed(path.resolve().parts):
        if _ADDRESS_RE.match(part):
            return part
    return None
