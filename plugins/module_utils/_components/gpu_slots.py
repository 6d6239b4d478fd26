# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Which GPU has which slot.

Name, port, folder, log and share of the cores belong to the slot, so that a GPU that goes, comes back or is replaced
changes its own plot server only.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence, Tuple, TypedDict

from .._cpuset import CpuSetError, parse_cpu_list
from .._gpu.numa_plan import PlannedGpu, numa_plan, pci_order
from . import names
from .common import Settings, Topology

Gpu = Mapping[str, Any]


class Slot(TypedDict):
    """What a program that is defined on a host tells of its slot; None where it does not say."""

    gpu: str | None
    cpus: str | None


# By the number of the slot.
Remembered = Mapping[int, Slot]


class SlotGpu(PlannedGpu):
    """A GPU of the plan with its slot."""

    slot: int
    # It is listed in plot_server_gpus, and not in the host.
    missing: bool


class SlotPlan(TypedDict):
    """``numa_plan``'s result for the GPUs that plot, in the order of their slots."""

    gpus: list[SlotGpu]
    pool: str
    score: dict[str, int]
    warnings: list[str]


def proof_gpu(gpus: Iterable[Gpu], wanted: str) -> Gpu | None:
    """Return the GPU that ``proof_server_gpu`` names by index in PCI order or by UUID, None when there is none such."""
    ordered = sorted(gpus, key=pci_order)
    if wanted.isdigit():
        return ordered[int(wanted)] if int(wanted) < len(ordered) else None
    return next((gpu for gpu in ordered if gpu["uuid"] == wanted), None)


def remembered_slots(defined: Sequence[Mapping[str, Any]] | None) -> Remembered:
    """Return what the programs that are defined on a host (``programs`` of host_info) tell of its slots."""
    slots: dict[int, Slot] = {}
    for program in defined or []:
        slot = names.slot_of(program["name"])
        if slot is not None:
            slots[slot] = {"gpu": program["gpu"], "cpus": program["cpus"]}
    return slots


def plot_server_gpus(s: Settings, topology: Topology, remembered: Remembered | None = None) -> list[dict[str, Any]]:
    """Return the GPUs that plot on a host, each with its ``slot`` and whether it is ``missing``.

    A GPU's slot is its place in ``plot_server_gpus``, else in the order of PCI addresses. A listed GPU that is missing
    keeps its slot and the NUMA node that it had by ``remembered``.
    """
    if not s["plot_server_gpus"]:
        return [dict(gpu, slot=slot, missing=False) for slot, gpu in enumerate(sorted(topology["gpus"], key=pci_order))]
    present = {gpu["uuid"]: gpu for gpu in topology["gpus"]}
    gpus = []
    for slot, uuid in enumerate(s["plot_server_gpus"]):
        gpu = present.get(uuid)
        if gpu is None:
            node = _remembered_node(uuid, slot, topology, remembered or {})
            gpu = {"index": None, "uuid": uuid, "name": None, "bus_id": None, "numa_node": node}
        gpus.append(dict(gpu, slot=slot, missing=uuid not in present))
    return gpus


def _remembered_node(uuid: str, slot: int, topology: Topology, remembered: Remembered) -> int | None:
    """Return the NUMA node of the CPUs of a GPU's plot server, or else of its slot's; None when nothing tells."""
    own = [entry["cpus"] for entry in remembered.values() if entry["gpu"] == uuid]
    former = [remembered[slot]["cpus"]] if slot in remembered else []
    try:
        cpus = parse_cpu_list(next(iter(own + former), None))
    except CpuSetError:
        return None
    shares = {
        int(number): len(cpus & parse_cpu_list(node["cpus"])) for number, node in topology["cpus"]["nodes"].items()
    }
    best = min(shares, key=lambda number: (-shares[number], number)) if shares else None
    return best if best is not None and shares[best] else None


def plot_server_plan(s: Settings, topology: Topology, remembered: Remembered | None = None) -> SlotPlan:
    """Return which CPUs the GPUs that plot on a host get.

    A missing GPU keeps its share of the cores, so its neighbours stay where they are.
    """
    gpus = plot_server_gpus(s, topology, remembered)
    slots = {gpu["uuid"]: gpu for gpu in gpus}
    others = [gpu for gpu in topology["gpus"] if gpu["uuid"] not in slots]
    known_as = {str(gpu[key]).lower() for gpu in others for key in ("index", "uuid", "bus_id")}
    plan = numa_plan(
        dict(topology, gpus=list(slots.values())),
        reserve_cores=s["plot_server_reserve_cores"],
        max_cpus=s["plot_server_max_cpus"],
        min_cpus=s["plot_server_min_cpus"],
        scope=s["plot_server_numa_scope"],
        gpu_numa_nodes={
            name: node for name, node in s["plot_server_gpu_numa_nodes"].items() if str(name).lower() not in known_as
        },
    )
    placed: list[SlotGpu] = [
        {**gpu, "slot": slots[gpu["uuid"]]["slot"], "missing": slots[gpu["uuid"]]["missing"]} for gpu in plan["gpus"]
    ]
    return {**plan, "gpus": sorted(placed, key=lambda gpu: gpu["slot"])}


# UUID, slot, new slot.
Move = Tuple[str, int, int]


def renumbered(s: Settings, topology: Topology, remembered: Remembered) -> list[Move]:
    """Return the GPUs whose plot server would get another number although nobody asked for it."""
    if s["plot_server_gpus"] or s["plot_server_state"] != "started":
        return []
    new = {gpu["uuid"]: gpu["slot"] for gpu in plot_server_gpus(s, topology)}
    known = [(entry["gpu"], slot) for slot, entry in sorted(remembered.items())]
    return [(uuid, slot, new[uuid]) for uuid, slot in known if uuid is not None and new.get(uuid, slot) != slot]


def pinned_gpus(remembered: Remembered, topology: Topology) -> list[str]:
    """Return the ``plot_server_gpus`` that keep the number of every plot server on the host; new GPUs come last."""
    known = [entry["gpu"] for _slot, entry in sorted(remembered.items())]
    uuids = [uuid for uuid in known if uuid is not None and uuid.startswith("GPU-")]
    return uuids + [gpu["uuid"] for gpu in sorted(topology["gpus"], key=pci_order) if gpu["uuid"] not in uuids]


def renumbering(moved: Iterable[Move]) -> str:
    """Return the result of ``renumbered`` in words."""
    return "Plot servers would be renumbered: " + ", ".join(
        f"GPU {uuid} from {slot} to {new}" for uuid, slot, new in moved
    )
