# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Storage in the plan: what a host's disks hold of plots now, and what is planned for them. Pure functions."""

from __future__ import annotations

from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.plot_client import farm_sectors
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import existing_sectors, farm_files

from .shape import WRONG, Facts, Farm, Settings


def farms_of(settings: Settings, facts: Facts) -> list[Farm]:
    """Return the farms of a host with the bytes of plots there now, planned and free."""
    disks = facts["disks"] or {}
    return [
        _farm(settings, farm, disks.get(farm["path"]) or {})
        for farm in settings.get("plot_client_farms") or []
        if isinstance(farm, dict) and farm.get("path")
    ]


def _farm(settings: Settings, farm: dict[str, Any], disk: dict[str, Any]) -> Farm:
    entry: Farm = {
        "path": farm["path"],
        "state": farm.get("state", "present"),
        "wanted": str(farm.get("sectors", "auto")),
        "mountpoint": disk.get("mountpoint"),
        "device": disk.get("device"),
        "fstype": disk.get("fstype"),
        "size": disk.get("size"),
        "available": disk.get("available"),
        "existing_plot_bytes": disk.get("existing_plot_bytes"),
        "max_sectors": disk.get("max_sectors"),
        "sectors": None,
        "sectors_there": None,
        "planned_bytes": None,
    }
    # What cannot be told stays None, and what comes before it is told all the same.
    try:
        sectors = entry["sectors"] = farm_sectors(settings, farm, disk)
        pieces = int(settings["plot_client_pieces_in_sector"])
        entry["sectors_there"] = existing_sectors(disk["existing_plot_bytes"], pieces)
        entry["planned_bytes"] = sum(farm_files(sectors, pieces).values())
    except WRONG:
        pass
    return entry
