# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a storage host's disks."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.disks_picture import draw_disks
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import (
    Cluster,
    boxes_within_the_page,
)


def test_the_picture_tells_what_is_lost_what_does_not_fit_and_what_was_not_read():
    cluster = Cluster(1, 1, 1).upgrade()
    cluster.facts["storage-1"]["disks"]["/mnt/nvme0"].update(
        existing_plot_bytes=7_000_000_000_000, available=200_000_000_000
    )
    cluster.facts["storage-1"]["disks"]["/mnt/nvme1"] = {}
    cluster.variables["storage-1"]["plot_client_farms"][2]["state"] = "absent"
    cluster.variables["storage-1"]["plot_client_farms"][3]["sectors"] = 60000
    disks = draw_disks(cluster.plan()["hosts"]["storage-1"]["farms"], "storage-1", "x")
    for words in ("d-lost", "it does not fit", "the disk was not read", "no longer passed"):
        assert words in disks
    assert boxes_within_the_page(disks)
