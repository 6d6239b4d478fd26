# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The shape of the plan, which is what ``cluster_plan_file`` holds, and its words for states and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from .._cluster.readings import Reading
from .._rules.findings import JudgedFinding

# What happens to a program, in the order of how much a reader must know of it.
CHANGES = ("stop", "restart", "start", "reload", "unknown", "none")

# Why a host is not changed, beside being ready.
READY, LEFT_OUT, UNREACHABLE, NOT_READ, NO_COMPONENT = "ready", "left out", "unreachable", "not read", "no component"

# In the place of a component: programs whose component the host has left.
LEFT_OVER = "left over"

# Programs of these states are there; BACKOFF is between two attempts.
RUNS = ("STARTING", "RUNNING")

# An inventory can be wrong in any way; what is wrong with it is a finding, and the plan says what it cannot tell.
WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

# What is known of a host that was not asked.
NOT_ASKED: Reading = {"reachable": True, "error": None, "host": None, "gpus": None, "disks": None, "refused": {}}

# What the model, the host modules and the roles hand in, which have shapes of their own.
Model = Mapping[str, Any]
Settings = Mapping[str, Any]
Facts = Reading
Answer = Mapping[str, Any]


class Program(TypedDict):
    """A supervised program and what would happen to it."""

    component: str
    name: str
    command: list[str]
    environment: dict[str, str]
    cpus: str | None
    ports: list[int]
    log: str | None
    startsecs: int
    stopwaitsecs: int
    change: str
    state: str | None
    held: bool
    pending: bool
    reason: str
    version_before: str | None


class Gpu(TypedDict):
    """A plot server's GPU with the cores that it uses and why."""

    slot: int
    index: int | None
    uuid: str
    name: str | None
    bus_id: str | None
    cpus: str
    cores: int
    numa_node: int | None
    placement: str
    exclusive: bool
    missing: bool
    port: int
    why: str


class ProofServer(TypedDict):
    """The proof server's GPU with the cores that it uses and why."""

    index: int
    uuid: str
    name: str | None
    bus_id: str
    cpus: str | None
    why: str


class GpuHost(TypedDict):
    """The GPUs of a host; ``block`` is the text of ``plot_server_gpus`` to paste."""

    gpus: list[Gpu]
    proof_server: ProofServer | None
    pool: str
    warnings: list[str]
    slots_fixed: bool
    block: str


class Farm(TypedDict):
    """A farm and what its disk holds; None is what was not read or cannot be told."""

    path: str
    state: str
    wanted: str
    mountpoint: str | None
    device: str | None
    fstype: str | None
    size: int | None
    available: int | None
    existing_plot_bytes: int | None
    max_sectors: int | None
    sectors: int | None
    sectors_there: int | None
    planned_bytes: int | None


class Host(TypedDict):
    """A host and what would happen there."""

    address: str | None
    components: list[str]
    state: str
    why: str
    prepare: list[str]
    install: list[str]
    programs: list[Program]
    gpus: GpuHost | None
    farms: list[Farm]
    errors: list[str]


class Step(TypedDict):
    """What happens to programs of a component, batch after batch, and how long that takes."""

    component: str
    kind: str
    batches: list[list[str]]
    programs: int
    at_least_s: int
    at_most_s: int
    made_of: list[str]


# "from" is a key, which a class cannot have as a name.
Version = TypedDict(
    "Version",
    {
        "what": str,
        "from": list[str],
        "to": list[str],
        "components": list[str],
        "at_least_s": int,
        "at_most_s": int,
        "held_back": list[str],
    },
)


class Connection(TypedDict):
    """Which component talks to which on which port."""

    component: str
    to_component: str
    port: str
    hosts: int
    to_hosts: int
    programs: int


class Summary(TypedDict):
    """The plan in numbers."""

    hosts: int
    ready: int
    programs: int
    changes: dict[str, int]
    findings: dict[str, int]
    accepted: int
    at_least_s: int
    at_most_s: int


class Plan(TypedDict):
    """The whole plan; ``format`` changes when a key changes its meaning."""

    format: int
    # What site.yml does is this plan as long as the id is the same.
    id: str
    # Host to what is concerned to what would happen to it.
    verdicts: dict[str, dict[str, str]]
    hosts: dict[str, Host]
    steps: list[Step]
    versions: list[Version]
    meta_leader: str | None
    wanted: dict[str, list[str]]
    connections: list[Connection]
    findings: list[JudgedFinding]
    stopping: list[str]
    notes: list[str]
    summary: Summary
