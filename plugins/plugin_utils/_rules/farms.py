# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""FARM: rules about the farms that plot clients are given, and those that are on their disks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components import plot_client
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import (
    DEFAULT_PIECES_IN_SECTOR,
    MAX_PIECES_IN_SECTOR,
    MAX_SECTORS,
)

from .. import _ss58
from .._words import names, shown
from .deployed import farms_of, option, programs_of
from .view import ERROR, WARNING, Finding, Rule, View, finding

RULES = {
    "FARM001": Rule(ERROR, "inventory", "The reward address is wrong"),
    "FARM002": Rule(ERROR, "inventory", "A farm's path cannot be passed on"),
    "FARM003": Rule(ERROR, "inventory", "A farm's number of sectors is malformed"),
    "FARM004": Rule(ERROR, "inventory", "A farm has too many sectors"),
    "FARM005": Rule(ERROR, "inventory", "A farm is listed twice"),
    "FARM006": Rule(ERROR, "inventory", "A plot client has too many farms"),
    "FARM007": Rule(WARNING, "inventory", "A plot client has no farm"),
    "FARM008": Rule(ERROR, "host", "Plots are of another chain"),
    "FARM009": Rule(ERROR, "host", "A deployed farm is no longer listed"),
    "FARM010": Rule(ERROR, "host", "A farm's identity exists twice"),
    "FARM011": Rule(ERROR, "inventory", "The number of pieces in a sector is out of range"),
    "FARM012": Rule(WARNING, "inventory", "The reward address is of another network"),
}

MAX_FARMS = 256

# Genesis hash → the chain that farms with it were plotted for.
CHAINS = {
    "66455a580aabff303720aa83adbe6c44502922251c03ba73686d5245da9e21bd": "mainnet",
    "295aeafca762a304d92ee1505548695091f6082d3f0aa4d092ac3cd6397a6c5e": "taurus",
    "91912b429ce7bf2975440a0920b46a892fddeeaed6ccc11c93f2d57ad1bd69ab": "chronos",
}

# How wallets write addresses for Autonomys: those of its main net, of its test nets, and of no network.
NETWORKS = (6094, 2254, 42)

COMPONENT = "plot_client"

# A farm on a host: (host, path, what its files say).
FarmFiles = tuple[str, str, Mapping[str, Any]]


def check(view: View) -> Iterator[Finding]:
    for host in view.members(COMPONENT):
        yield from _reward(view, host)
        yield from _pieces(view, host)
        farms = listed_farms(view, host)
        if farms is not None:
            yield from _listed(host, farms)
        yield from _dropped(view, host)
    farms_there = list(_plotted_farms(view))
    yield from _chains(view, farms_there)
    yield from _copies(farms_there)


def listed_farms(view: View, host: str) -> list[Mapping[str, Any]] | None:
    """Return the farms that are passed on, None when the list is wrong."""
    farms = view.value(host, "plot_client_farms")
    if not isinstance(farms, list):
        return None
    if not all(isinstance(farm, dict) and isinstance(farm.get("path"), str) for farm in farms):
        return None
    return plot_client.present_farms({"plot_client_farms": farms})


def pieces_in_sector(view: View, host: str) -> int:
    """Return the pieces in a sector, the usual number where the variable is missing or wrong."""
    pieces = view.value(host, "plot_client_pieces_in_sector")
    right = isinstance(pieces, int) and 1 <= pieces <= MAX_PIECES_IN_SECTOR
    return pieces if right else DEFAULT_PIECES_IN_SECTOR


def sectors_of(farm: Mapping[str, Any]) -> int | None:
    """Return a farm's number of sectors, None with ``auto`` and with anything else."""
    text = str(farm.get("sectors", "auto"))
    return int(text) if re.match(r"^[0-9]+$", text) else None


def _reward(view: View, host: str) -> Iterator[Finding]:
    address = view.value(host, "plot_client_reward_address")
    if address is None:
        return
    try:
        network, _key = _ss58.decode(str(address))
    except _ss58.Ss58Error as error:
        message = f"plot_client_reward_address {shown(str(address))} is not an address: {error}"
        remedy = "Copy the address from your wallet again; rewards to a wrong one are lost."
        yield finding("FARM001", [host], COMPONENT, message, remedy)
        return
    if network not in NETWORKS:
        message = f"plot_client_reward_address is an address of another network (its number is {network})"
        remedy = (
            "Check that the key is yours, not that of an exchange; better copy the address from a wallet of Autonomys."
        )
        yield finding("FARM012", [host], COMPONENT, message, remedy)


def _pieces(view: View, host: str) -> Iterator[Finding]:
    pieces = view.value(host, "plot_client_pieces_in_sector")
    if pieces is not None and pieces_in_sector(view, host) != pieces:
        message = f"plot_client_pieces_in_sector is {pieces}; a sector has 1 to {MAX_PIECES_IN_SECTOR} pieces"
        remedy = f"Leave it out: {DEFAULT_PIECES_IN_SECTOR} is what the chain says."
        yield finding("FARM011", [host], COMPONENT, message, remedy)


def _listed(host: str, farms: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    paths: dict[str, list[str]] = {}
    for farm in farms:
        paths.setdefault(posixpath.normpath(farm["path"]), []).append(farm["path"])
        yield from _farm(host, farm)
    for path, same in sorted(paths.items()):
        if len(same) > 1:
            message = f"plot_client_farms has {path} {len(same)} times"
            yield finding("FARM005", [host], COMPONENT, message, "Remove all but one.")
    if len(farms) > MAX_FARMS:
        message = f"plot_client_farms has {len(farms)} farms; a plot client serves {MAX_FARMS} at most"
        remedy = "Join disks, for example with LVM or RAID 0, or use more hosts."
        yield finding("FARM006", [host], COMPONENT, message, remedy)
    if not farms:
        message = "plot_client_farms has no farm with the state present"
        remedy = "Add farms, or take the host out of the group plot_client."
        yield finding("FARM007", [host], COMPONENT, message, remedy)


def _farm(host: str, farm: Mapping[str, Any]) -> Iterator[Finding]:
    path, sectors, number = farm["path"], farm.get("sectors", "auto"), sectors_of(farm)
    if re.search(r"[\s,]", path) or not path.startswith("/"):
        message = (
            f"The path of a farm is {shown(path)}; the farmer's option path=…,sectors=… needs an absolute path without "
            "commas and spaces"
        )
        yield finding("FARM002", [host], COMPONENT, message, "Mount the disk elsewhere.")
    if str(sectors) != "auto" and not number:
        message = f"sectors of {path} is {shown(sectors)}"
        yield finding("FARM003", [host], COMPONENT, message, "Write auto or a number of at least 1.")
    elif number and number > MAX_SECTORS:
        message = f"sectors of {path} is {number}; a farm has {MAX_SECTORS} at most"
        yield finding("FARM004", [host], COMPONENT, message, "Lower it, or split the disk.")


def _dropped(view: View, host: str) -> Iterator[Finding]:
    farms = view.value(host, "plot_client_farms")
    if not isinstance(farms, list):
        return
    listed = {posixpath.normpath(str(farm.get("path"))) for farm in farms if isinstance(farm, dict)}
    remedy = "Add it again, or list it with state: absent if it is no longer to be farmed."
    for program in programs_of(view, host, COMPONENT):
        if not program.get("command"):
            message = f"Which farms {program['name']} has is not known: its command in {program['file']} cannot be read"
            remedy = "Compare them with plot_client_farms yourself, then accept this finding once."
            yield finding("FARM009", [host], COMPONENT, message, remedy, WARNING)
        for path, size in sorted(farms_of(program).items()):
            if path not in listed:
                message = f"plot_client_farms lacks {path}, which is deployed with {size}"
                yield finding("FARM009", [host], COMPONENT, message, remedy)


def _plotted_farms(view: View) -> Iterator[FarmFiles]:
    """Yield the farms that are there and passed on."""
    for host, disks in view.read("disks", COMPONENT):
        for farm in view.value(host, "plot_client_farms") or []:
            path = farm.get("path") if isinstance(farm, dict) and farm.get("state", "present") == "present" else None
            files = (disks.get(path) or {}).get("farm") if isinstance(path, str) else None
            if isinstance(path, str) and files:
                yield host, path, files


def _chains(view: View, farms: Sequence[FarmFiles]) -> Iterator[Finding]:
    """Find farms that were plotted for another chain: the farmer refuses them; to plot them again loses the plots."""
    remedy = (
        "Set cluster_chain back, or give the new chain other paths. To plot these anew, delete their files yourself."
    )
    before = _deployed_chains(view)
    unknown: dict[str, list[tuple[str, str]]] = {}
    for host, path, files in farms:
        genesis, chain = files.get("genesis_hash"), view.value(host, "cluster_chain")
        if not genesis or not chain:
            continue
        genesis = genesis.lower().replace("0x", "", 1)
        plotted_for = CHAINS.get(genesis)
        if plotted_for and plotted_for != chain:
            message = f"cluster_chain is {chain}, but {path} was plotted for {plotted_for}"
            yield finding("FARM008", [host], COMPONENT, message, remedy)
        elif not plotted_for and before and chain not in before:
            message = f"cluster_chain is {chain}, but {path} was plotted while the nodes were on {names(before)}"
            yield finding("FARM008", [host], COMPONENT, message, remedy)
        elif not plotted_for:
            unknown.setdefault(genesis, []).append((host, path))
    if len(unknown) > 1:
        parts = [f"{genesis[:8]}… ({_places(places)})" for genesis, places in sorted(unknown.items())]
        hosts = {host for places in unknown.values() for host, _path in places}
        message = f"Farms were plotted for different chains: {'; '.join(parts)}"
        yield finding("FARM008", hosts, COMPONENT, message, remedy, WARNING)


def _deployed_chains(view: View) -> list[str]:
    """Return the chains that the nodes on the hosts were started for."""
    commands = [
        program.get("command") or [] for host in view.members("node") for program in programs_of(view, host, "node")
    ]
    return sorted({option(command, "--chain") or "" for command in commands} - {""})


def _places(places: Sequence[tuple[str, str]]) -> str:
    return names([f"{path} on {host}" for host, path in places])


def _copies(farms: Sequence[FarmFiles]) -> Iterator[Finding]:
    """Find the same farm in two places: a disk that was copied, or one disk under two paths."""
    remedy = (
        "Keep one of them: two farms with one identity farm the same sectors. Delete the copy, or list it with "
        "state: absent."
    )
    reported = set()
    for key, what in (("identity", "identity.bin"), ("id", "single_disk_farm.json")):
        places: dict[str, list[tuple[str, str]]] = {}
        for host, path, files in farms:
            if files.get(key):
                places.setdefault(files[key], []).append((host, path))
        for _value, same in sorted(places.items()):
            if len(same) > 1 and tuple(same) not in reported:
                reported.add(tuple(same))
                message = f"{what} is the same at {_places(same)}"
                yield finding("FARM010", {host for host, _path in same}, COMPONENT, message, remedy)
