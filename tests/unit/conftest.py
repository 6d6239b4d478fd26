# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rendered import model_of


@pytest.fixture(scope="session")
def tutorial_model(tmp_path_factory):
    """The model of inventories/tutorial."""
    return model_of("inventories/tutorial", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def literal_model(tmp_path_factory):
    """The model of the tutorial with all its faults."""
    return model_of("tests/fixtures/tutorial/inventory.yml", tmp_path_factory.mktemp("literal"))
