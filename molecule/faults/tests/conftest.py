# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster on which the tests of this scenario put faults, one after another."""

from __future__ import annotations

import bench_upgrade
import pytest

COMPONENTS = ("nats", "node", "controller", "proof_server", "caches", "plot_server", "plot_client")
# Short enough for tests, long enough for a busy machine.
SETTINGS = {
    **{f"{component}_health_timeout": 20 for component in COMPONENTS},
    "cluster_health_interval": 1,
    "node_stopwaitsecs": 6,
}


@pytest.fixture(scope="session")
def releases():
    """The version before and the new one. The programs change; the NATS server is the same."""
    before, after = bench_upgrade.releases()
    return dict(before, nats=after["nats"]), after


@pytest.fixture(scope="session")
def cluster(operator, releases):
    made = operator("molecule/inventory")
    made.settings.update(SETTINGS, demo_release=releases[0])
    made.passes("site.yml")
    return made
