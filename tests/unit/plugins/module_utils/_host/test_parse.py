# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import parse

OS_RELEASE = """\
PRETTY_NAME="Ubuntu 22.04.5 LTS"
# a comment = no
VERSION_ID="22.04"
ID=ubuntu
ID_LIKE=debian
"""


ADDRESSES = """[
 {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
 {"ifname": "eth0", "flags": ["UP"],
  "addr_info": [{"local": "10.0.0.1", "prefixlen": 24}, {"local": "fe80::1", "prefixlen": 64}]},
 {"ifname": "eth1", "flags": [], "addr_info": []},
 {}
]"""


def test_os_release():
    assert parse.parse_os_release(OS_RELEASE) == {"id": "ubuntu", "version": "22.04"}
    assert parse.parse_os_release("ID='debian'\n") == {"id": "debian", "version": None}
    assert parse.parse_os_release("") == {"id": None, "version": None}


def test_memory():
    assert parse.parse_memory_mib("MemTotal:       24682496 kB\nMemFree: 1 kB\n") == 24104
    assert parse.parse_memory_mib("") is None


def test_packages():
    output = "numactl\tinstalled\t2.0.14-3ubuntu2\nsupervisor\tconfig-files\t4.2.1-1\nother\tinstalled\t1\n"
    assert parse.parse_packages(output, ["numactl", "supervisor", "nats"]) == {
        "numactl": "2.0.14-3ubuntu2",
        "supervisor": None,
        "nats": None,
    }


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("LoadState=loaded\nUnitFileState=enabled\nActiveState=active\n", (True, True, True)),
        ("LoadState=loaded\nUnitFileState=disabled\nActiveState=failed\n", (True, False, False)),
        ("LoadState=not-found\nUnitFileState=\nActiveState=inactive\n", (False, False, False)),
        ("LoadState=masked\nUnitFileState=masked\nActiveState=inactive\n", (False, False, False)),
        ("", (False, False, False)),
    ],
)
def test_service(output, expected):
    assert tuple(parse.parse_service(output).values()) == expected


def test_addresses():
    assert parse.parse_addresses(ADDRESSES) == {"eth0": ["10.0.0.1/24", "fe80::1/64"], "eth1": []}
    assert parse.parse_addresses("") == {}


def test_what_filters_packets():
    chain = "table inet filter {\n chain input {\n  type filter hook input priority filter; policy drop;\n }\n}\n"
    assert parse.filters_packets(chain, "")
    assert parse.filters_packets("", "nat\nfilter\n")
    assert not parse.filters_packets("", "nat\n")
    # Docker's own: it passes packets on and keeps none out.
    assert not parse.filters_packets(
        "table ip nat {\n chain PREROUTING {\n  type nat hook prerouting priority dstnat;\n }\n}\n", ""
    )


@pytest.mark.parametrize(
    "output",
    ["", "1: lo: <LOOPBACK,UP>", "{}", "null", "[1]", '[{"ifname": "a", "flags": 1, "addr_info": 2}]', "[" * 5000],
)
def test_an_ip_without_json_tells_nothing(output):
    assert parse.parse_addresses(output) in ({}, {"a": []})


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), (" 7\n", 7), ("-1", -1), ("+3", 3), ("\u00b2", None), ("\u0667", None), ("9" * 5000, None), ("", None)]
    + [(None, None), ("1.5", None), ("0x1", None), ("1_0", None)],
)
def test_numbers_that_somebody_else_wrote(text, number):
    assert parse.integer(text) == number
    assert parse.natural(text) == (None if text and text.strip()[:1] in ("-", "+") else number)
