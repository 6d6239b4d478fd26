# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Farms tell what is planned, what is there and what stays free."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster


def test_farms_tell_planned_there_and_free():
    cluster = Cluster()
    cluster.facts["storage-1"]["disks"]["/mnt/nvme0"].update(
        existing_plot_bytes=1_000_000_000_000, available=6_236_000_000_000
    )
    farms = cluster.plan()["hosts"]["storage-1"]["farms"]
    assert (farms[0]["wanted"], farms[0]["sectors"], farms[0]["sectors_there"]) == ("6000", 6000, 946)
    assert (farms[1]["wanted"], farms[1]["sectors"], farms[1]["sectors_there"]) == ("auto", 6845, 0)
    assert (
        farms[0]["planned_bytes"] == 6000 * 1_057_027_180 + 1024 * 1024 + 2816 + 3328
        or farms[0]["planned_bytes"] % 4096 == 0
    )
