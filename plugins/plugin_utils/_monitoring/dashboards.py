# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The dashboards for Grafana: tables of panels, from which the JSON is made. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

COLUMNS, WIDTH, HEIGHT = 3, 8, 8


class Panel(NamedTuple):
    """A panel: a title, a question in PromQL, what a line is called, and the unit as Grafana names it."""

    title: str
    expr: str
    legend: str = "{{host}}"
    unit: str = "none"
    kind: str = "timeseries"


DASHBOARDS: Mapping[str, tuple[str, tuple[Panel, ...]]] = {
    "cluster": (
        "Autonomys: cluster",
        (
            Panel(
                "Alerts", 'ALERTS{alertstate="firing",alertname!="Watchdog"}', "{{alertname}} {{host}}", kind="table"
            ),
            Panel("Hosts that answer", 'up{job="autonomys-hosts"}', kind="stat"),
            Panel("Healthy components", "autonomys_component_healthy", "{{host}} {{component}}", kind="stat"),
            Panel(
                "Programs that do not run",
                "autonomys_program_wanted - autonomys_program_running",
                "{{host}} {{program}}",
            ),
            Panel(
                "Starts of programs, per hour", "increase(autonomys_program_starts_total[1h])", "{{host}} {{program}}"
            ),
            Panel("Versions that run", "count by (binary, version) (autonomys_version_info)", "{{binary}} {{version}}"),
            Panel("Best block of the nodes", "autonomys_node_best_block"),
            Panel("Age of the best block", "autonomys_node_best_block_age_seconds", unit="s"),
            Panel("Peers of the nodes", "autonomys_node_peers"),
            Panel("Drift", "autonomys_drift_changes", "{{host}} {{part}}"),
            Panel(
                "CPU of the hosts",
                '1 - avg by (host) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
                unit="percentunit",
            ),
            Panel("Cost of the collector", "autonomys_collector_cpu_seconds", "{{host}} {{round}}", "s"),
        ),
    ),
    "gpus": (
        "Autonomys: plotters and GPUs",
        (
            Panel("GPUs that are missing", "autonomys_gpus_expected - autonomys_gpus_present"),
            Panel("Work", "autonomys_gpu_busy_ratio", "{{host}} {{uuid}}", "percentunit"),
            Panel("Temperature", "autonomys_gpu_temperature_celsius", "{{host}} {{uuid}}", "celsius"),
            Panel("Power", "autonomys_gpu_power_watts", "{{host}} {{uuid}}", "watt"),
            Panel("Power of all GPUs", "sum by (host) (autonomys_gpu_power_watts)", unit="watt"),
            Panel("Memory in use", "autonomys_gpu_memory_used_bytes", "{{host}} {{uuid}}", "bytes"),
            Panel("Slowed down", "autonomys_gpu_throttled", "{{host}} {{uuid}} {{reason}}"),
            Panel("Lanes of PCI Express", "autonomys_gpu_pcie_width", "{{host}} {{uuid}}"),
            Panel(
                "Errors of the driver, per hour",
                "increase(autonomys_gpu_xid_total[1h])",
                "{{host}} {{bus_id}} Xid {{xid}}",
            ),
            Panel("CPUs as planned", "autonomys_program_mask_as_planned", "{{host}} {{program}}"),
        ),
    ),
    "farms": (
        "Autonomys: storage and farms",
        (
            Panel("Farms that are not open", "autonomys_farm_open == 0", "{{host}} {{path}} {{serial}}", kind="table"),
            Panel("Farms that cannot be written to", "autonomys_farm_read_only", "{{host}} {{path}}"),
            Panel("Sectors wanted", "sum by (host) (autonomys_farm_sectors_wanted)"),
            Panel("Plots", "sum by (host) (autonomys_farm_plot_bytes)", unit="bytes"),
            Panel("Room on the farms' disks", "autonomys_farm_available_bytes", "{{host}} {{path}}", "bytes"),
            Panel("Wear", "nvme_percentage_used_ratio", "{{host}} {{device}}", "percentunit"),
            Panel("Data that could not be read", "increase(nvme_media_errors_total[1d])", "{{host}} {{device}}"),
            Panel("Temperature of the disks", "nvme_temperature_celsius", "{{host}} {{device}}", "celsius"),
            Panel("Read", "sum by (host) (rate(node_disk_read_bytes_total[5m]))", unit="Bps"),
            Panel("Written", "sum by (host) (rate(node_disk_written_bytes_total[5m]))", unit="Bps"),
        ),
    ),
    "nats": (
        "Autonomys: NATS",
        (
            Panel("Servers that answer", "autonomys_nats_reachable", kind="stat"),
            Panel("Meta leader", "autonomys_nats_is_leader"),
            Panel("Members of the meta group", "autonomys_nats_members"),
            Panel("Routes", "autonomys_nats_routes"),
            Panel("Behind the leader", "autonomys_nats_replica_lag", "{{server}}"),
            Panel("Clients", "autonomys_nats_connections"),
            Panel("Clients that were cut off, per hour", "increase(autonomys_nats_slow_consumers_total[1h])"),
            Panel("JetStream's files", "autonomys_nats_store_bytes", unit="bytes"),
            Panel("Network", "rate(node_network_transmit_bytes_total[5m])", "{{host}} {{device}}", "Bps"),
        ),
    ),
}


def dashboard(name: str) -> str:
    """Return a dashboard as Grafana imports it; it asks for the source of the data once."""
    title, panels = DASHBOARDS[name]
    source = {"type": "prometheus", "uid": "${source}"}
    found = {
        "title": title,
        "uid": f"cluster-of-autonomys-{name}",
        "schemaVersion": 38,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"}]},
        "panels": [_panel(number, panel, source) for number, panel in enumerate(panels)],
    }
    return json.dumps(found, indent=1) + "\n"


def _panel(number: int, panel: Panel, source: Mapping[str, str]) -> dict[str, Any]:
    place = {"x": number % COLUMNS * WIDTH, "y": number // COLUMNS * HEIGHT, "w": WIDTH, "h": HEIGHT}
    now = panel.kind != "timeseries"
    target = {"refId": "A", "datasource": source, "expr": panel.expr, "legendFormat": panel.legend, "instant": now}
    return {
        "id": number + 1,
        "title": panel.title,
        "type": panel.kind,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [{**target, "format": "table"} if panel.kind == "table" else target],
    }
