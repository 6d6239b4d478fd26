# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""VERS: rules about versions that go back, or are mixed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import NATS_SERVER, NODE, read_path

from .view import ERROR, INFO, Finding, Rule, View, finding

RULES = {
    "VERS001": Rule(ERROR, "host", "NATS would go back to a release that may not read its data"),
    "VERS002": Rule(ERROR, "host", "A node would go back to a version that may not read its database"),
    "VERS003": Rule(INFO, "host", "Versions are mixed while the cluster rolls"),
    "VERS004": Rule(INFO, "host", "NATS goes to a newer minor release"),
}


def check(view: View) -> Iterator[Finding]:
    for host, facts in view.read("host"):
        running = _running(facts)
        if NATS_SERVER in running:
            yield from _nats_moves(view, host, running[NATS_SERVER])
        if NODE in running:
            yield from _node_goes_back(view, host, running[NODE])
    yield from _mixed(view)


def _running(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return ``{binary: version}`` of the programs that run on a host now."""
    binaries = filter(None, map(read_path, facts.get("running") or []))
    return {binary.name: binary.version for binary in binaries}


def numbers(version: object) -> tuple[int, ...]:
    """Return the numbers that a version begins with, ``(1, 2, 3)``; none for a name that is not a version."""
    match = re.match(r"^v?(\d+)\.(\d+)\.(\d+)", str(version))
    return tuple(int(number) for number in match.groups()) if match else ()


def _nats_moves(view: View, host: str, runs: str) -> Iterator[Finding]:
    wanted = view.value(host, "nats_version")
    before, after = numbers(runs), numbers(wanted)
    if before and after and after[:2] < before[:2]:
        message = (
            f"nats-server {runs} runs and has written JetStream's data; nats_version is {wanted}, and an older minor "
            "release may not read them"
        )
        remedy = f"Keep {before[0]}.{before[1]}, or accept this finding after you have saved what the streams hold."
        yield finding("VERS001", [host], "nats", message, remedy)
    elif before and after and after[:2] > before[:2]:
        message = (
            f"nats-server {runs} runs and becomes {wanted}, which writes newer data: after the upgrade, going back to "
            f"{before[0]}.{before[1]} is refused"
        )
        remedy = "Nothing. Save what the streams hold first if you may want to go back."
        yield finding("VERS004", [host], "nats", message, remedy)


def _node_goes_back(view: View, host: str, runs: str) -> Iterator[Finding]:
    wanted = view.value(host, "cluster_version")
    before, after = numbers(runs), numbers(wanted)
    if before and after and after < before:
        message = (
            f"autonomys-node {runs} runs and has opened its database; cluster_version is {wanted}, and an older "
            "version may not read it"
        )
        remedy = (
            f"Keep {runs} for the nodes, or accept this finding if the release notes say that it can; otherwise the "
            "node has to sync again for hours or days."
        )
        yield finding("VERS002", [host], "node", message, remedy)


def _mixed(view: View) -> Iterator[Finding]:
    changing: dict[tuple[str, str], set[str]] = {}
    for host, facts in view.read("host"):
        wanted = str(view.value(host, "cluster_version"))
        for binary, version in _running(facts).items():
            if binary != NATS_SERVER and version != wanted:
                changing.setdefault((version, wanted), set()).add(host)
    remedy = "Nothing: farming goes on. Plotting may be slower until all hosts have the same version."
    for (version, wanted), hosts in sorted(changing.items()):
        message = (
            f"{version} runs and becomes {wanted} one host after another; meanwhile caches of different versions do "
            "not find each other"
        )
        yield finding("VERS003", hosts, "host", message, remedy)
