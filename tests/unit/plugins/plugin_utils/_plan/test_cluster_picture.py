# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the cluster."""

from __future__ import annotations

import re

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan import cluster_picture
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import (
    Cluster,
    boxes_within_the_page,
)


@pytest.mark.parametrize("hosts", [(1, 1, 1), (5, 3, 9), (5, 15, 40)])
def test_the_picture_keeps_within_its_page(hosts):
    assert boxes_within_the_page(cluster_picture.draw_cluster(Cluster(*hosts).upgrade().plan(), "x"))


def test_lines_end_at_the_middle_of_their_boxes_however_wide_these_are(monkeypatch):
    monkeypatch.setattr(cluster_picture, "NAMES_WIDTH", 145.5)
    plan = Cluster().upgrade().plan()
    drawn = cluster_picture.draw_cluster(plan, "x")
    middles = re.findall(r'<path class="link" d="M([0-9.]+) 94 L\1 56"/>', drawn)
    clients = [link["component"] for link in plan["connections"] if link["to_component"] == "nats"]
    expected = [cluster_picture._Cluster(plan).middle(name) for name in clients if name != "nats"]
    assert [float(middle) for middle in middles] == [round(middle, 2) for middle in expected]
    assert any(middle != int(middle) for middle in expected)
