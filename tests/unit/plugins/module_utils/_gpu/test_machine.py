# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.machine import Machine, MachineError

TOPOLOGY: dict[str, Any] = {
    "cpus": {
        "online": "0-7",
        "usable": "0-6,9",
        "isolated": "5",
        "cores": ["2,6", "0,4", "1,5", "3,7"],
        "l3": ["2-3,6-7", "0-1,4-5"],
        "nodes": {
            "10": {"cpus": "2-3,6-7", "memory_mib": 2, "package": 1, "distance": {"0": 20, "10": 10}},
            "0": {"cpus": "0-1,4-5", "memory_mib": 1, "package": 0, "distance": {}},
        },
    }
}


def test_what_may_be_used() -> None:
    machine = Machine(TOPOLOGY)
    assert sorted(machine.usable) == [0, 1, 2, 3, 4, 6]
    assert machine.whole_cores == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert machine.cores == [(0, 4), (1,), (2, 6), (3,)]
    assert machine.cores_of == {"0": [(0, 4), (1,)], "10": [(2, 6), (3,)]}
    assert list(machine.nodes) == machine.with_cpus == ["0", "10"]
    assert [sorted(cache) for cache in machine.caches] == [[0, 1, 4, 5], [2, 3, 6, 7]]
    assert (machine.cache_of[6], machine.node_of[6]) == (1, "10")
    assert machine.cut_cores == []


def test_distances() -> None:
    machine = Machine(TOPOLOGY)
    assert machine.distance("10", "0") == 20 < machine.distance("0", "10")


def test_cores_that_are_alike() -> None:
    machine = Machine(TOPOLOGY)
    assert machine.alike(machine.cores) == [[(0, 4), (2, 6)], [(1,), (3,)]]


def test_a_damaged_set_is_named() -> None:
    with pytest.raises(MachineError, match="the topology is damaged: '0-' is not a CPU list"):
        Machine({"cpus": {"online": "0-"}})


def test_nothing_is_a_machine_without_cpus() -> None:
    machine = Machine({})
    assert (machine.cores, machine.with_cpus, machine.usable) == ([], [], frozenset())
