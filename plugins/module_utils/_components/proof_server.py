# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The proof servers, which prove solutions on a GPU."""

from __future__ import annotations

from .._cpuset import CpuSetError, format_cpu_list, parse_cpu_list
from .._gpu.numa_plan import numa_plan
from . import names
from .common import (
    Component,
    Facts,
    Programs,
    Settings,
    SettingsError,
    Topology,
    connected,
    farmer,
    make_program,
    topology_of,
)
from .gpu_slots import proof_gpu

FILE = "autonomys-proof-server"


def proof_server_cpus(s: Settings, topology: Topology | None) -> str | None:
    """Return the CPUs that the proof server is bound to.

    None when it is bound to none: where the machine has one NUMA node, or the GPU's is unknown.
    """
    choice = str(s["proof_server_cpus"])
    if choice == "all":
        return None
    if choice != "node":
        try:
            return format_cpu_list(parse_cpu_list(choice)) or None
        except CpuSetError as error:
            raise SettingsError(f"proof_server_cpus must be node, all or a CPU list: {error}") from None
    gpu = proof_gpu((topology or {}).get("gpus") or [], str(s["proof_server_gpu"]))
    if topology is None or gpu is None:
        return None
    [planned] = numa_plan(dict(topology, gpus=[gpu]), reserve_cores=0, min_cpus=None)["gpus"]
    everywhere = parse_cpu_list(topology["cpus"]["usable"]) <= parse_cpu_list(planned["cpus"])
    return None if everywhere or planned["placement"] == "unknown" else planned["cpus"]


def _build(s: Settings, facts: Facts) -> Programs:
    gpu = str(s["proof_server_gpu"])
    environment = {"CUDA_VISIBLE_DEVICES": gpu}
    evidence = connected(s, "proof_server")
    if gpu.startswith("GPU-"):
        evidence["gpus"] = [gpu]
    else:
        # CUDA's own order is fastest first; nvidia-smi and this collection count by PCI address.
        environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        evidence["gpu_count"] = 1
    command = farmer(s, "proof_server", "proof-server", *s["proof_server_extra_args"])
    program = make_program(s, "proof_server", FILE, command, environment=environment, log_max="500MB")
    cpus = proof_server_cpus(s, topology_of(facts))
    if cpus:
        program["cpus"] = cpus
    yield program, evidence


COMPONENT = Component(
    name="proof_server",
    build=_build,
    binary=names.FARMER,
    file=FILE,
    gpus=True,
    uses=("nats",),
    without="no solution is proved",
    needs="one",
)
