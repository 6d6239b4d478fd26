# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The plot clients, which keep the farms on the disks of the storage hosts."""

from __future__ import annotations

from typing import Any, Mapping

from .._sectors import existing_sectors
from . import names
from .common import Component, Facts, Programs, Settings, SettingsError, ShortestStop, connected, farmer, make_program

FILE = "autonomys-plot-client"


def farm_sectors(s: Settings, farm: Mapping[str, Any], disk: Mapping[str, Any]) -> int:
    """Return the number of sectors of a farm: as given, or with ``auto`` what its disk holds when the farm is created.

    An existing farm keeps its number: a plot that shrinks by the rounding of a file system would lose sectors.
    """
    if str(farm.get("sectors", "auto")) != "auto":
        return int(farm["sectors"])
    if "existing_plot_bytes" not in disk:
        raise SettingsError(f"the disk of the farm {farm['path']} was not read, so its sectors cannot be counted")
    if disk.get("error"):
        raise SettingsError(
            f"the disk of the farm {farm['path']} cannot be read, so its sectors cannot be counted: {disk['error']}"
        )
    there = existing_sectors(disk["existing_plot_bytes"], s["plot_client_pieces_in_sector"])
    return there or int(disk["max_sectors"])


def present_farms(s: Settings) -> list[Mapping[str, Any]]:
    """Return the farms that are passed to the plot client."""
    return [farm for farm in s["plot_client_farms"] if farm.get("state", "present") == "present"]


def _build(s: Settings, facts: Facts) -> Programs:
    farms, disks = present_farms(s), facts.get("disks") or {}
    command = farmer(s, "plot_client", "plot-client", "--reward-address", s["plot_client_reward_address"])
    command += s["plot_client_extra_args"]
    command += [f"path={farm['path']},sectors={farm_sectors(s, farm, disks.get(farm['path'], {}))}" for farm in farms]
    paths = [farm["path"].rstrip("/") for farm in farms]
    program = make_program(s, "plot_client", FILE, command)
    program["state_directories"] = paths
    evidence = connected(s, "plot_client")
    evidence["open_under"] = paths
    yield program, evidence


COMPONENT = Component(
    name="plot_client",
    build=_build,
    binary=names.FARMER,
    file=FILE,
    uses=("nats",),
    without="nothing is farmed",
    needs="all",
    shortest_stop=ShortestStop(30, "a farmer can take minutes to stop"),
)
