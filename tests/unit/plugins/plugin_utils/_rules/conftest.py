# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._rules.sample import Cluster


@pytest.fixture
def cluster():
    """A faultless cluster."""
    return Cluster()


@pytest.fixture
def large_cluster():
    """A faultless cluster of a thousand hosts."""

    class Large(Cluster):
        MACHINES = (("node", range(5)), ("plotter", range(195)), ("storage", range(800)))

    return Large()
