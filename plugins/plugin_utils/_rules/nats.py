# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""NATS: rules about the NATS servers and the URLs by which all components find them."""

from __future__ import annotations

import re

from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import ARCHITECTURES
from ansible_collections.autonomys.cluster.plugins.module_utils._components.nats import COMPONENT, CONFIG
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import NATS_CLIENTS
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import parse_size

from .deployed import deployed_program
from .view import ERROR, WARNING, Rule, differing, finding, names, shown

RULES = {
    "NATS001": Rule(ERROR, "inventory", "nats_max_payload is below 2 MiB"),
    "NATS002": Rule(WARNING, "inventory", "The number of NATS servers is not odd, or is one"),
    "NATS003": Rule(ERROR, "inventory", "Settings that all NATS servers share differ"),
    "NATS004": Rule(WARNING, "inventory", "A size is in powers of 1000"),
    "NATS005": Rule(ERROR, "inventory", "NATS servers have the same name"),
    "NATS006": Rule(ERROR, "inventory", "A size is malformed"),
    "NATS007": Rule(WARNING, "inventory", "The NATS version has known vulnerabilities"),
    "NATS008": Rule(ERROR, "inventory", "The NATS version has no pinned checksum"),
    "NATS009": Rule(ERROR, "inventory", "A NATS URL is listed twice"),
    "NATS010": Rule(ERROR, "inventory", "A NATS URL leads out of the inventory"),
    "NATS011": Rule(ERROR, "inventory", "A NATS URL is malformed"),
    "NATS012": Rule(WARNING, "inventory", "A NATS server is in no list of URLs"),
    "NATS013": Rule(ERROR, "inventory", "The routes between NATS servers are wrong"),
    "NATS014": Rule(ERROR, "host", "A NATS server would be renamed"),
    "NATS015": Rule(ERROR, "host", "JetStream's data would be left behind"),
}

MIN_MAX_PAYLOAD = 2 * 1024 * 1024

SIZES = ("nats_max_payload", "nats_max_pending", "nats_jetstream_max_memory", "nats_jetstream_max_file")

SHARED = ("nats_max_payload", "nats_cluster_name", "nats_version")

# Vulnerability → the first fixed version of each line of releases; older lines got no fix, newer ones began with it.
FIXES = {
    "CVE-2025-30215": ("2.10.27", "2.11.1"),
    "CVE-2026-33222": ("2.11.15", "2.12.6"),
}

URL = re.compile(r"^(?:nats|tls)://([0-9.]+):([0-9]+)/?$")


def check(view):
    servers = view.members("nats")
    yield from _count(servers)
    for name in SHARED:
        groups = view.by_value(servers, name)
        if len(groups) > 1:
            yield finding(
                "NATS003",
                servers,
                "nats",
                f"{name} differs: {differing(groups)}",
                f"Set {name} once, for the group nats.",
            )
    for name, hosts in sorted(view.by_value(servers, "nats_server_name").items()):
        if len(hosts) > 1:
            message = f"{names(hosts)} have the nats_server_name {shown(name)}"
            yield finding(
                "NATS005",
                hosts,
                "nats",
                message,
                "Give each server its own name that never changes; the default is the host's name.",
            )
    for host in servers:
        yield from _sizes(view, host)
        yield from _version(view, host)
    for host, facts in view.read("host", "nats"):
        yield from _data(view, host, facts)
    yield from _peers(view, servers)
    yield from _urls(view)


def _count(servers):
    if len(servers) == 1:
        remedy = "Use three NATS servers, or accept this finding."
        yield finding(
            "NATS002", servers, "nats", "There is one NATS server: the whole cluster stops while it is down", remedy
        )
    elif servers and len(servers) % 2 == 0:
        message = f"There are {len(servers)} NATS servers: they survive the loss of {len(servers) // 2 - 1}, no more than {len(servers) - 1} would"
        yield finding(
            "NATS002", servers, "nats", message, "Use an odd number of NATS servers, three for most clusters."
        )


def _sizes(view, host):
    for name in SIZES:
        value = view.value(host, name)
        if value is None:
            continue
        try:
            size = parse_size(value)
        except ValueError:
            message = f"{name} is {shown(value)}, which nats-server does not read as a size"
            yield finding(
                "NATS006", [host], "nats", message, "Write a whole number and KB, MB or GB without a space, as 3MB."
            )
            continue
        decimal = re.match(r"^[0-9]+[kmgtp]$", str(value), re.IGNORECASE)
        if name == "nats_max_payload" and size < MIN_MAX_PAYLOAD:
            why = f"; {str(value)[-1]} counts in powers of 1000" if decimal else ""
            message = f"{name} is {value}, {_bytes(size)} bytes; the farmer refuses servers with less than {_bytes(MIN_MAX_PAYLOAD)}{why}"
            yield finding("NATS001", [host], "nats", message, "Set nats_max_payload to 3MB on all servers.")
        elif decimal:
            message = f"{name} is {value}, {_bytes(size)} bytes; nats-server counts only sizes that end in B in powers of 1024"
            yield finding("NATS004", [host], "nats", message, f"Write {value}B.")


def _bytes(number):
    return f"{number:,}"


def _numbers(version):
    match = re.match(r"^v?(\d+)\.(\d+)\.(\d+)", str(version))
    return tuple(int(number) for number in match.groups()) if match else None


def vulnerabilities(version):
    """The known vulnerabilities of a version of nats-server."""
    numbers = _numbers(version)
    return [
        cve for cve, fixes in sorted(FIXES.items()) if numbers and not _fixed(numbers, [_numbers(fix) for fix in fixes])
    ]


def _fixed(version, fixes):
    return version[:2] > fixes[-1][:2] or any(version[:2] == fix[:2] and version >= fix for fix in fixes)


def _version(view, host):
    version = view.value(host, "nats_version")
    if version is None:
        return
    known = vulnerabilities(version)
    if known:
        fixed = FIXES[known[-1]][-1]
        message = f"nats_version {version} has known vulnerabilities: {names(known)}"
        yield finding("NATS007", [host], "nats", message, f"Use {fixed} or newer.")
    checksums = view.control.get("nats_checksums")
    if not checksums or view.value(host, "nats_binary"):
        return
    facts = (view.facts.get(host) or {}).get("host") or {}
    machine = facts.get("architecture", "x86_64")
    architecture = ARCHITECTURES.get(machine)
    if architecture and architecture not in checksums.get(str(version), {}):
        message = f"nats_version {version} has no pinned checksum for {architecture}; pinned are {_range(checksums)}"
        yield finding(
            "NATS008",
            [host],
            "nats",
            message,
            "Choose a pinned version, without a leading v, or give nats_binary with src, checksum and extract.",
        )


def _range(checksums):
    versions = sorted(checksums, key=lambda version: _numbers(version) or (0,))
    return f"{len(versions)} versions from {versions[0]} to {versions[-1]}"


def _urls(view):
    servers = {}
    for host in view.members("nats"):
        servers[f"{view.address(host)}:{view.value(host, 'nats_client_port')}"] = host
    derived = view.derived("nats://", "nats", "nats_client_port")
    for component in NATS_CLIENTS:
        name = component + "_nats_servers"
        checked = {}
        for host in view.members(component):
            urls = view.value(host, name)
            if urls is not None and [str(url) for url in urls] != derived:
                checked.setdefault(tuple(str(url) for url in urls), []).append(host)
        for urls, hosts in sorted(checked.items()):
            yield from _list(component, name, urls, hosts, servers)


def _list(component, name, urls, hosts, servers):
    remedy = f"Remove {name} from the inventory: the list is derived from the group nats."
    listed = []
    for url in urls:
        match = URL.match(url)
        if not match:
            message = f"{name} has {shown(url)}; a URL must be nats://ADDRESS:PORT, without a name or credentials (the client ignores these)"
            yield finding("NATS011", hosts, component, message, remedy)
            continue
        listed.append("%s:%s" % match.groups())
    for endpoint in sorted({endpoint for endpoint in listed if listed.count(endpoint) > 1}):
        missing = sorted(set(servers) - set(listed))
        lost = f"; {names(missing)} is in no entry" if missing else ""
        yield finding("NATS009", hosts, component, f"{name} has {endpoint} twice{lost}", remedy)
    foreign = sorted(set(listed) - set(servers))
    if servers and foreign:
        message = f"{name} has {names(foreign)}; the NATS servers of the inventory are {names(sorted(servers))}"
        yield finding("NATS010", hosts, component, message, remedy)
    missing = sorted(set(servers) - set(listed))
    if missing and len(set(listed)) == len(listed):
        yield finding(
            "NATS012",
            hosts,
            component,
            "%s lacks %s" % (name, names([servers[endpoint] + " (" + endpoint + ")" for endpoint in missing])),
            remedy,
        )


def _peers(view, servers):
    """Routes that the inventory gives by hand."""
    derived = {str(view.value(host, "nats_server_name")): view.address(host) for host in servers}
    remedy = "Remove nats_peers from the inventory: it is derived from the group nats."
    wrong = {}
    for host in servers:
        peers = view.value(host, "nats_peers")
        if isinstance(peers, dict) and peers:
            wrong.setdefault(tuple(sorted((str(name), str(address)) for name, address in peers.items())), []).append(
                host
            )
    for peers, hosts in sorted(wrong.items()):
        faults = []
        foreign = sorted({address for _name, address in peers} - set(derived.values()))
        if foreign:
            faults.append(f"has {names(foreign)}, of no NATS server of the inventory")
        misnamed = sorted(
            name for name, address in peers if address in derived.values() and derived.get(name) != address
        )
        if misnamed:
            faults.append(f"calls servers {names(misnamed)}, which have other names")
        lacking = sorted(name for name, address in derived.items() if address not in [there for _name, there in peers])
        if lacking:
            faults.append(f"lacks {names([f'{name} ({derived[name]})' for name in lacking])}")
        if faults:
            yield finding("NATS013", hosts, "nats", f"nats_peers {' and '.join(faults)}", remedy)


def _data(view, host, facts):
    program = deployed_program(view, host, COMPONENT.file)
    file = (facts.get("files") or {}).get(CONFIG)
    if not program or CONFIG not in (program.get("command") or []) or not file or not file.get("content"):
        return
    store, name = view.value(host, "nats_store_dir"), view.value(host, "nats_server_name")
    there = _setting(file["content"], "server_name")
    filled = ((facts.get("disks") or {}).get(store) or {}).get("empty") is False
    if name and there and str(name) != there and filled:
        message = f"nats_server_name is {name}, but JetStream knows this server and its data in {store} as {there}"
        remedy = f"Set nats_server_name: {there}. A renamed server stays behind as a ghost peer until nats server raft peer-remove."
        yield finding("NATS014", [host], "nats", message, remedy)
    there = _setting(file["content"], "store_dir")
    if store and there and store.rstrip("/") != there.rstrip("/"):
        message = f"nats_store_dir is {store}, but the server keeps its data in {there}"
        yield finding(
            "NATS015",
            [host],
            "nats",
            message,
            "Set it back; or stop the server, move the folder there yourself, and accept this finding once.",
        )


def _setting(text, name):
    """The value of a setting in a file of nats-server, None where it has none."""
    match = re.search(r"""^\s*"?%s"?\s*[:=]?\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#,]+))""" % name, text, re.MULTILINE)
    return next((value for value in match.groups() if value is not None), None) if match else None
