# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The one reading of a host: everything that judging and changing it begin with. It changes nothing."""

from __future__ import annotations

import functools
from typing import Any, Mapping

from .._components.common import Facts, Settings
from .._components.nats import COMPONENT as NATS
from .._gpu.users import read_gpus
from .._host.farms import read_farms
from .._lock.store import read_record
from .._looking import Looked, look, own_readers
from .._supervisor.errors import ProgramError
from .compare import Hide, configuration_changes, program_changes, release_changes
from .host import files_of_interest, host_facts, preparations
from .monitoring import monitoring_changes
from .questions import health_question
from .side_by_side import Reader, read_side_by_side, sentence
from .size import fitted, without_files
from .wanted import ComponentReading, HostReading, Part, error_of

# Seconds for each kind of reading. Each has limits of its own for what it asks; these are the last resort.
PATIENCE_S = {"host": 90.0, "gpus": 120.0, "disks": 90.0, "release": 60.0, "programs": 120.0, "health": 60.0}
# Seconds for nvidia-smi: a driver can hang.
GPU_PATIENCE_S = 30


def read(part: Part, hide: Hide) -> HostReading:
    """Return the reading of this host; *hide* is given the secrets of definitions, which are to be shown nowhere."""
    # First: whoever changes something after it has moved the record on.
    lock = read_record() if NATS.name in part["components"] else None
    facts = _facts(part)
    compared = _comparison(part, facts, hide)
    components: dict[str, ComponentReading] = compared.pop("components")
    told = fitted({"lock": lock, **facts, **compared})
    return {
        "host": told["host"],
        "gpus": told["gpus"],
        "disks": told["disks"],
        "prepare": told["prepare"],
        "release": told["release"],
        "components": fitted(components),
        "monitoring": told["monitoring"],
        "lock": told["lock"],
    }


def _facts(part: Part) -> dict[str, Any]:
    """Return what is there: the host, its GPUs, its disks."""
    settings, asked = part["settings"], part["asked"]
    readers = {
        "host": functools.partial(
            host_facts,
            packages=part["packages"],
            user=settings["cluster_user"],
            files=files_of_interest(settings["cluster_log_dir"]),
            paths=asked["folders"],
        )
    }
    if asked["gpus"]:
        readers["gpus"] = functools.partial(read_gpus, timeout=GPU_PATIENCE_S, processes=True)
    if asked["farms"]:
        readers["disks"] = functools.partial(
            read_farms,
            paths=asked["farms"],
            user=settings["cluster_user"],
            pieces_in_sector=settings["plot_client_pieces_in_sector"],
            margin_bytes=settings["plot_client_disk_margin_mib"] * 1048576,
        )
    return {"gpus": None, "disks": None, **read_side_by_side(readers, PATIENCE_S)}


def _comparison(part: Part, facts: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    """Return what would change, and how healthy the components are."""
    settings, components = part["settings"], part["components"]
    known: Facts = {name: None if error_of(answer) else answer for name, answer in facts.items()}
    started = [component for component in components if settings[component + "_state"] == "started"]
    readers: dict[str, Reader] = {
        "prepare": lambda: {"changes": preparations(_host(facts), settings, part["packages"])},
        "release": lambda: release_changes(settings, _host(facts)["architecture"], part["nats_checksums"]),
        # One after another: they would wait for each other's lock.
        "programs": lambda: {component: _changes(component, settings, facts, known, hide) for component in components},
    }
    monitoring = part.get("monitoring")
    if monitoring:
        readers["monitoring"] = functools.partial(monitoring_changes, monitoring)
    for component in started:
        readers[component] = functools.partial(_health, component, settings, known)
    found = read_side_by_side(readers, {name: PATIENCE_S.get(name, PATIENCE_S["health"]) for name in readers})
    programs = found["programs"]
    return {
        "prepare": found["prepare"],
        "release": found["release"],
        "monitoring": found.get("monitoring"),
        "components": {
            component: _component(programs if error_of(programs) else programs[component], found.get(component))
            for component in components
        },
    }


def _host(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the host is; without it nothing that rests on it is known."""
    host: Mapping[str, Any] = facts["host"]
    if error_of(host):
        raise LookupError(f"the host could not be read: {error_of(host)}")
    return host


def _changes(
    component: str, settings: Settings, facts: Mapping[str, Any], known: Facts, hide: Hide
) -> ComponentReading:
    """Return what would change about a component, or why that is not known."""
    try:
        found: ComponentReading = {"program": program_changes(component, settings, known, hide)}
        if component == NATS.name:
            found["configuration"] = configuration_changes(settings, _host(facts)["files"])
    except ProgramError as error:
        return {"error": sentence(error), "refused": True}
    except Exception as error:  # the other components are told all the same
        return {"error": sentence(error)}
    return found


def _health(component: str, settings: Settings, known: Facts) -> Looked:
    return look(health_question(component, settings, known), own_readers(lambda: _gpu_users(known)))


def _gpu_users(known: Facts) -> dict[int, list[str]] | None:
    """Return which processes use which GPUs, as the reading of the GPUs has told already."""
    gpus = known["gpus"]
    if gpus is None or gpus["gpu_error"]:
        return None
    return {process["pid"]: process["gpu_uuids"] for process in gpus["processes"]}


def _component(changes: ComponentReading, health: Any) -> ComponentReading:
    if health is None:
        return changes
    why = error_of(health)
    unknown = {"healthy": False, "problems": [why], "evidence": {}, "expected": [], "waited_s": 0}
    return {**changes, "health": unknown if why else without_files(health)}
