# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every alert, asked of Prometheus' own tool: it fires for what is wrong, names where, and is silent else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring.alerts import ALERTS, rules

ROOT = Path(__file__).parents[5]
SETTINGS = role_files.defaults("monitoring")
HOST = 'host="plotter-1"'
FARM = HOST + ',path="/mnt/a",serial="S1"'
# Minutes after the beginning at which is looked; all series have a sample each minute.
END = 70


def steady(value):
    return f"{value}x{END}"


def since(value, then, minute=5):
    """A value that changes after some minutes."""
    return f"{value}x{minute - 1} {then}x{END - minute}"


#: Alert to what makes it fire, what does not, and labels that it must have.
CASES = {
    "HostDown": (
        {'up{job="autonomys-hosts",host="plotter-1"}': since(1, 0)},
        {'up{job="other",host="plotter-1"}': steady(0)},
        {"host": "plotter-1"},
    ),
    "EvidenceStale": (
        {f'node_textfile_mtime_seconds{{{HOST},file="/x/autonomys_state.prom"}}': steady(0)},
        {
            f'node_textfile_mtime_seconds{{{HOST},file="/x/autonomys_state.prom"}}': "0+60x70",
            f'node_textfile_mtime_seconds{{{HOST},file="/x/nvme.prom"}}': steady(0),
        },
        {"host": "plotter-1"},
    ),
    "CollectorFails": (
        {f'autonomys_collector_ok{{{HOST},round="gpus"}}': steady(0)},
        {f'autonomys_collector_ok{{{HOST},round="gpus"}}': steady(1)},
        {"round": "gpus"},
    ),
    "ProgramDown": (
        {
            f'autonomys_program_running{{{HOST},program="a"}}': steady(0),
            f'autonomys_program_wanted{{{HOST},program="a"}}': steady(1),
        },
        {
            f'autonomys_program_running{{{HOST},program="a"}}': steady(0),
            f'autonomys_program_wanted{{{HOST},program="a"}}': steady(0),
        },
        {"host": "plotter-1", "program": "a"},
    ),
    "ProgramFlapping": (
        {f'autonomys_program_starts_total{{{HOST},program="a"}}': "0+1x70"},
        {f'autonomys_program_starts_total{{{HOST},program="a"}}': "0x65 1x5"},
        {"program": "a"},
    ),
    "ComponentUnhealthy": (
        {f'autonomys_component_healthy{{{HOST},component="caches"}}': steady(0)},
        {f'autonomys_component_healthy{{{HOST},component="caches"}}': "0x68 1x2"},
        {"component": "caches"},
    ),
    "MaskEscaped": (
        {f'autonomys_program_mask_as_planned{{{HOST},program="a"}}': steady(0)},
        {f'autonomys_program_mask_as_planned{{{HOST},program="a"}}': steady(1)},
        {"program": "a"},
    ),
    "VersionSkew": (
        {
            'autonomys_version_info{host="a",binary="x",version="1"}': steady(1),
            'autonomys_version_info{host="b",binary="x",version="2"}': steady(1),
        },
        {
            'autonomys_version_info{host="a",binary="x",version="1"}': steady(1),
            'autonomys_version_info{host="b",binary="y",version="2"}': steady(1),
        },
        {"binary": "x"},
    ),
    "NatsDown": (
        {f"autonomys_nats_reachable{{{HOST}}}": steady(0)},
        {f"autonomys_nats_reachable{{{HOST}}}": steady(1)},
        {"host": "plotter-1"},
    ),
    "NatsNoLeader": (
        {f"autonomys_nats_leader_known{{{HOST}}}": steady(0), f"autonomys_nats_peers{{{HOST}}}": steady(3)},
        {f"autonomys_nats_leader_known{{{HOST}}}": steady(0), f"autonomys_nats_peers{{{HOST}}}": steady(1)},
        {"host": "plotter-1"},
    ),
    "NatsMemberMissing": (
        {
            f"autonomys_nats_members{{{HOST}}}": steady(2),
            f"autonomys_nats_peers{{{HOST}}}": steady(3),
            f"autonomys_nats_routes{{{HOST}}}": steady(2),
        },
        {
            f"autonomys_nats_members{{{HOST}}}": steady(3),
            f"autonomys_nats_peers{{{HOST}}}": steady(3),
            f"autonomys_nats_routes{{{HOST}}}": steady(2),
        },
        {"host": "plotter-1"},
    ),
    "NatsReplicaBehind": (
        {f'autonomys_nats_replica_lag{{{HOST},server="b"}}': steady(1001)},
        {f'autonomys_nats_replica_lag{{{HOST},server="b"}}': steady(1000)},
        {"server": "b"},
    ),
    "NatsSlowConsumers": (
        {f"autonomys_nats_slow_consumers_total{{{HOST}}}": "0x60 3x10"},
        {f"autonomys_nats_slow_consumers_total{{{HOST}}}": "0x5 3x65"},
        {"host": "plotter-1"},
    ),
    "NatsStoreFull": (
        {f"autonomys_nats_store_bytes{{{HOST}}}": steady(90), f"autonomys_nats_store_max_bytes{{{HOST}}}": steady(100)},
        {f"autonomys_nats_store_bytes{{{HOST}}}": steady(80), f"autonomys_nats_store_max_bytes{{{HOST}}}": steady(100)},
        {"host": "plotter-1"},
    ),
    "NodeDown": (
        {f"autonomys_node_reachable{{{HOST}}}": steady(0)},
        {f"autonomys_node_reachable{{{HOST}}}": steady(1)},
        {"host": "plotter-1"},
    ),
    "NodeStalled": (
        {f"autonomys_node_best_block_age_seconds{{{HOST}}}": steady(400)},
        {f"autonomys_node_best_block_age_seconds{{{HOST}}}": steady(20)},
        {"host": "plotter-1"},
    ),
    "NodeSyncing": (
        {f"autonomys_node_syncing{{{HOST}}}": steady(1)},
        {f"autonomys_node_syncing{{{HOST}}}": "0x60 1x10"},
        {"host": "plotter-1"},
    ),
    "NodeNoPeers": (
        {f"autonomys_node_peers{{{HOST}}}": steady(0)},
        {f"autonomys_node_peers{{{HOST}}}": steady(1)},
        {"host": "plotter-1"},
    ),
    "FarmMissing": (
        {f"autonomys_farm_open{{{FARM}}}": steady(0)},
        {f"autonomys_farm_open{{{FARM}}}": steady(1)},
        {"path": "/mnt/a", "serial": "S1"},
    ),
    "DiskUnmounted": (
        {f"autonomys_farm_mounted{{{FARM}}}": steady(0)},
        {f"autonomys_farm_mounted{{{FARM}}}": steady(1)},
        {"path": "/mnt/a", "serial": "S1"},
    ),
    "DiskReadOnly": (
        {f"autonomys_farm_readable{{{FARM}}}": steady(0)},
        {f"autonomys_farm_read_only{{{FARM}}}": steady(0), f"autonomys_farm_readable{{{FARM}}}": steady(1)},
        {"path": "/mnt/a", "serial": "S1"},
    ),
    "DiskFull": (
        {
            f'node_filesystem_avail_bytes{{{HOST},mountpoint="/",fstype="ext4"}}': steady(5),
            f'node_filesystem_size_bytes{{{HOST},mountpoint="/",fstype="ext4"}}': steady(100),
        },
        {
            f'node_filesystem_avail_bytes{{{HOST},mountpoint="/mnt/a",fstype="ext4"}}': steady(1),
            f'node_filesystem_size_bytes{{{HOST},mountpoint="/mnt/a",fstype="ext4"}}': steady(100),
        },
        {"mountpoint": "/"},
    ),
    "DiskWear": (
        {f'nvme_percentage_used_ratio{{{HOST},device="nvme0n1"}}': steady(0.9)},
        {f'nvme_percentage_used_ratio{{{HOST},device="nvme0n1"}}': steady(0.5)},
        {"device": "nvme0n1"},
    ),
    "DiskErrors": (
        {f'nvme_media_errors_total{{{HOST},device="nvme0n1"}}': "0x40 2x30"},
        {f'nvme_media_errors_total{{{HOST},device="nvme0n1"}}': steady(2)},
        {"device": "nvme0n1"},
    ),
    "GpuMissing": (
        {f"autonomys_gpus_expected{{{HOST}}}": steady(8), f"autonomys_gpus_present{{{HOST}}}": steady(7)},
        {f"autonomys_gpus_expected{{{HOST}}}": steady(8), f"autonomys_gpus_present{{{HOST}}}": steady(8)},
        {"host": "plotter-1"},
    ),
    "GpuDriverSilent": (
        {f"autonomys_gpu_query_ok{{{HOST}}}": steady(0)},
        {f"autonomys_gpu_query_ok{{{HOST}}}": steady(1)},
        {"host": "plotter-1"},
    ),
    "GpuError": (
        {f'autonomys_gpu_xid_total{{{HOST},bus_id="0000:41:00",xid="79"}}': "0x60 1x10"},
        {f'autonomys_gpu_xid_total{{{HOST},bus_id="0000:41:00",xid="13"}}': "0+1x70"},
        {"xid": "79", "bus_id": "0000:41:00"},
    ),
    "GpuThrottled": (
        {f'autonomys_gpu_throttled{{{HOST},uuid="GPU-1",reason="hardware thermal"}}': steady(1)},
        {f'autonomys_gpu_throttled{{{HOST},uuid="GPU-1",reason="hardware thermal"}}': "0x60 1x10"},
        {"uuid": "GPU-1"},
    ),
    "GpuHot": (
        {f'autonomys_gpu_temperature_celsius{{{HOST},uuid="GPU-1"}}': steady(91)},
        {f'autonomys_gpu_temperature_celsius{{{HOST},uuid="GPU-1"}}': steady(90)},
        {"uuid": "GPU-1"},
    ),
    "PushStale": (
        {'push_time_seconds{exported_job="farmer",instance="x"}': steady(0)},
        {'push_time_seconds{exported_job="farmer",instance="x"}': "0+60x70"},
        {"exported_job": "farmer"},
    ),
    "Drift": (
        {f'autonomys_drift_changes{{{HOST},part="nats"}}': steady(1)},
        {f'autonomys_drift_changes{{{HOST},part="nats"}}': "0x60 1x10"},
        {"part": "nats"},
    ),
}


def promtool(folder, *arguments):
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("alerts")
    (made / "alerts.yml").write_text(rules(SETTINGS), encoding="utf-8")
    return made


def fired(folder, series):
    """The alerts that fire at the end, each with labels and messages: what promtool says that it got."""
    test = {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{END}m", "exp_samples": []}
                ],
            }
        ],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(test), encoding="utf-8")
    # Something always fires, so it always tells what it got.
    done = promtool(folder, "test", "rules", "test.yml")
    said = done.stdout + done.stderr
    found = re.findall(r"alertname=\\?\"(\w+)\\?\"([^}]*)", said)
    assert found, said
    return {name: dict(re.findall(r"(\w+)=\\?\"([^\"\\]*)", labels)) for name, labels in found}


def test_every_alert_has_its_cases():
    assert {alert.name for alert in ALERTS} == {*CASES, "Watchdog"}


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_and_names_where(folder, name):
    found = fired(folder, CASES[name][0])
    assert name in found and "Watchdog" in found
    assert CASES[name][2].items() <= found[name].items()


@pytest.mark.parametrize("name", CASES)
def test_an_alert_is_silent_for_what_is_right(folder, name):
    assert name not in fired(folder, CASES[name][1])


def test_messages_say_where_and_lead_to_the_guide():
    guide = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    for rule in yaml.safe_load(rules(SETTINGS))["groups"][0]["rules"]:
        assert "[[" not in str(rule)
        anchor = rule["annotations"]["guide"].partition("#")[2]
        assert f'<a id="{anchor}"></a>' in guide, rule["alert"]
        if rule["alert"] not in ("Watchdog", "VersionSkew", "PushStale"):
            assert "$labels.host" in rule["annotations"]["summary"]


def test_thresholds_are_those_of_the_inventory(folder):
    text = rules({**SETTINGS, "monitoring_nats_lag": 4711, "monitoring_alert_minutes": 9})
    assert "> 4711" in text and "for: 9m" in text
    (folder / "other.yml").write_text(text, encoding="utf-8")
    assert promtool(folder, "check", "rules", "other.yml").returncode == 0
