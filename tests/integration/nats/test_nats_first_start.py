# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fresh clusters of three real servers, each in a network namespace: complete, or made so by the run.

A few; ``tests/bench/bench_nats_start.py`` starts hundreds.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.tests.bench.bench_nats_start import Network, rounds

BINARY = Path(sys.executable).with_name("nats-server")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make networks"),
    pytest.mark.skipif(not shutil.which("ip"), reason="without ip there are no networks"),
]


@pytest.fixture
def networks():
    """Two networks of their own, whoever runs these tests beside."""
    with contextlib.ExitStack() as stack:
        prefix = f"10.213.{random.randrange(64, 250)}"
        yield [stack.enter_context(Network(slot, prefix)) for slot in range(2)]


@pytest.mark.parametrize("way", ["at once", "within 0.1 s"])
def test_fresh_clusters_are_complete(networks, way):
    ends, times = rounds(BINARY, networks, way, 4)
    assert not ends["incomplete"] and sum(ends.values()) == 4
    assert max(times) < 30
