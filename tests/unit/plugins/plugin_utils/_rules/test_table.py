# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a user reads."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules.table import counts, table

FOUND = [
    {
        "rule": "DISK006",
        "severity": "error",
        "accepted": False,
        "hosts": ["storage-1"],
        "component": "plot_client",
        "message": "sectors of /mnt/nvme0n1 is 8000 (8,456,217,440,000 bytes); the disk holds 6845",
        "remedy": "Set sectors to 6845 at most, or to auto.",
    },
    {
        "rule": "NUMA001",
        "severity": "warning",
        "accepted": True,
        "hosts": [f"plotter-{number}" for number in range(1, 10)],
        "component": "plot_server",
        "message": "The plot servers 0, 1, 2 and 3 share the CPUs 0-1: the host has fewer free cores than GPUs",
        "remedy": "Use fewer GPUs or a machine with more cores, or accept slower plotting.",
    },
    {
        "rule": "INV001",
        "severity": "warning",
        "accepted": False,
        "hosts": [],
        "component": "caches",
        "message": "M",
        "remedy": "R.",
    },
]


def test_table():
    assert table(FOUND, 100).splitlines() == [
        "SEVERITY            RULE     HOSTS                         FINDING",
        "error               DISK006  storage-1                     plot_client: sectors of /mnt/nvme0n1 is",
        "                                                           8000 (8,456,217,440,000 bytes); the disk",
        "                                                           holds 6845",
        "                                                           → Set sectors to 6845 at most, or to",
        "                                                             auto.",
        "warning (accepted)  NUMA001  plotter-1, plotter-2,         plot_server: The plot servers 0, 1, 2 and",
        "                             plotter-3, plotter-4,         3 share the CPUs 0-1: the host has fewer",
        "                             plotter-5, plotter-6, 3 more  free cores than GPUs",
        "                                                           → Use fewer GPUs or a machine with more",
        "                                                             cores, or accept slower plotting.",
        "warning             INV001   (cluster)                     caches: M",
        "                                                           → R.",
    ]


def test_no_text_of_a_host_forges_a_row_or_steers_the_terminal():
    evil = "the program ended:\n\x1b]0;owned\x07\x1b[1A\x1b[2K said\nerror   HOST001\u202e \x9b2J"
    text = table([dict(FOUND[2], hosts=[evil], component="x\x1b", message=evil, remedy=evil)], 160)
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert not [line for line in text.splitlines() if line.startswith("error")]
    assert r"\x1b]0;owned\x07\x1b[1A\x1b[2K said" in text


@pytest.mark.parametrize(("width", "least"), [(79, 60), (100, 90), (130, 115), (160, 145)])
def test_the_table_keeps_within_the_width(width, least):
    assert least <= max(len(line) for line in table(FOUND, width).splitlines()) <= width


def test_on_a_narrow_terminal_hosts_and_severity_give_way():
    assert table(FOUND[1:2], 79).splitlines()[:4] == [
        "SEVERITY      RULE     HOSTS           FINDING",
        "warning       NUMA001  plotter-1,      plot_server: The plot servers 0, 1, 2",
        "(accepted)             plotter-2,      and 3 share the CPUs 0-1: the host has",
        "                       plotter-3,      fewer free cores than GPUs",
    ]


def test_counts():
    assert counts(FOUND) == "1 error, 2 warnings (1 accepted), 0 info"
    assert counts([]) == "0 errors, 0 warnings, 0 info"
