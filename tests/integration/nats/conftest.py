# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("nats_cluster", Path(__file__).with_name("nats_cluster.py"))
nats_cluster = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(nats_cluster)


def _running(folder, count):
    servers = nats_cluster.Cluster(folder, count)
    servers.start()
    try:
        servers.wait_ready()
        servers.fill()
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def cluster(tmp_path):
    """Three servers with a stream on all of them."""
    yield from _running(tmp_path, 3)


@pytest.fixture
def single(tmp_path):
    """One server with a stream."""
    yield from _running(tmp_path, 1)
