# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What the rules about GPUs and those about CPUs both ask of a host that has GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.gpu_slots import (
    Remembered,
    plot_server_plan,
    proof_gpu,
    remembered_slots,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import pci_order

from .._words import names
from .view import View

# Components that use GPUs; findings that concern no single one are given to the last one that the host has.
USERS = tuple(name for name, component in COMPONENTS.items() if component.gpus)

PLAN = ("gpus", "reserve_cores", "max_cpus", "min_cpus", "numa_scope", "gpu_numa_nodes", "state")
OPTIONAL = ("max_cpus",)


@dataclass(frozen=True)
class GpuHost:
    """A host with GPUs: what uses them, and the plan of its plot servers."""

    name: str
    users: Sequence[str]
    topology: Mapping[str, Any]
    # In PCI order.
    gpus: Sequence[Mapping[str, Any]]
    # The UUID of the proof server's GPU, None where it has none.
    proving: str | None
    # The UUIDs of plot_server_gpus; None without plot servers.
    listed: Sequence[str] | None
    # The variables of the plan, None where one is missing or wrong.
    settings: dict[str, Any] | None
    # The slots that the programs on the host have.
    remembered: Remembered
    plan: Mapping[str, Any] | None
    plan_error: str | None

    @property
    def missing(self) -> list[str]:
        """Listed GPUs that the host does not have."""
        return [gpu for gpu in self.listed or [] if gpu not in self._present()]

    @property
    def plotting(self) -> list[str]:
        """GPUs that plot."""
        if self.listed is None:
            return []
        return [gpu for gpu in self.listed or self._present() if gpu in self._present()]

    def _present(self) -> list[str]:
        return [gpu["uuid"] for gpu in self.gpus]

    def described(self) -> str:
        """Return the host's GPUs as a sentence has them."""
        return names([f"{index} ({gpu['uuid']})" for index, gpu in enumerate(self.gpus)], most=16)


def gpu_users(view: View) -> Iterator[tuple[str, list[str], Mapping[str, Any]]]:
    """Yield (host, components that use its GPUs, what was read of them)."""
    for host, answer in view.read("gpus"):
        users = [component for component in USERS if component in view.components(host)]
        if users:
            yield host, users, answer


def gpu_hosts(view: View) -> Iterator[tuple[GpuHost, Mapping[str, Any]]]:
    """Yield the hosts with usable GPUs, each with what was read of them."""
    for host, users, answer in gpu_users(view):
        if usable(answer):
            yield _gpu_host(view, host, users, answer), answer


def usable(answer: Mapping[str, Any]) -> bool:
    """Return whether a host has a GPU that can be used."""
    return not answer.get("gpu_error") and bool((answer.get("topology") or {}).get("gpus"))


def _gpu_host(view: View, host: str, users: Sequence[str], answer: Mapping[str, Any]) -> GpuHost:
    topology = answer["topology"]
    gpus = sorted(topology["gpus"], key=pci_order)
    gpu = None
    if "proof_server" in users and view.value(host, "proof_server_gpu") is not None:
        gpu = proof_gpu(gpus, str(view.value(host, "proof_server_gpu")))
    listed, settings, plan, problem = None, None, None, None
    remembered = remembered_slots((view.facts[host].get("host") or {}).get("programs"))
    if "plot_server" in users and view.value(host, "plot_server_gpus") is not None:
        listed, settings = [str(uuid) for uuid in view.value(host, "plot_server_gpus")], _settings(view, host)
    if settings:
        try:
            plan = plot_server_plan(settings, topology, remembered)
        except ValueError as error:
            problem = str(error)
    return GpuHost(
        name=host,
        users=users,
        topology=topology,
        gpus=gpus,
        proving=gpu["uuid"] if gpu else None,
        listed=listed,
        settings=settings,
        remembered=remembered,
        plan=plan,
        plan_error=problem,
    )


def _settings(view: View, host: str) -> dict[str, Any] | None:
    settings = {f"plot_server_{name}": view.value(host, f"plot_server_{name}") for name in PLAN}
    needed = [settings[f"plot_server_{name}"] for name in PLAN if name not in OPTIONAL]
    return settings if all(value is not None for value in needed) else None
