# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a host is told of the model, and what its reading tells: the shapes that cross the wire."""

from __future__ import annotations

from typing import Any, Mapping, TypedDict


class Asked(TypedDict):
    """What is asked of a host: about its GPUs, and about the disks of folders with data and of farms."""

    gpus: bool
    folders: list[str]
    farms: list[str]


class MonitoringPart(TypedDict):
    """What monitoring wants of a host."""

    # Path to SHA-256 and mode.
    files: dict[str, list[str]]
    packages: list[str]
    # Units of systemd that run and start with the host.
    units: list[str]


class _Part(TypedDict):
    components: list[str]
    # Every cluster_* and <role>_* variable with its type.
    settings: dict[str, Any]
    asked: Asked
    # The distribution's packages that the programs need.
    packages: list[str]
    # The pinned checksums of NATS' archives: version to architecture to SHA-256.
    nats_checksums: Mapping[str, Mapping[str, str]]


class Part(_Part, total=False):
    """The host's part of the model: all that it needs to compare itself with what is wanted."""

    # What monitoring wants; without it nothing is monitored.
    monitoring: MonitoringPart


class ComponentReading(TypedDict, total=False):
    """What a host tells of one of its components."""

    # What supervisor_program answers in check mode, with restart: never.
    program: dict[str, Any]
    # What would become of its own configuration file; components without one have none.
    configuration: dict[str, Any]
    # What component_health answers; none where the component is kept stopped.
    health: dict[str, Any]
    # Why something of it is not known.
    error: str
    # Whether that is what a run would end with, since supervisord or its file of programs stands in the way.
    refused: bool


class HostReading(TypedDict):
    """What one execution tells of a host. A part that could not be read is ``{"error": why}``."""

    # What host_info returns as host.
    host: dict[str, Any]
    # What gpu_topology_info returns; None where its GPUs do not matter.
    gpus: dict[str, Any] | None
    # What disk_info returns as disks; None where there are no farms.
    disks: dict[str, Any] | None
    # What must be prepared before programs can run, in words.
    prepare: dict[str, Any]
    # What release answers in check mode.
    release: dict[str, Any]
    components: dict[str, ComponentReading]
    # What would change so that the host is monitored, in words; None where nothing is.
    monitoring: dict[str, Any] | None
    # What the host's record tells of the run that holds the cluster; None where no server of NATS is wanted.
    lock: dict[str, Any] | None


def error_of(part: Any) -> str | None:
    """Return why a part of a reading is not known, None when it is."""
    return part["error"] if isinstance(part, dict) and set(part) == {"error"} else None
