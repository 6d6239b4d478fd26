# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu import commands
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._gpu.machines import recorded


@pytest.fixture
def seed():
    return recorded("seed-2x48c-4gpu")["topology"]


@pytest.fixture(autouse=True)
def nvidia_smi(monkeypatch):
    """These tests do not depend on what is installed here."""
    monkeypatch.setattr(commands, "find_nvidia_smi", lambda: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(commands.importlib.util, "find_spec", lambda name: None)
