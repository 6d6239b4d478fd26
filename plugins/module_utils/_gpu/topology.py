# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads a host's CPUs, NUMA nodes, caches, NICs and GPUs: the contract of gpu_topology_info.

Files are read below a root folder and commands go through a runner, so that a recorded tree is read by the same code
as a live host. sysfs is the authority; where nvidia-smi or NVML says something else, sysfs is used and a warning tells
what differed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from .._cpuset import CpuSet, CpuSetError, format_cpu_list, parse_cpu_list
from .._host.commands import Run, run_command
from .._host.files import Host
from .commands import Answers, ask_driver, mig_modes
from .cpus import Cpus, read_cpus
from .nvidia_smi import ListedGpu, Row
from .pci import Nic, foreign_drivers, mig_gpus, pci_gpus, read_nics, read_place, unlisted_gpus


class Gpu(ListedGpu):
    """A GPU with the NUMA node and the CPUs that it is near; ``cpus_source`` says who told."""

    numa_node: int | None
    cpus: str
    cpus_source: str
    links: dict[str, str]


class Topology(TypedDict):
    """A machine."""

    gpus: list[Gpu]
    nics: list[Nic]
    cpus: Cpus


class Reading(TypedDict):
    """A machine, why it has no GPU, and what is odd about it; ``lost`` are those warnings that name an unusable GPU."""

    topology: Topology
    gpu_error: str | None
    lost: list[str]
    warnings: list[str]


def read_topology(root: str | Path = "/", run: Run | None = None, timeout: float = 30) -> Reading:
    """Return ``{topology, gpu_error, lost, warnings}`` of the host whose files are below ``root``.

    Without ``run`` commands are run for ``/`` only: for a recorded tree the GPUs are then the display devices of its
    PCI bus.
    """
    host = Host(root)
    warnings: list[str] = []
    cpus, node_sets = read_cpus(host, warnings)
    online = parse_cpu_list(cpus["online"])
    live = run is not None or Path(root).resolve() == Path("/")
    answers = ask_driver(run or run_command, timeout, warnings) if live else _recorded(host)
    lost = [str(gpu) for gpu in answers.lost]
    error = answers.error
    if live and answers.gpus:
        known = {gpu["bus_id"] for gpu in answers.gpus} | {gpu.bus_id for gpu in answers.lost}
        unlisted, given = unlisted_gpus(host, known)
        lost += unlisted
        divided = mig_modes(run or run_command, answers.gpus, timeout)
        warnings += [*unlisted, *given, *mig_gpus(host, answers.gpus, divided)]
    elif live and error:
        error = "; ".join([error, *foreign_drivers(host)])
    places = _Places(host, online, node_sets, warnings)
    gpus = [
        places.gpu(gpu, answers.rows.get(f"GPU{gpu['index']}"), answers.nvml_cpus.get(gpu["index"]))
        for gpu in answers.gpus
    ]
    return {
        "topology": {"gpus": gpus, "nics": read_nics(host), "cpus": cpus},
        "gpu_error": error,
        "lost": lost,
        "warnings": warnings,
    }


def _recorded(host: Host) -> Answers:
    """Return the display devices on the PCI bus of a recorded tree as its GPUs."""
    gpus: list[ListedGpu] = [
        {"index": number, "uuid": None, "name": None, "bus_id": bus_id, "memory_mib": None, "driver_version": None}
        for number, bus_id in enumerate(pci_gpus(host))
    ]
    error = None if gpus else "the recorded tree has no NVIDIA display device on its PCI bus"
    return Answers(gpus, [], {}, {}, error)


class _Places:
    """Tells where GPUs are; what is odd is added to the warnings."""

    def __init__(self, host: Host, online: CpuSet, node_sets: dict[str, CpuSet], warnings: list[str]) -> None:
        self.host = host
        self.online = online
        self.node_sets = node_sets
        self.warnings = warnings

    def gpu(self, gpu: ListedGpu, row: Row | None, nvml_cpus: CpuSet | None) -> Gpu:
        """Return one GPU in the contract's shape; its place is from sysfs, else from NVML, else from nvidia-smi."""
        label = f"GPU{gpu['index']} ({gpu['bus_id']})"
        smi_cpus = _affinity(row["cpu_affinity"]) if row else None
        place = read_place(self.host, gpu["bus_id"])
        if place is not None:
            source = "sysfs"
            node = place.node
            cpus = place.cpus if place.cpus is not None else self.node_sets.get(str(node), frozenset())
            cpus &= self.online
            if node is None:
                node = self._node_of(cpus)
            if row:
                self._compare(label, cpus, node, row)
        elif nvml_cpus and nvml_cpus <= self.online:
            source, cpus, node = "nvml", nvml_cpus, self._node_of(nvml_cpus)
        elif smi_cpus and smi_cpus <= self.online:
            source, cpus, node = "nvidia-smi", smi_cpus, self._node_of(smi_cpus)
            self._warn_if_cut(label, row)
        else:
            source, cpus, node = "all", self.online, None
            if smi_cpus and row:
                self.warnings.append(
                    f"{label} is not on this host's PCI bus and nvidia-smi's CPUs {row['cpu_affinity']} "
                    "are not all online here: its node is unknown"
                )
        if node is None and len(self.node_sets) > 1:
            source, cpus = "all", self.online
        return {
            **gpu,
            "numa_node": node,
            "cpus": format_cpu_list(cpus),
            "cpus_source": source,
            "links": row["links"] if row else {},
        }

    def _node_of(self, cpus: CpuSet) -> int | None:
        """Return the number of the only node that holds these CPUs, None when there is none or no CPU."""
        holders = [number for number, node in self.node_sets.items() if cpus & node]
        return int(holders[0]) if len(holders) == 1 and cpus <= self.node_sets[holders[0]] else None

    def _warn_if_cut(self, label: str, row: Row | None) -> None:
        text = (row["cpu_affinity"] if row else None) or ""
        if text.count(",") == 5:
            self.warnings.append(
                f"{label} is not on this host's PCI bus; nvidia-smi's CPU list {text} has six ranges and may be cut"
            )

    def _compare(self, label: str, cpus: CpuSet, node: int | None, row: Row) -> None:
        """Warn where nvidia-smi says something else than sysfs about a GPU."""
        text = row["cpu_affinity"] or ""
        smi_cpus = _affinity(text)
        if smi_cpus is not None and smi_cpus & self.online != cpus:
            if text.count(",") == 5 and smi_cpus < cpus:
                self.warnings.append(
                    f"nvidia-smi's CPU list of {label} is cut after six ranges ({text}): "
                    f"sysfs was used ({format_cpu_list(cpus)})"
                )
            else:
                self.warnings.append(
                    f"nvidia-smi says that {label} is near the CPUs {text}, "
                    f"sysfs says {format_cpu_list(cpus) or 'none'}: sysfs was used"
                )
        numa = _affinity(row["numa_affinity"])
        if numa and node is not None and node not in numa:
            self.warnings.append(
                f"nvidia-smi says that {label} is on NUMA node {row['numa_affinity']}, "
                f"sysfs says {node}: sysfs was used"
            )


def _affinity(text: str | None) -> CpuSet | None:
    """Return nvidia-smi's CPUs as a set, None where they are unknown."""
    try:
        return parse_cpu_list(text) if text else None
    except CpuSetError:
        return None
