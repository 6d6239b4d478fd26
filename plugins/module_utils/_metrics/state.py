# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Metrics of programs, NATS, nodes and farms, from what a look at each component has seen. Pure functions."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Mapping, Sequence

from .._components import names
from .._components.common import Settings
from .._components.plot_client import farm_sectors, present_farms
from .._looking import Looked
from .exposition import Family, Sample, Value
from .memory import Memory

#: Component to what a look at it has seen; none where it is kept stopped.
Looks = Mapping[str, Looked]
Programs = Mapping[str, Sequence[Mapping[str, Any]]]


def program_families(settings: Settings, programs: Programs, counted: Memory) -> Iterator[Family]:
    """Yield the metrics of supervised programs.

    Args:
        settings: the host's variables.
        programs: component to the evidence of its programs.
        counted: program to ``{count}`` of its starts.
    """
    all_programs = [
        ({"component": component, "program": program["name"]}, component, program)
        for component, members in programs.items()
        for program in members
    ]

    def of(read: Any) -> list[Sample]:
        return [(labels, read(component, program)) for labels, component, program in all_programs]

    yield Family(
        "autonomys_program_wanted",
        "Whether the inventory wants the program to run.",
        of(lambda component, _program: settings[component + "_state"] == "started"),
    )
    yield Family(
        "autonomys_program_running",
        "Whether supervisord calls the program RUNNING.",
        of(lambda _component, program: program["state"] == "RUNNING"),
    )
    yield Family(
        "autonomys_program_uptime_seconds",
        "Seconds since the program's process was started.",
        of(lambda _component, program: program["uptime_s"]),
    )
    yield Family(
        "autonomys_program_starts_total",
        "How often the program was seen with a new process.",
        of(lambda _component, program: (counted.get(program["name"]) or {}).get("count")),
        "counter",
    )
    yield Family(
        "autonomys_program_open_files_ratio",
        "Open files of the program's process, as a share of its limit.",
        of(lambda _component, program: _share(program["fd_count"], program["open_file_limit"])),
    )


def version_families(running: Sequence[str]) -> Iterator[Family]:
    """Yield the versions that run, by the paths of their binaries."""
    binaries = filter(None, map(names.read_path, running))
    found: list[Sample] = [({"binary": binary.name, "version": binary.version}, 1) for binary in binaries]
    yield Family("autonomys_version_info", "A version that runs, by its binary.", found)


def component_families(settings: Settings, components: Sequence[str], looks: Looks) -> Iterator[Family]:
    """Yield whether components are healthy, by the judgement that status and site.yml show."""
    yield Family(
        "autonomys_component_wanted",
        "Whether the inventory wants the component to run on this host.",
        [({"component": component}, settings[component + "_state"] == "started") for component in components],
    )
    yield Family(
        "autonomys_component_healthy",
        "Whether the component does its work on this host, by its own evidence.",
        [({"component": component}, looked["healthy"]) for component, looked in looks.items()],
    )
    yield Family(
        "autonomys_component_problems",
        "How many things are wrong with the component; playbooks/status.yml names them.",
        [({"component": component}, len(looked["problems"])) for component, looked in looks.items()],
    )


Seen = Mapping[str, Any]
NATS: Sequence[tuple[str, str, Callable[[Seen], Value]]] = (
    ("leader_known", "Whether there is a JetStream meta leader.", lambda nats: bool(nats["meta_leader"])),
    ("is_leader", "Whether this is it.", lambda nats: nats["meta_leader"] == nats["server_name"]),
    ("members", "Members of the JetStream meta group.", lambda nats: nats["meta_size"]),
    ("routes", "Other servers to which there is a route.", lambda nats: len(nats["routes"])),
    ("slow_consumers_total", "Clients that were too slow and cut off.", lambda nats: nats["slow_consumers"]),
    ("connections", "Clients that are connected.", lambda nats: nats["connections"]),
    ("streams", "Streams of which this server has a replica.", lambda nats: nats["streams"]),
    ("store_bytes", "Bytes of JetStream's files.", lambda nats: nats["store_bytes"]),
    ("store_max_bytes", "Bytes that JetStream's files may take.", lambda nats: nats["store_max_bytes"]),
    ("safe_to_stop", "Whether the others can do without this server now.", lambda nats: nats["safe_to_stop"]),
)


def nats_families(looked: Looked, peers: int) -> Iterator[Family]:
    """Yield the metrics of a NATS server in a cluster of so many."""
    nats: Seen = looked["evidence"].get("nats") or {"reachable": False}
    yield Family("autonomys_nats_reachable", "Whether the server's monitoring answers.", [({}, nats["reachable"])])
    yield Family("autonomys_nats_peers", "Servers of the cluster, by the inventory.", [({}, peers)])
    if not nats["reachable"]:
        return
    for name, text, read in NATS:
        kind = "counter" if name.endswith("_total") else "gauge"
        yield Family(f"autonomys_nats_{name}", text, [({}, read(nats))], kind)
    replicas = [({"server": replica["name"]}, replica) for replica in nats["meta_replicas"]]
    yield Family(
        "autonomys_nats_replica_current",
        "Whether a member of the meta group follows its leader; told by the leader.",
        [(labels, bool(replica["current"]) and not replica["offline"]) for labels, replica in replicas],
    )
    yield Family(
        "autonomys_nats_replica_lag",
        "Entries that a member of the meta group is behind its leader.",
        [(labels, replica["lag"]) for labels, replica in replicas],
    )


def node_families(looked: Looked, since: Mapping[str, float] | None, now: float) -> Iterator[Family]:
    """Yield the metrics of a node, with the age of its best block."""
    node: Mapping[str, Any] = looked["evidence"].get("node") or {"reachable": False}
    yield Family("autonomys_node_reachable", "Whether the node's RPC answers.", [({}, node["reachable"])])
    if since:
        yield Family(
            "autonomys_node_best_block_age_seconds",
            "Seconds for which no newer block was seen.",
            [({}, now - since["since"])],
        )
    if not node["reachable"]:
        return
    yield Family("autonomys_node_best_block", "Number of the best block.", [({}, node["best"])])
    yield Family("autonomys_node_target_block", "Number of the block that it syncs to.", [({}, node["target"])])
    yield Family("autonomys_node_peers", "Connected peers.", [({}, node["peers"])])
    yield Family("autonomys_node_syncing", "Whether the node syncs.", [({}, node["syncing"])])


def _mounted(disk: Seen) -> Value:
    return bool(disk.get("mountpoint")) and disk.get("mountpoint") != "/" and not disk.get("bound_from_root")


def _readable(disk: Seen) -> Value:
    return bool(disk.get("mountpoint")) and not disk.get("error")


FARMS: Sequence[tuple[str, str, Callable[[Seen], Value]]] = (
    ("open", "Whether the plot client holds files of the farm open.", lambda farm: farm["open"]),
    ("mounted", "Whether the farm is on a disk of its own.", _mounted),
    ("read_only", "Whether the farm's filesystem cannot be written to.", lambda farm: farm.get("read_only")),
    ("readable", "Whether the farm's filesystem answers without an error.", _readable),
    ("plot_bytes", "Bytes of the farm's plot and metadata.", lambda farm: farm.get("existing_plot_bytes")),
    ("available_bytes", "Bytes that are free on the farm's filesystem.", lambda farm: farm.get("available")),
    ("sectors_max", "Sectors that fit on the farm's disk.", lambda farm: farm.get("max_sectors")),
    ("sectors_wanted", "Sectors that the inventory wants of the farm.", lambda farm: farm["sectors"]),
)


def farm_families(
    settings: Settings,
    disks: Mapping[str, Mapping[str, Any]],
    programs: Sequence[Mapping[str, Any]],
    serials: Mapping[str, str],
) -> Iterator[Family]:
    """Yield the metrics of farms.

    Args:
        settings: the host's variables.
        disks: path to what it is on, as ``disk_info`` tells.
        programs: the evidence of the plot client.
        serials: path to the serial number of its device.
    """
    opened = [file for program in programs for file in program["open_files"]]
    known: list[tuple[Mapping[str, str], Seen]] = []
    for farm in present_farms(settings):
        path, disk = farm["path"].rstrip("/"), disks.get(farm["path"]) or {}
        sized = disk.get("max_sectors") is not None and not disk.get("error")
        seen = {
            **disk,
            "open": any(file.startswith(path + "/") for file in opened),
            "sectors": farm_sectors(settings, farm, disk) if sized else None,
        }
        known.append(({"path": path, "serial": serials.get(farm["path"], "")}, seen))
    for name, text, read in FARMS:
        yield Family(f"autonomys_farm_{name}", text, [(labels, read(seen)) for labels, seen in known])


def _share(part: Any, whole: Any) -> Value:
    return part / whole if isinstance(part, int) and isinstance(whole, int) and whole > 0 else None
