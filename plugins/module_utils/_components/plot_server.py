# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plot servers, one per GPU, which encode the sectors of all farms."""

from __future__ import annotations

import json
from typing import Any, Mapping

from . import names
from .common import (
    Component,
    Facts,
    Program,
    Programs,
    Settings,
    SettingsError,
    ShortestStop,
    Topology,
    connected,
    farmer,
    make_program,
    topology_of,
)
from .gpu_slots import (
    Remembered,
    pinned_gpus,
    plot_server_gpus,
    plot_server_plan,
    remembered_slots,
    renumbered,
    renumbering,
)


def _build(s: Settings, facts: Facts) -> Programs:
    topology = topology_of(facts)
    if topology is None:
        raise SettingsError("the GPUs of the host were not read, so its plot servers are not known")
    remembered = remembered_slots((facts.get("host") or {}).get("programs"))
    gpus = {gpu["uuid"]: gpu for gpu in plot_server_gpus(s, topology, remembered)}
    _refuse(s, topology, remembered, gpus, facts["gpus"].get("gpu_error"))
    for gpu in plot_server_plan(s, topology, remembered)["gpus"]:
        uuid, port = gpu["uuid"], int(s["plot_server_port"]) + gpu["slot"]
        if uuid is None or not uuid.startswith(("GPU-", "MIG-")):
            said = "" if uuid is None else f", but {uuid!r}"
            raise SettingsError(f"the GPU {gpu['bus_id']} has no UUID, by which its plot server could choose it{said}")
        program = _program(s, gpu, port, gpus[uuid]["name"])
        if gpu["missing"]:
            yield program, {"stopped": f"its GPU {uuid} is missing"}
        else:
            evidence = connected(s, "plot_server")
            evidence["listening"] = [port]
            evidence["gpus"] = [uuid]
            yield program, evidence


def _program(s: Settings, gpu: Mapping[str, Any], port: int, model: str | None) -> Program:
    slot = gpu["slot"]
    base_path = f"{s['plot_server_base_path']}/base-path-{slot}"
    command = farmer(
        s, "plot_server", "plot-server", *(["--priority-cache"] if s["plot_server_priority_cache"] else [])
    )
    command += ["--listen-port", port, *s["plot_server_extra_args"], base_path]
    environment = {"CUDA_VISIBLE_DEVICES": gpu["uuid"]}
    concurrency = s["plot_server_gpu_concurrency"]
    if isinstance(concurrency, dict):
        concurrency = concurrency.get(gpu["uuid"], concurrency.get(model))
    if concurrency is not None:
        environment["GPU_CONCURRENCY"] = concurrency
    name, log = names.program_of(slot), f"autonomys-plotter-{slot}"
    program = make_program(s, "plot_server", name, command, log=log, environment=environment)
    program["cpus"] = gpu["cpus"]
    program["autostart"] = not gpu["missing"]
    program["state_directories"] = [base_path]
    return program


def _refuse(
    s: Settings,
    topology: Topology,
    remembered: Remembered,
    gpus: Mapping[str, Mapping[str, Any]],
    gpu_error: str | None,
) -> None:
    """Raise SettingsError rather than stop or renumber plot servers because of what was not seen."""
    if s["plot_server_state"] == "started" and all(gpu["missing"] for gpu in gpus.values()):
        why = gpu_error or "none of plot_server_gpus is in the host"
        raise SettingsError(f"no GPU for plot servers was found, and nothing is changed: {why}")
    moved = renumbered(s, topology, remembered)
    if moved and "GPU008" not in s["cluster_accept"]:
        listed = json.dumps(pinned_gpus(remembered, topology))
        remedy = f"List the GPUs so that each keeps its number: plot_server_gpus: {listed}"
        raise SettingsError(f"{renumbering(moved)}; nothing is changed. {remedy}")


COMPONENT = Component(
    name="plot_server",
    build=_build,
    binary=names.FARMER,
    file=names.PLOT_SERVER,
    slots=True,
    gpus=True,
    uses=("nats",),
    without="nothing is plotted",
    needs="share",
    ports=("plot_server_port",),
    shortest_stop=ShortestStop(30, "a farmer can take minutes to stop"),
)
