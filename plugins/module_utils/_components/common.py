# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What all components share: what a component is, and how a program and its evidence are put together.

Builders of programs are pure functions of the role's variables (``settings``, public names and values) and of what was
read on the host (``facts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence, Tuple, TypedDict

from .._supervisor.programs import Log
from .._supervisor.write import environment_text
from . import names

Settings = Mapping[str, Any]
Topology = Mapping[str, Any]

# What was read on a host, as far as programs depend on it; a part that was not read is None or left out. ``gpus`` is
# the answer of gpu_topology_info, ``disks`` and ``host`` are what disk_info and host_info return by these names.
Facts = Mapping[str, Any]

# Variables of a process's environment that the evidence has.
EVIDENT = ("CUDA_", "GPU_")


class SettingsError(ValueError):
    """A variable that no program can be made of; the message names variable, value and remedy."""


class _Program(TypedDict):
    name: str
    command: list[str]
    environment: dict[str, str]
    user: str
    startsecs: int
    stopwaitsecs: int
    log: Log


class Program(_Program, total=False):
    """A supervised program in the shape of the option ``programs`` of ``supervisor_program``."""

    autostart: bool
    cpus: str
    state_directories: list[str]
    stopsignal: str


class Expectation(TypedDict, total=False):
    """What a healthy program shows beside running; what it need not show is left out.

    Components tell what only they know; name, CPUs and environment are added from the program's definition.
    """

    name: str
    # The CPUs of every thread, and how memory is allocated.
    cpus: str
    memory_policy: str
    # The variables that choose the GPU and its load.
    environment: dict[str, str]
    # Ports.
    listening: list[int]
    # Lists of address:port.
    connected_any: list[str]
    connected_all: list[str]
    # UUIDs of the GPUs that it holds, or only how many.
    gpus: list[str]
    gpu_count: int
    # Folders in which files are held open.
    open_under: list[str]
    # Why it must not run.
    stopped: str


class Folder(NamedTuple):
    """A folder with data, and the room that it wants."""

    # The variable with its path.
    variable: str
    # Bytes, or the variable that says how much.
    room: int | str


class Service(NamedTuple):
    """What a component offers to others."""

    # The variable with the port.
    port: str
    # Each component that uses it is told where it is by the variable ``<component>_<urls>``.
    urls: str


class ShortestStop(NamedTuple):
    """How long a program must be given to stop, and why: killed sooner, it leaves work undone."""

    seconds: int
    why: str
    # A variable with a duration that comes on top.
    after: str = ""


Programs = Iterator[Tuple[Program, Expectation]]


@dataclass(frozen=True)
class Component:
    """What is known of a component, everywhere; role, group and prefix of variables bear its name."""

    name: str
    # Its supervised programs, each with the evidence that it is healthy.
    build: Callable[[Settings, Facts], Programs]
    binary: str
    # The file of supervised programs, without its ending.
    file: str
    # The names of its programs where they are not the file's; with ``slots`` there is one per GPU.
    programs: tuple[str, ...] = ()
    slots: bool = False
    # Whether its hosts' GPUs are used.
    gpus: bool = False
    # The components that it is a client of.
    uses: tuple[str, ...] = ()
    service: Service | None = None
    # What the cluster lacks without any host of it; the rest of it runs.
    without: str = ""
    # Who must be at work while a host is away: "one" other host, "all" others, or the "share" that <role>_roll leaves.
    # None: its application is asked whether it can be spared.
    needs: str | None = None
    # Whether it works only while more than half of its hosts do.
    majority: bool = False
    # Whether all others need it: an error on one of its hosts stops the run.
    stopping: bool = False
    # How its application is asked whether it is at work, as arguments of ``component_health``.
    # None: running programs with their connections to NATS are at work.
    ask: Callable[[Settings], dict[str, Any]] | None = None
    # How its application is asked whether it is healthy, in the same shape. None: its programs show their evidence.
    application: Callable[[Settings], dict[str, Any]] | None = None
    # The variables with the ports that its programs listen on; with ``slots`` that of the first.
    ports: tuple[str, ...] = ()
    # Ports of the peer-to-peer network that no variable moves.
    p2p_ports: tuple[int, ...] = ()
    folders: tuple[Folder, ...] = ()
    shortest_stop: ShortestStop | None = None

    @property
    def nats_client(self) -> bool:
        """Whether its programs are clients of NATS."""
        return "nats" in self.uses

    @property
    def single(self) -> bool:
        """Whether it has one program on a host, so that stopping that stops it."""
        return not self.slots and len(self.programs) < 2

    def question(self, settings: Settings) -> dict[str, Any]:
        """Return what ``component_health`` asks a host to learn whether its part of the component is at work."""
        if self.ask:
            return self.ask(settings)
        return {"name": self.file, "nats_servers": settings[self.name + "_nats_servers"] if self.nats_client else []}

    def owns(self, program: str) -> bool:
        """Return whether a program is one of this component's."""
        if self.slots:
            return names.slot_of(program) is not None
        return program in (self.programs or (self.file,))

    def ports_of(self, settings: Settings, program: str) -> list[int]:
        """Return the fixed ports that one of its programs listens on."""
        if self.slots:
            slot = names.slot_of(program)
            return [] if slot is None else [int(settings[port]) + slot for port in self.ports]
        return [int(settings[port]) for port in self.ports] + list(self.p2p_ports)


def make_program(
    s: Settings,
    component: str,
    name: str,
    command: Sequence[Any],
    *,
    log: str | None = None,
    log_max: str = "100MB",
    environment: Mapping[str, Any] | None = None,
) -> Program:
    """Return a program with what the inventory says of all programs of the component."""
    return {
        "name": name,
        "command": [str(argument) for argument in command],
        "environment": {
            key: environment_text(value)
            for key, value in {**(environment or {}), **s[component + "_environment"]}.items()
        },
        "user": s["cluster_user"],
        "startsecs": s["cluster_program_startsecs"],
        "stopwaitsecs": s[component + "_stopwaitsecs"],
        "log": {"path": f"{s['cluster_log_dir']}/{log or name}.log", "max_bytes": log_max, "backups": 2},
    }


def topology_of(facts: Facts) -> Topology | None:
    """Return the topology of a host, None where it was not read."""
    topology: Topology | None = (facts.get("gpus") or {}).get("topology")
    return topology or None


def release_binary(s: Settings, name: str) -> str:
    """Return the path of a binary of the cluster's version."""
    return names.binary_path(s["cluster_install_dir"], s["cluster_version"], name)


def farmer(s: Settings, component: str, *arguments: Any) -> list[Any]:
    """Return the farmer's command line: the NATS servers belong to ``cluster``, before the component's arguments."""
    servers = [part for server in s[component + "_nats_servers"] for part in ("--nats-server", server)]
    return [release_binary(s, names.FARMER), "cluster", *servers, *arguments]


def endpoints(urls: Sequence[str]) -> list[str]:
    """Return ``address:port`` of URLs."""
    return [url.split("://", 1)[-1].rstrip("/") for url in urls]


def connected(s: Settings, component: str) -> Expectation:
    """Return the evidence of a NATS client: a connection to one of the servers."""
    return {"connected_any": endpoints(s[component + "_nats_servers"])}


def expectation(program: Program, evidence: Expectation) -> Expectation:
    """Return what a healthy program shows, the marks of its definition included."""
    expected: Expectation = {**evidence, "name": program["name"]}
    if "stopped" in evidence:
        return expected
    if program.get("cpus"):
        expected["cpus"] = program["cpus"]
        # As numactl -l sets it.
        expected["memory_policy"] = "local"
    environment = {name: value for name, value in program["environment"].items() if name.startswith(EVIDENT)}
    if environment:
        expected["environment"] = environment
    return expected
