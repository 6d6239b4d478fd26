# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What was read of a host: the one shape that rules, programs and plan take."""

from __future__ import annotations

from typing import Any, Mapping, TypedDict

from .registered import READINGS, readings


class Reading(TypedDict):
    """What was read of one host; the last three are None where they were not read.

    ``host`` is what ``host_info`` returns of the host, ``gpus`` the answer of ``gpu_topology_info``, ``disks`` what
    ``disk_info`` returns of the disks. ``error`` is why something of it could not be read.
    """

    reachable: bool
    error: str | None
    host: dict[str, Any] | None
    gpus: dict[str, Any] | None
    disks: dict[str, Any] | None


def reading(variables: Mapping[str, Any]) -> Reading | None:
    """Return what the play registered of one host, None when it was not asked."""
    answers = readings(variables)
    if not answers:
        return None
    found: Reading = {
        "reachable": not any(answer.get("unreachable") for answer in answers.values()),
        "error": None,
        "host": answers.get("host", {}).get("host"),
        "gpus": answers["gpus"] if "topology" in answers.get("gpus", {}) else None,
        "disks": answers.get("disks", {}).get("disks"),
    }
    for kind, (_name, key) in READINGS.items():
        answer = answers.get(kind)
        if answer and key not in answer:
            found["error"] = found["error"] or answer.get("msg") or f"no answer about {kind}"
    return found
