# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot clients: which farms are passed on, with how many sectors."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import SettingsError
from ansible_collections.autonomys.cluster.plugins.module_utils._components.plot_client import farm_sectors
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import expectations, programs
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import farm_files
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import role_settings


def test_absent_farms_are_not_passed() -> None:
    farms = [{"path": "/mnt/a", "sectors": 5}, {"path": "/mnt/b", "sectors": "7", "state": "absent"}]
    values = role_settings("plot_client", plot_client_farms=farms, plot_client_reward_address="st")
    assert programs("plot_client", values)[0]["command"][-1] == "path=/mnt/a,sectors=5"
    assert expectations("plot_client", values)[0]["open_under"] == ["/mnt/a"]


def test_auto_keeps_the_sectors_of_an_existing_farm() -> None:
    values = role_settings("plot_client")
    farm = {"path": "/mnt/a", "sectors": "auto"}
    assert farm_sectors(values, farm, {"existing_plot_bytes": 0, "max_sectors": 40}) == 40
    existing = sum(farm_files(38, 1000).values())
    assert farm_sectors(values, farm, {"existing_plot_bytes": existing, "max_sectors": 40}) == 38
    unread = {"existing_plot_bytes": None, "max_sectors": None, "error": "Input/output error"}
    with pytest.raises(SettingsError, match="cannot be read, so its sectors cannot be counted: Input/output error"):
        farm_sectors(values, farm, unread)
    with pytest.raises(SettingsError, match="the disk of the farm /mnt/a was not read"):
        farm_sectors(values, farm, {})
