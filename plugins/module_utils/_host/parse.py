# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What files and outputs of a host say. Pure functions, no I/O: what cannot be understood is unknown."""

from __future__ import annotations

import json
import re
from typing import Any, Iterable, TypedDict

from .._foreign import reads_foreign

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")


class Distribution(TypedDict):
    """What an os-release file says."""

    id: str | None
    version: str | None


class Service(TypedDict):
    """A systemd service."""

    installed: bool
    enabled: bool
    active: bool


@reads_foreign
def integer(text: str | None) -> int | None:
    """Return the number in a text that somebody else wrote, None when it is none.

    Only what a program prints as a number is one: no other script's digits, and not thousands of them.
    """
    text = (text or "").strip()
    return int(text) if _INTEGER.match(text) else None


@reads_foreign
def natural(text: str | None) -> int | None:
    """Return the number without a sign in a text that somebody else wrote, None when it is none."""
    return integer(text) if text and text.strip()[:1] not in ("+", "-") else None


@reads_foreign
def fields_of(output: str) -> dict[str, str]:
    """Return the ``NAME=value`` lines of an output."""
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


@reads_foreign
def parse_os_release(text: str) -> Distribution:
    """Return ``{id, version}`` of an os-release file."""
    fields = {}
    for line in text.splitlines():
        key, sep, value = line.strip().partition("=")
        if sep and not key.startswith("#"):
            fields[key] = value.strip("\"'")
    return {"id": fields.get("ID"), "version": fields.get("VERSION_ID")}


@reads_foreign
def parse_memory_mib(meminfo: str) -> int | None:
    """Return the MiB of memory in the text of /proc/meminfo or of a NUMA node, None when it does not say."""
    match = re.search(r"MemTotal:\s*([0-9]{1,18}) kB", meminfo)
    return int(match.group(1)) // 1024 if match else None


@reads_foreign
def parse_packages(output: str, names: Iterable[str]) -> dict[str, str | None]:
    r"""Return ``{name: version or None}``.

    The output is that of ``dpkg-query -W -f '${Package}\t${db:Status-Status}\t${Version}\n'``.
    """
    packages: dict[str, str | None] = dict.fromkeys(names)
    for line in output.splitlines():
        fields = line.split("\t")
        if len(fields) == 3 and fields[1] == "installed" and fields[0] in packages:
            packages[fields[0]] = fields[2]
    return packages


@reads_foreign
def parse_service(output: str) -> Service:
    """Return ``{installed, enabled, active}`` from ``systemctl show -p LoadState,UnitFileState,ActiveState``."""
    fields = fields_of(output)
    return {
        "installed": fields.get("LoadState") == "loaded",
        "enabled": fields.get("UnitFileState") in ("enabled", "enabled-runtime"),
        "active": fields.get("ActiveState") in ("active", "reloading", "activating"),
    }


@reads_foreign
def parse_addresses(output: str) -> dict[str, list[str]]:
    """Return ``{interface: [address/prefix]}`` from ``ip -j address``, without the loopback interface.

    An ``ip`` that knows no JSON, and one of another shape, tells nothing.
    """
    interfaces = {}
    for link in _dictionaries(_json(output)):
        flags = link.get("flags")
        if not link.get("ifname") or "LOOPBACK" in (flags if isinstance(flags, list) else []):
            continue
        interfaces[str(link["ifname"])] = [
            f"{address['local']}/{address['prefixlen']}"
            for address in _dictionaries(link.get("addr_info"))
            if "local" in address and "prefixlen" in address
        ]
    return interfaces


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


@reads_foreign
def filters_packets(ruleset: str, ip_tables: str) -> bool:
    """Tell whether anything looks at incoming packets.

    That is a chain in the output of ``nft list ruleset``, or a table of the older iptables.
    """
    hooked = re.search(r"type filter hook (input|prerouting|ingress)\b", ruleset)
    return bool(hooked) or "filter" in ip_tables.split()
