# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of programs, NATS, nodes and farms, from what was recorded on hosts of the demo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics import state
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.exposition import exposition

READINGS = Path(__file__).parents[4] / "fixtures/readings"
SETTINGS = {
    **{f"{each}_state": "started" for each in ("nats", "node", "controller", "plot_client")},
    "plot_client_farms": [
        {"path": "/mnt/nvme0n1", "sectors": "auto"},
        {"path": "/mnt/nvme0n2/", "sectors": 7},
        {"path": "/mnt/gone", "sectors": 3, "state": "absent"},
    ],
    "plot_client_pieces_in_sector": 1,
    "plot_client_disk_margin_mib": 0,
}


def recorded(host):
    return json.loads((READINGS / f"{host}.json").read_text())


def looked(host, component):
    return recorded(host)["components"][component]["health"]


def samples(families):
    """Sample to value."""
    lines = [line for line in exposition(families).split("\n") if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_a_nats_server_that_leads_and_one_that_does_not():
    found = samples(state.nats_families(looked("node-1", "nats"), 3))
    assert found["autonomys_nats_reachable"] == 1 and found["autonomys_nats_peers"] == 3
    assert (found["autonomys_nats_leader_known"], found["autonomys_nats_is_leader"]) == (1, 0)
    assert (found["autonomys_nats_members"], found["autonomys_nats_routes"]) == (3, 2)
    assert found['autonomys_nats_replica_current{server="node-3"}'] == 1


def test_a_nats_server_that_is_silent():
    silent = {"evidence": {}, "healthy": False, "problems": ["x"]}
    assert samples(state.nats_families(silent, 3)) == {"autonomys_nats_reachable": 0, "autonomys_nats_peers": 3}


def test_a_node_and_the_age_of_its_best_block():
    found = samples(state.node_families(looked("node-1", "node"), {"best": 1, "since": 40.0}, 100.0))
    assert found["autonomys_node_reachable"] == 1 and found["autonomys_node_syncing"] == 0
    assert found["autonomys_node_best_block"] == 10794350 and found["autonomys_node_best_block_age_seconds"] == 60
    silent = {"evidence": {"node": {"reachable": False}}, "healthy": False, "problems": ["x"]}
    # How old the block is stays known, and grows.
    assert samples(state.node_families(silent, {"best": 1, "since": 40.0}, 100.0)) == {
        "autonomys_node_reachable": 0,
        "autonomys_node_best_block_age_seconds": 60,
    }


def test_programs_that_run_and_that_do_not():
    program = looked("node-1", "controller")["evidence"]["programs"][0]
    down = dict(program, name="other", state="BACKOFF", pid=None, uptime_s=None, fd_count=None)
    found = samples(state.program_families(SETTINGS, {"controller": [program, down]}, {"other": {"count": 4}}))
    labels = '{component="controller",program="%s"}'
    assert found["autonomys_program_running" + labels % "autonomys-controller"] == 1
    assert found["autonomys_program_running" + labels % "other"] == 0
    assert found["autonomys_program_starts_total" + labels % "other"] == 4
    assert found["autonomys_program_wanted" + labels % "other"] == 1
    assert found["autonomys_program_open_files_ratio" + labels % "autonomys-controller"] == pytest.approx(0.0005)
    assert "autonomys_program_uptime_seconds" + labels % "other" not in found


def test_versions_are_read_from_paths():
    paths = ["/opt/autonomys/releases/v1.2/autonomys-node", "/opt/autonomys/nats/2.14.5/nats-server", "/bin/sh"]
    assert samples(state.version_families(paths)) == {
        'autonomys_version_info{binary="autonomys-node",version="v1.2"}': 1,
        'autonomys_version_info{binary="nats-server",version="2.14.5"}': 1,
    }


def test_farms_with_the_serial_numbers_of_their_disks():
    disks = recorded("storage-1")["disks"]
    program = {"open_files": ["/mnt/nvme0n1/plot.bin"]}
    found = samples(state.farm_families(SETTINGS, disks, [program], {"/mnt/nvme0n1": "S1"}))
    first, second = '{path="/mnt/nvme0n1",serial="S1"}', '{path="/mnt/nvme0n2",serial=""}'
    assert (found["autonomys_farm_open" + first], found["autonomys_farm_open" + second]) == (1, 0)
    assert found["autonomys_farm_mounted" + first] == 1 and found["autonomys_farm_readable" + first] == 1
    assert found["autonomys_farm_sectors_wanted" + first] == found["autonomys_farm_sectors_max" + first] == 42
    assert not any("gone" in sample for sample in found)
    # The second one was written with a slash at its end, and so was not read under that name.
    assert found["autonomys_farm_mounted" + second] == 0


@pytest.mark.parametrize(
    ("change", "metric"),
    [
        ({"mountpoint": "/"}, "mounted"),
        ({"bound_from_root": "/data"}, "mounted"),
        ({"error": "Input/output error"}, "readable"),
    ],
)
def test_a_disk_that_is_not_there_or_fails(change, metric):
    disks = {"/mnt/nvme0n1": {**recorded("storage-1")["disks"]["/mnt/nvme0n1"], **change}}
    found = samples(state.farm_families(SETTINGS, disks, [], {}))
    assert found[f'autonomys_farm_{metric}{{path="/mnt/nvme0n1",serial=""}}'] == 0


def test_components_by_the_judgement_of_status():
    looks = {"nats": {"healthy": True, "problems": []}, "node": {"healthy": False, "problems": ["a", "b"]}}
    found = samples(
        state.component_families({**SETTINGS, "controller_state": "stopped"}, ["nats", "node", "controller"], looks)
    )
    assert found['autonomys_component_healthy{component="node"}'] == 0
    assert found['autonomys_component_problems{component="node"}'] == 2
    assert found['autonomys_component_wanted{component="controller"}'] == 0
    assert 'autonomys_component_healthy{component="controller"}' not in found
