# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What was read of a host: the one shape that rules, programs and plan take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._reading.wanted import ComponentReading, error_of

from .registered import host_reading


class Reading(TypedDict):
    """What was read of one host.

    ``host`` is what ``host_info`` returns of the host, ``gpus`` what ``gpu_topology_info`` does, ``disks`` what
    ``disk_info`` does of the disks; None where they were not read. ``error`` is why something of these could not be.
    """

    reachable: bool
    error: str | None
    host: dict[str, Any] | None
    gpus: dict[str, Any] | None
    disks: dict[str, Any] | None
    # What a run would end with, by component: supervisord, or its file of programs, stands in the way.
    refused: dict[str, str]


class Changes(TypedDict):
    """What a host tells of what would change on it, and of the health of its components; empty where not read."""

    # What must be prepared, in words.
    prepare: list[str]
    # What release answers in check mode, or ``{"error": why}``.
    release: dict[str, Any]
    components: dict[str, ComponentReading]
    # What would change so that the host is monitored, in words.
    monitoring: list[str]
    # What its record tells of the run that holds the cluster; None where no server of NATS is wanted.
    lock: dict[str, Any] | None


def reading(variables: Mapping[str, Any]) -> Reading | None:
    """Return what was read of one host, None when it was not asked."""
    answer = host_reading(variables)
    if not answer or answer.get("skipped"):
        return None
    told = answer.get("reading")
    if told is None:
        error = answer.get("msg") or "no answer"
        unreachable = bool(answer.get("unreachable"))
        nothing: Reading = {
            "reachable": not unreachable,
            "error": error,
            "host": None,
            "gpus": None,
            "disks": None,
            "refused": {},
        }
        return nothing
    parts = {name: told[name] for name in ("host", "gpus", "disks")}
    errors = {name: error for name, part in parts.items() for error in [error_of(part)] if error}
    known = {name: None if name in errors else part for name, part in parts.items()}
    return {
        "reachable": True,
        "error": next(iter(errors.values()), None),
        "host": known["host"],
        "gpus": known["gpus"],
        "disks": known["disks"],
        "refused": {name: heard["error"] for name, heard in told["components"].items() if heard.get("refused")},
    }


def changes(variables: Mapping[str, Any]) -> Changes | None:
    """Return what would change on a host and how healthy it is, None when it did not tell."""
    told = host_reading(variables).get("reading")
    if told is None:
        return None
    return {
        # Without the host's facts it is not known, and is done.
        "prepare": told["prepare"].get("changes", [error_of(told["prepare"])]),
        "release": told["release"],
        "components": told["components"],
        "monitoring": _monitoring(told["monitoring"]),
        "lock": told["lock"],
    }


def _monitoring(told: dict[str, Any] | None) -> list[str]:
    if told is None:
        return []
    why = error_of(told)
    return [f"what monitoring needs is not known: {why}"] if why else list(told["changes"])


def records(told: Iterable[tuple[str, Changes | None]]) -> dict[str, dict[str, Any]]:
    """Return what the record on each host of NATS tells of the run that holds the cluster."""
    return {host: answer["lock"] for host, answer in told if answer and answer["lock"]}
