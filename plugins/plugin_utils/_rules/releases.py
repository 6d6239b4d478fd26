# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""REL: rules about versions, binaries and their checksums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import needed_binaries
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import (
    ReleaseError,
    check_extract,
    is_name,
    is_url,
    parse_checksum,
)

from .._words import shown
from .deployed import deployed_programs, version_of
from .view import ERROR, INVENTORY, WARNING, Finding, Rule, View, differing, finding

RULES = {
    "REL001": Rule(ERROR, "inventory", "Hosts have different versions"),
    "REL002": Rule(ERROR, "inventory", "A binary has no source"),
    "REL003": Rule(ERROR, "inventory", "A binary's checksum is missing or malformed"),
    "REL004": Rule(ERROR, "inventory", "A binary's file is not on the control node"),
    "REL005": Rule(ERROR, "inventory", "A binary's file has another checksum"),
    "REL006": Rule(ERROR, "inventory", "Hosts are on different chains"),
    "REL007": Rule(WARNING, "inventory", "The chain was removed"),
    "REL008": Rule(WARNING, "host", "Hosts have programs of different versions"),
    "REL009": Rule(ERROR, "inventory", "A version or a file cannot have its name"),
}

REMOVED_CHAINS = {"taurus": "upstream removed it in August 2025; the test net is chronos"}


def check(view: View) -> Iterator[Finding]:
    hosts = [host for host in view.hosts if set(view.components(host)) - {"nats"}]
    versions = view.by_value(hosts, "cluster_version")
    if len(versions) > 1:
        message = (
            f"cluster_version differs: {differing(versions)}; components of different versions do not understand each "
            "other"
        )
        yield finding("REL001", hosts, INVENTORY, message, "Set cluster_version once, for the group all.")
    yield from _chains(view, hosts)
    yield from _mixed(view, hosts)
    for host in hosts:
        yield from _named(view, host, INVENTORY, "cluster_version")
        yield from _binaries(view, host)
    for host in view.members("nats"):
        yield from _named(view, host, "nats", "nats_version")
        if view.value(host, "nats_binary"):
            yield from _binary(view, host, "nats", "nats_binary", view.value(host, "nats_binary"))


def _named(view: View, host: str, component: str, variable: str) -> Iterator[Finding]:
    version = view.value(host, variable)
    if version is not None and not is_name(str(version)):
        message = f"{variable} is {shown(str(version))}, which cannot be the name of a folder"
        remedy = "Use letters, digits and . _ + ~ - only, beginning with a letter or digit."
        yield finding("REL009", [host], component, message, remedy)


def _binaries(view: View, host: str) -> Iterator[Finding]:
    binaries = view.value(host, "cluster_binaries")
    if binaries is None:
        return
    for name in needed_binaries(view.components(host)):
        if name not in binaries:
            message = f"cluster_binaries has no {name}"
            yield finding("REL002", [host], INVENTORY, message, f"Add {name} with src and checksum.")
    for name, binary in sorted(binaries.items(), key=str):
        if not is_name(str(name)):
            message = f"cluster_binaries has {shown(str(name))}, which cannot be the name of a file"
            yield finding("REL009", [host], INVENTORY, message, "Use the name of the program.")
        yield from _binary(view, host, INVENTORY, f"cluster_binaries[{name}]", binary)


def _chains(view: View, hosts: Sequence[str]) -> Iterator[Finding]:
    chains = view.by_value(hosts, "cluster_chain")
    if len(chains) > 1:
        message = f"cluster_chain differs: {differing(chains)}"
        yield finding("REL006", hosts, INVENTORY, message, "Set cluster_chain once, for the group all.")
    for chain in sorted(set(chains) & set(REMOVED_CHAINS)):
        message = f"cluster_chain is {chain}: {REMOVED_CHAINS[chain]}"
        remedy = "Choose mainnet or chronos; accept this finding only with binaries of 2024."
        yield finding("REL007", chains[chain], INVENTORY, message, remedy)


def _mixed(view: View, hosts: Sequence[str]) -> Iterator[Finding]:
    """Judge versions of defined programs, which an interrupted change leaves mixed, or one with --limit."""
    versions: dict[str, list[str]] = {}
    for host in hosts:
        there = {version_of(program) for program in deployed_programs(view, host)}
        for version in there - {None}:
            versions.setdefault(str(version), []).append(host)
    if len(versions) > 1:
        concerned = {host for there_hosts in versions.values() for host in there_hosts}
        message = (
            f"Hosts have programs of different versions: {differing(versions)}; caches of one version are not found by "
            "the other"
        )
        remedy = "Run site.yml for all hosts: it brings them to the cluster_version of the inventory."
        yield finding("REL008", concerned, INVENTORY, message, remedy)


def sources(model: Mapping[str, Any]) -> list[str]:
    """Return the ``src`` of all binaries that come from the control node, sorted."""
    found = set()
    for host in model["hosts"].values():
        settings = host["settings"]
        binaries = settings.get("cluster_binaries")
        entries = list(binaries.values()) if isinstance(binaries, dict) else []
        for binary in [*entries, settings.get("nats_binary")]:
            src = binary.get("src") if isinstance(binary, dict) else None
            if isinstance(src, str) and src and "://" not in src:
                found.add(str(src))
    return sorted(found)


def _binary(view: View, host: str, component: str, where: str, binary: object) -> Iterator[Finding]:
    entry = binary if isinstance(binary, dict) else {}
    src, checksum, extract = entry.get("src"), entry.get("checksum"), entry.get("extract")
    if not isinstance(src, str) or not src or ("://" in src and not is_url(src)):
        message = f"{where} has the src {shown(src)}; it must be an http or https URL, or a file on the control node"
        yield finding("REL002", [host], component, message, "Give src and checksum.")
        return
    try:
        check_extract(extract)
    except ReleaseError as error:
        message = f"{where}: {error}"
        yield finding("REL009", [host], component, message, "Give the path of the program as the archive lists it.")
    try:
        wanted = parse_checksum(checksum, src)
    except ReleaseError:
        message = f"{where} has the checksum {shown(checksum)}; it must be sha256: and 64 hexadecimal digits"
        remedy = "Take the checksum from whoever published the binary, not from where you got the file."
        yield finding("REL003", [host], component, message, remedy)
        return
    file = (view.control.get("files") or {}).get(src)
    if file is None:
        return
    if file["path"] is None:
        message = f"{where} has the src {src}, which is not on the control node (looked for {', '.join(file['tried'])})"
        yield finding("REL004", [host], component, message, "Correct src, or put the file there.")
    elif file["checksum"] != wanted:
        message = f"{where} wants {wanted} of {file['path']}, which has {file['checksum']}"
        remedy = "Fetch the file again, or correct the checksum if the file is the right one."
        yield finding("REL005", [host], component, message, remedy)
