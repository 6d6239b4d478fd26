# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Metrics of what a run of site.yml would change on a host. Pure functions."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from .._reading.wanted import ComponentReading, HostReading, error_of
from .exposition import Family, Sample


def drift(reading: HostReading) -> dict[str, list[str] | None]:
    """Return what would change, part to sentences; None where it is not known."""
    prepare = reading["prepare"]
    found: dict[str, list[str] | None] = {"host": None if error_of(prepare) else list(prepare["changes"])}
    release = reading["release"]
    found["release"] = None if error_of(release) else ["install or remove versions"] if release["changed"] else []
    found.update({component: _of_component(told) for component, told in reading["components"].items()})
    return found


def _of_component(told: ComponentReading) -> list[str] | None:
    program = told.get("program")
    if program is None:
        return None
    changes = [f"change {diff['after_header']}" for diff in program["diff"]] + list(program["reasons"])
    if told.get("configuration", {}).get("changed"):
        changes.append("change its configuration")
    return changes or (["change its programs"] if program["changed"] or program["restart_required"] else [])


def drift_families(found: Mapping[str, Any]) -> Iterator[Family]:
    """Yield how much would change, by part of the host."""
    known: list[Sample] = [({"part": part}, len(changes)) for part, changes in found.items() if changes is not None]
    yield Family("autonomys_drift_changes", "What site.yml would change, by part; drift.json names it.", known)
    yield Family(
        "autonomys_drift_unknown",
        "Whether it is not known what site.yml would change.",
        [({"part": part}, changes is None) for part, changes in found.items()],
    )
