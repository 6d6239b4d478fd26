# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""A host's part of the model: what its one reading is told."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._reading.wanted import Part

from . import role_files
from .model import Model


def part_of(model: Model, host: str) -> Part:
    """Return what a host needs to know to compare itself with what is wanted of it."""
    known = model["hosts"][host]
    version = str(known["settings"].get("nats_version"))
    pinned = role_files.nats_checksums().get(version)
    return {
        "components": known["components"],
        "settings": known["settings"],
        "asked": known["asked"],
        "packages": role_files.packages(),
        "nats_checksums": {version: pinned} if pinned else {},
    }
