# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""NATS: rules about the NATS servers and the URLs by which all components find them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import ARCHITECTURES
from ansible_collections.autonomys.cluster.plugins.module_utils._components.nats import CONFIG
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import NATS_CLIENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import parse_size
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.deployed import Told, configuration_file, told
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.limits import (
    LEAST_LAME_DUCK,
    MAX_PAYLOAD,
    name_fault,
    parse_duration,
)

from .._words import names, shown
from .deployed import Deployed, programs_of, same_folder
from .versions import numbers
from .view import ERROR, WARNING, Finding, Rule, View, differing, finding

RULES = {
    "NATS001": Rule(ERROR, "inventory", "nats_max_payload is below 2 MiB"),
    "NATS002": Rule(WARNING, "inventory", "The number of NATS servers is even, or one"),
    "NATS003": Rule(ERROR, "inventory", "Settings that all NATS servers share differ"),
    "NATS004": Rule(WARNING, "inventory", "A size is in powers of 1000"),
    "NATS005": Rule(ERROR, "inventory", "NATS servers have the same name"),
    "NATS006": Rule(ERROR, "inventory", "A size is malformed"),
    "NATS007": Rule(WARNING, "inventory", "The NATS version has known vulnerabilities"),
    "NATS008": Rule(ERROR, "inventory", "The NATS version has no pinned checksum"),
    "NATS009": Rule(ERROR, "inventory", "A NATS URL is listed twice"),
    "NATS010": Rule(ERROR, "inventory", "A NATS URL points outside the inventory"),
    "NATS011": Rule(ERROR, "inventory", "A NATS URL is malformed"),
    "NATS012": Rule(WARNING, "inventory", "A NATS server is in no list of URLs"),
    "NATS013": Rule(ERROR, "inventory", "The routes between NATS servers are wrong"),
    "NATS014": Rule(ERROR, "host", "A NATS server would be renamed"),
    "NATS015": Rule(ERROR, "host", "JetStream's data would be left behind"),
    "NATS016": Rule(ERROR, "inventory", "nats-server refuses a name"),
    "NATS017": Rule(ERROR, "inventory", "nats_max_payload is too large"),
    "NATS018": Rule(ERROR, "inventory", "A duration is malformed or too short"),
    "NATS019": Rule(WARNING, "inventory", "The NATS version is no longer maintained"),
}

MIN_MAX_PAYLOAD = 2 * 1024 * 1024

SIZES = ("nats_max_payload", "nats_max_pending", "nats_jetstream_max_memory", "nats_jetstream_max_file")

SHARED = ("nats_max_payload", "nats_cluster_name", "nats_version")

DURATIONS = ("nats_lame_duck_duration", "nats_write_deadline")

# Vulnerability, by its CVE or by the number of its advisory (advisories.nats.io) → the first fixed version of each
# line of releases; older lines got no fix, newer ones began with it.
FIXES = {
    "CVE-2025-30215": ("2.10.27", "2.11.1"),
    "CVE-2026-33222": ("2.11.15", "2.12.6"),
    "secnote-2026-16": ("2.11.16", "2.12.7", "2.14.0"),
    "secnote-2026-26": ("2.12.12", "2.14.3"),
}

# Lines of releases that get no fixes any more, up to this one.
LAST_UNMAINTAINED = (2, 11)
# The newest pinned releases of the lines that do.
MAINTAINED = "2.12.15 or 2.14.5"

URL = re.compile(r"^(?:nats|tls)://([0-9.]+):([0-9]+)/?$")


def check(view: View) -> Iterator[Finding]:
    servers = view.members("nats")
    yield from _count(servers)
    yield from _shared(view, servers)
    for host in servers:
        yield from _sizes(view, host)
        yield from _durations(view, host)
        yield from _version(view, host)
    for host, facts in view.read("host", "nats"):
        yield from _data(view, host, facts)
    yield from _peers(view, servers)
    yield from _urls(view)


def _count(servers: Sequence[str]) -> Iterator[Finding]:
    count = len(servers)
    if count == 1:
        message = "There is one NATS server: the whole cluster stops while it is down"
        yield finding("NATS002", servers, "nats", message, "Use three NATS servers, or accept this finding.")
    elif count and count % 2 == 0:
        message = (
            f"There are {count} NATS servers: they survive the loss of {count // 2 - 1}, no more than {count - 1} would"
        )
        remedy = "Use an odd number of NATS servers, three for most clusters."
        yield finding("NATS002", servers, "nats", message, remedy)


def _shared(view: View, servers: Sequence[str]) -> Iterator[Finding]:
    """Judge what all servers must have in common, and the name that each must have for itself."""
    for name in SHARED:
        groups = view.by_value(servers, name)
        if len(groups) > 1:
            message = f"{name} differs: {differing(groups)}"
            yield finding("NATS003", servers, "nats", message, f"Set {name} once, for the group nats.")
    for name, hosts in sorted(view.by_value(servers, "nats_server_name").items()):
        if len(hosts) > 1:
            message = f"{names(hosts)} have the nats_server_name {shown(name)}"
            remedy = "Give each server its own name that never changes; the default is the host's name."
            yield finding("NATS005", hosts, "nats", message, remedy)
    for variable in ("nats_server_name", "nats_cluster_name"):
        for name, hosts in sorted(view.by_value(servers, variable).items()):
            fault = name_fault(name)
            if fault:
                message = f"{variable} is {shown(name)}, which nats-server refuses: {fault}"
                yield finding("NATS016", hosts, "nats", message, "Choose a name without spaces that never changes.")


def _sizes(view: View, host: str) -> Iterator[Finding]:
    sizes = {}
    for name in SIZES:
        value = view.value(host, name)
        if value is None:
            continue
        try:
            size: int = parse_size(value)
            if size < 0:
                raise ValueError(f"{value} is negative")
        except ValueError:
            message = f"{name} is {shown(value)}, which nats-server does not read as a size"
            remedy = "Write a whole number and KB, MB or GB without a space, such as 3MB."
            yield finding("NATS006", [host], "nats", message, remedy)
            continue
        sizes[name] = size
        decimal = re.match(r"^[0-9]+[kmgtp]$", str(value), re.IGNORECASE)
        if name == "nats_max_payload" and size < MIN_MAX_PAYLOAD:
            why = f"; {str(value)[-1]} counts in powers of 1000" if decimal else ""
            least = f"{MIN_MAX_PAYLOAD:,}{why}"
            message = f"{name} is {value}, {size:,} bytes; the farmer refuses servers with less than {least}"
            yield finding("NATS001", [host], "nats", message, "Set nats_max_payload to 3MB on all servers.")
        elif decimal:
            message = (
                f"{name} is {value}, {size:,} bytes; nats-server counts only sizes that end in B in powers of 1024"
            )
            yield finding("NATS004", [host], "nats", message, f"Write {value}B.")
    yield from _payload(host, sizes.get("nats_max_payload"), sizes.get("nats_max_pending"))


def _payload(host: str, payload: int | None, pending: int | None) -> Iterator[Finding]:
    """Judge whether a server starts with these sizes; ``nats-server -t`` does not."""
    if payload is None:
        return
    if payload > MAX_PAYLOAD:
        message = f"nats_max_payload is {payload:,} bytes; nats-server takes {MAX_PAYLOAD:,} at most"
        yield finding("NATS017", [host], "nats", message, "Set nats_max_payload to 3MB on all servers.")
    elif pending is not None and payload > pending:
        message = (
            f"nats_max_payload is {payload:,} bytes, more than nats_max_pending with {pending:,}: nats-server does not "
            "start so"
        )
        yield finding("NATS017", [host], "nats", message, "Set nats_max_pending to 256MB, or lower nats_max_payload.")


def _durations(view: View, host: str) -> Iterator[Finding]:
    for name in DURATIONS:
        value = view.value(host, name)
        if value is None:
            continue
        try:
            seconds = parse_duration(value)
        except ValueError:
            message = f"{name} is {shown(value)}, which nats-server does not read as a duration"
            yield finding("NATS018", [host], "nats", message, "Write a number and s, m or h, such as 30s.")
            continue
        if name == "nats_lame_duck_duration" and seconds < LEAST_LAME_DUCK:
            message = f"{name} is {value}; nats-server does not start with less than {LEAST_LAME_DUCK}s"
            yield finding("NATS018", [host], "nats", message, f"Set {name} to {LEAST_LAME_DUCK}s or more.")


def vulnerabilities(version: object) -> list[str]:
    """Return the known vulnerabilities of a version of nats-server."""
    given = numbers(version)
    return [
        name for name, fixes in sorted(FIXES.items()) if given and not _fixed(given, [numbers(fix) for fix in fixes])
    ]


def _fix(version: object, known: Sequence[str]) -> str:
    """Return the first version without these vulnerabilities: of the same line of releases if it has one."""
    fixes = [FIXES[name] for name in known]
    same = [fix for versions in fixes for fix in versions if numbers(fix)[:2] == numbers(version)[:2]]
    if len(same) == len(known):
        return max(same, key=numbers)
    return max((versions[-1] for versions in fixes), key=numbers)


def _fixed(version: tuple[int, ...], fixes: Sequence[tuple[int, ...]]) -> bool:
    return version[:2] > fixes[-1][:2] or any(version[:2] == fix[:2] and version >= fix for fix in fixes)


def _version(view: View, host: str) -> Iterator[Finding]:
    version = view.value(host, "nats_version")
    if version is None:
        return
    known = vulnerabilities(version)
    if known:
        message = f"nats_version {version} has known vulnerabilities: {names(known)}"
        yield finding("NATS007", [host], "nats", message, f"Use {_fix(version, known)} or newer.")
    if numbers(version) and numbers(version)[:2] <= LAST_UNMAINTAINED:
        message = f"nats_version {version} is of a line of releases that gets no fixes any more"
        yield finding("NATS019", [host], "nats", message, f"Use {MAINTAINED}.")
    checksums = view.control.get("nats_checksums")
    if not checksums or view.value(host, "nats_binary"):
        return
    architecture = ARCHITECTURES.get(view.host_facts(host).get("architecture", "x86_64"))
    if architecture and architecture not in checksums.get(str(version), {}):
        message = f"nats_version {version} has no pinned checksum for {architecture}; pinned are {_range(checksums)}"
        remedy = "Choose a pinned version, without a leading v, or give nats_binary with src, checksum and extract."
        yield finding("NATS008", [host], "nats", message, remedy)


def _range(checksums: Mapping[str, object]) -> str:
    versions = sorted(checksums, key=numbers)
    return f"{len(versions)} versions from {versions[0]} to {versions[-1]}"


def _data(view: View, host: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge whether a server that is deployed keeps its name and its folder."""
    store, name = view.value(host, "nats_store_dir"), view.value(host, "nats_server_name")
    for program in programs_of(view, host, "nats"):
        server = _told(program, facts.get("files") or {})
        if server is None:
            continue
        if server.unknown:
            message = f"Where {program['name']} keeps its data, and under which name, is not known: {server.unknown}"
            remedy = "Compare both with nats_store_dir and nats_server_name yourself, then accept this finding once."
            yield finding("NATS015", [host], "nats", message, remedy, WARNING)
            continue
        filled = ((facts.get("disks") or {}).get(store) or {}).get("empty") is False
        if name and server.name and str(name) != server.name and filled:
            message = (
                f"nats_server_name is {name}, but JetStream knows this server and its data in {store} as {server.name}"
            )
            remedy = (
                f"Set nats_server_name: {server.name}. A renamed server stays behind as a ghost peer until nats server "
                "raft peer-remove."
            )
            yield finding("NATS014", [host], "nats", message, remedy)
        if store and server.store_dir and not same_folder(store, server.store_dir):
            message = f"nats_store_dir is {store}, but the server keeps its data in {server.store_dir}"
            remedy = "Set it back; or stop the server, move the folder there yourself, and accept this finding once."
            yield finding("NATS015", [host], "nats", message, remedy)


def _told(program: Deployed, files: Mapping[str, Any]) -> Told | None:
    """Return what a server has been told, None where there is nothing to compare."""
    command = program.get("command") or []
    if not command:
        return Told(None, None, f"its command in {program['file']} cannot be read")
    path = configuration_file(command)
    if path == CONFIG and not files.get(CONFIG):
        # Without its file this server cannot start: nothing is lost.
        return None
    return told(command, (files.get(path) or {}).get("content") if path else None)


def _urls(view: View) -> Iterator[Finding]:
    servers = {}
    for host in view.members("nats"):
        servers[f"{view.address(host)}:{view.value(host, 'nats_client_port')}"] = host
    derived = view.derived("nats://", "nats", "nats_client_port")
    for component in NATS_CLIENTS:
        name = component + "_nats_servers"
        checked: dict[tuple[str, ...], list[str]] = {}
        for host in view.members(component):
            urls = view.value(host, name)
            if urls is not None and [str(url) for url in urls] != derived:
                checked.setdefault(tuple(str(url) for url in urls), []).append(host)
        for given, hosts in sorted(checked.items()):
            yield from _list(component, given, hosts, servers)


def _list(component: str, urls: Sequence[str], hosts: Sequence[str], servers: Mapping[str, str]) -> Iterator[Finding]:
    """Judge URLs that the inventory gives by hand; ``servers``: address and port of each server to its host."""
    name = component + "_nats_servers"
    remedy = f"Remove {name} from the inventory: the list is derived from the group nats."
    listed = []
    for url in urls:
        match = URL.match(url)
        if match:
            listed.append(f"{match[1]}:{match[2]}")
            continue
        message = (
            f"{name} has {shown(url)}; a URL must be nats://ADDRESS:PORT, without a name or credentials (the client "
            "ignores these)"
        )
        yield finding("NATS011", hosts, component, message, remedy)
    missing = sorted(set(servers) - set(listed))
    for endpoint in sorted({endpoint for endpoint in listed if listed.count(endpoint) > 1}):
        lost = f"; {names(missing)} is in no entry" if missing else ""
        yield finding("NATS009", hosts, component, f"{name} has {endpoint} twice{lost}", remedy)
    foreign = sorted(set(listed) - set(servers))
    if servers and foreign:
        message = f"{name} has {names(foreign)}; the NATS servers of the inventory are {names(sorted(servers))}"
        yield finding("NATS010", hosts, component, message, remedy)
    if missing and len(set(listed)) == len(listed):
        message = f"{name} lacks {names([f'{servers[endpoint]} ({endpoint})' for endpoint in missing])}"
        yield finding("NATS012", hosts, component, message, remedy)


def _peers(view: View, servers: Sequence[str]) -> Iterator[Finding]:
    """Judge routes that the inventory gives by hand."""
    derived = {str(view.value(host, "nats_server_name")): view.address(host) for host in servers}
    remedy = "Remove nats_peers from the inventory: it is derived from the group nats."
    given: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for host in servers:
        peers = view.value(host, "nats_peers")
        if isinstance(peers, dict) and peers:
            routes = tuple(sorted((str(name), str(address)) for name, address in peers.items()))
            given.setdefault(routes, []).append(host)
    for routes, hosts in sorted(given.items()):
        faults = list(_route_faults(routes, derived))
        if faults:
            yield finding("NATS013", hosts, "nats", f"nats_peers {' and '.join(faults)}", remedy)


def _route_faults(routes: Sequence[tuple[str, str]], derived: Mapping[str, str | None]) -> Iterator[str]:
    """Yield what is wrong with routes, as pairs of name and address."""
    known = {address for address in derived.values() if address}
    foreign = sorted({address for _name, address in routes} - known)
    if foreign:
        yield f"has {names(foreign)}, which no NATS server of the inventory has"
    misnamed = sorted(name for name, address in routes if address in known and derived.get(name) != address)
    if misnamed:
        yield f"calls servers {names(misnamed)}, which have other names"
    there = {address for _name, address in routes}
    lacking = sorted(name for name, address in derived.items() if address not in there)
    if lacking:
        yield f"lacks {names([f'{name} ({derived[name]})' for name in lacking])}"
