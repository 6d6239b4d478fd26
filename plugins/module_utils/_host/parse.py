# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a host is: pure parsers of the files and outputs that say so, and the few readers of the kernel's own."""

from __future__ import annotations

import ctypes
import json
import re

MAX_FILE = 1024 * 1024
"""Bytes of a file whose content is returned; a larger one is no configuration file."""


def parse_os_release(text):
    """Return ``{id, version}`` of an os-release file."""
    fields = {}
    for line in text.splitlines():
        key, sep, value = line.strip().partition("=")
        if sep and not key.startswith("#"):
            fields[key] = value.strip("\"'")
    return {"id": fields.get("ID"), "version": fields.get("VERSION_ID")}


def parse_memory_mib(meminfo):
    """Return the MiB of memory in the text of /proc/meminfo, None when it does not say."""
    match = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match.group(1)) // 1024 if match else None


def parse_packages(output, names):
    """Return ``{name: version or None}`` from ``dpkg-query -W -f '${Package}\\t${db:Status-Status}\\t${Version}\\n'``."""
    packages = dict.fromkeys(names)
    for line in output.splitlines():
        fields = line.split("\t")
        if len(fields) == 3 and fields[1] == "installed" and fields[0] in packages:
            packages[fields[0]] = fields[2]
    return packages


def parse_service(output):
    """Return ``{installed, enabled, active}`` from ``systemctl show -p LoadState,UnitFileState,ActiveState``."""
    fields = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    return {
        "installed": fields.get("LoadState") == "loaded",
        "enabled": fields.get("UnitFileState") in ("enabled", "enabled-runtime"),
        "active": fields.get("ActiveState") in ("active", "reloading", "activating"),
    }


def parse_addresses(output):
    """Return ``{interface: [address/prefix]}`` from ``ip -j address``, without the loopback interface."""
    interfaces = {}
    for link in json.loads(output or "[]"):
        if link.get("ifname") and "LOOPBACK" not in link.get("flags", []):
            interfaces[link["ifname"]] = [
                f"{address['local']}/{address['prefixlen']}"
                for address in link.get("addr_info", [])
                if "local" in address
            ]
    return interfaces


def filters_packets(ruleset, ip_tables):
    """Tell whether anything looks at incoming packets: a chain in the output of ``nft list ruleset``, or a table of the older iptables."""
    return bool(re.search(r"type filter hook (input|prerouting|ingress)\b", ruleset)) or "filter" in ip_tables.split()


class _Timex(ctypes.Structure):
    """struct timex of the kernel, up to the fields that are read here and with room for the rest."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_long * 32),
    ]


def clock_synchronized():
    """Return whether the kernel's clock is kept by a time source, by the measure of timedatectl; None if not told."""
    try:
        timex = _Timex()
        if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return timex.maxerror < 16 * 1000 * 1000
