# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The alerts, as Prometheus' rules: what is asked, for how long it must be so, and what the message says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

#: Where the way on is written, after the anchor of an alert.
GUIDE = "docs/monitoring.md#"


class Alert(NamedTuple):
    """One alert. ``[[name]]`` in it is a variable of the role, ``monitoring_<name>``."""

    name: str
    expr: str
    summary: str
    severity: str = "critical"
    # Minutes, or the variable with them.
    minutes: int | str = "alert_minutes"


ALERTS = (
    Alert("HostDown", 'up{job="autonomys-hosts"} == 0', "{{ $labels.host }} does not answer: nothing is known of it"),
    Alert(
        "EvidenceStale",
        'time() - node_textfile_mtime_seconds{file=~".*autonomys_(state|gpus)[.]prom"} > [[stale_minutes]] * 60',
        "{{ $labels.host }}: the collector has written nothing for [[stale_minutes]] minutes ({{ $labels.file }})",
    ),
    Alert(
        "CollectorFails",
        "autonomys_collector_ok == 0",
        "{{ $labels.host }}: the round {{ $labels.round }} of the collector fails",
        "warning",
    ),
    Alert(
        "ProgramDown",
        "autonomys_program_running == 0 and autonomys_program_wanted == 1",
        "{{ $labels.host }}: {{ $labels.program }} does not run",
    ),
    Alert(
        "ProgramFlapping",
        "increase(autonomys_program_starts_total[30m]) >= [[flapping_starts]]",
        "{{ $labels.host }}: {{ $labels.program }} was started {{ $value | humanize }} times in half an hour",
        "warning",
        0,
    ),
    Alert(
        "ComponentUnhealthy",
        "autonomys_component_healthy == 0",
        "{{ $labels.host }}: {{ $labels.component }} runs and does not do its work; playbooks/status.yml says why",
    ),
    Alert(
        "MaskEscaped",
        "autonomys_program_mask_as_planned == 0",
        "{{ $labels.host }}: {{ $labels.program }} runs on other CPUs than planned",
        "warning",
    ),
    Alert(
        "VersionSkew",
        "count by (binary) (count by (binary, version) (autonomys_version_info)) > 1",
        "several versions of {{ $labels.binary }} run in the cluster",
        "warning",
        60,
    ),
    Alert(
        "NatsDown",
        "autonomys_nats_reachable == 0",
        "{{ $labels.host }}: the NATS server does not answer",
    ),
    Alert(
        "NatsNoLeader",
        "autonomys_nats_leader_known == 0 and autonomys_nats_peers > 1",
        "{{ $labels.host }}: JetStream has no leader; nothing is plotted",
    ),
    Alert(
        "NatsMemberMissing",
        "autonomys_nats_members < autonomys_nats_peers or autonomys_nats_routes < autonomys_nats_peers - 1",
        "{{ $labels.host }}: the cluster of NATS lacks a server; another one that fails stops JetStream",
    ),
    Alert(
        "NatsReplicaBehind",
        "autonomys_nats_replica_lag > [[nats_lag]] or autonomys_nats_replica_current == 0",
        "NATS server {{ $labels.server }} is behind its leader {{ $labels.host }}",
        "warning",
    ),
    Alert(
        "NatsSlowConsumers",
        "increase(autonomys_nats_slow_consumers_total[15m]) > 0",
        "{{ $labels.host }}: NATS has cut off {{ $value | humanize }} clients that were too slow",
        "warning",
        0,
    ),
    Alert(
        "NatsStoreFull",
        "autonomys_nats_store_bytes / autonomys_nats_store_max_bytes > [[nats_store_percent]] / 100",
        "{{ $labels.host }}: JetStream's files take {{ $value | humanizePercentage }} of what they may",
        "warning",
    ),
    Alert("NodeDown", "autonomys_node_reachable == 0", "{{ $labels.host }}: the node's RPC does not answer"),
    Alert(
        "NodeStalled",
        "autonomys_node_best_block_age_seconds > [[node_block_age_seconds]]",
        "{{ $labels.host }}: the node has seen no new block for {{ $value | humanizeDuration }}",
    ),
    Alert(
        "NodeSyncing",
        "autonomys_node_syncing == 1",
        "{{ $labels.host }}: the node is not synced; its controller gets no slots",
        "warning",
        30,
    ),
    Alert(
        "NodeNoPeers",
        "autonomys_node_peers < [[node_min_peers]]",
        "{{ $labels.host }}: the node has {{ $value }} peers",
    ),
    Alert(
        "FarmMissing",
        "autonomys_farm_open == 0",
        "{{ $labels.host }}: nothing is farmed on {{ $labels.path }} (serial number {{ $labels.serial }})",
    ),
    Alert(
        "DiskUnmounted",
        "autonomys_farm_mounted == 0",
        "{{ $labels.host }}: no disk is mounted for {{ $labels.path }}",
    ),
    Alert(
        "DiskReadOnly",
        "autonomys_farm_read_only == 1 or autonomys_farm_readable == 0",
        "{{ $labels.host }}: {{ $labels.path }} (serial number {{ $labels.serial }}) fails or cannot be written to",
    ),
    Alert(
        "DiskFull",
        'node_filesystem_avail_bytes{mountpoint=~"/|/var|/opt|/var/lib.*",fstype!~"tmpfs|overlay"}'
        " / node_filesystem_size_bytes < [[disk_free_percent]] / 100",
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of {{ $labels.mountpoint }} is free",
        "warning",
    ),
    Alert(
        "DiskWear",
        "nvme_percentage_used_ratio > [[disk_wear_percent]] / 100",
        "{{ $labels.host }}: the disk {{ $labels.device }} has used {{ $value | humanizePercentage }} of its life",
        "warning",
    ),
    Alert(
        "DiskErrors",
        "increase(nvme_media_errors_total[1h]) > 0",
        "{{ $labels.host }}: the disk {{ $labels.device }} could not read some of its data",
        "warning",
        0,
    ),
    Alert(
        "GpuMissing",
        "autonomys_gpus_present < autonomys_gpus_expected",
        "{{ $labels.host }}: {{ $value }} GPUs are left of those that should be there",
    ),
    Alert("GpuDriverSilent", "autonomys_gpu_query_ok == 0", "{{ $labels.host }}: the NVIDIA driver does not answer"),
    Alert(
        "GpuError",
        # These are faults of the programs that use a GPU, not of the GPU.
        'increase(autonomys_gpu_xid_total{xid!~"13|31|43|45"}[1h]) > 0',
        "{{ $labels.host }}: the GPU {{ $labels.bus_id }} reports error {{ $labels.xid }} (Xid)",
        "warning",
        0,
    ),
    Alert(
        "GpuThrottled",
        "autonomys_gpu_throttled == 1",
        "{{ $labels.host }}: the GPU {{ $labels.uuid }} is slowed down ({{ $labels.reason }})",
        "warning",
        15,
    ),
    Alert(
        "GpuHot",
        "autonomys_gpu_temperature_celsius > [[gpu_celsius]]",
        "{{ $labels.host }}: the GPU {{ $labels.uuid }} has {{ $value }} degrees",
        "warning",
    ),
    Alert(
        "PushStale",
        "time() - push_time_seconds > [[push_minutes]] * 60",
        "the program that pushes its metrics as {{ $labels.exported_job }} {{ $labels.instance }} has not done so",
        "warning",
    ),
    Alert(
        "Drift",
        "autonomys_drift_changes > 0 or autonomys_drift_unknown == 1",
        "{{ $labels.host }}: {{ $labels.part }} is not as the inventory says; playbooks/drift.yml names it",
        "warning",
        "drift_minutes",
    ),
    Alert("Watchdog", "vector(1)", "always: who does not hear of this hears of nothing", "none", 0),
)


def rules(settings: Mapping[str, Any]) -> str:
    """Return the rules as Prometheus reads them, with the thresholds of the inventory."""
    thresholds = {
        name[len("monitoring_") :]: value for name, value in settings.items() if name.startswith("monitoring_")
    }
    return yaml.safe_dump(
        {"groups": [{"name": "autonomys", "rules": [_rule(alert, thresholds) for alert in ALERTS]}]},
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )


def _rule(alert: Alert, thresholds: Mapping[str, Any]) -> dict[str, Any]:
    minutes = thresholds[alert.minutes] if isinstance(alert.minutes, str) else alert.minutes
    return {
        "alert": alert.name,
        "expr": _filled(alert.expr, thresholds),
        **({"for": f"{minutes}m"} if minutes else {}),
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": _filled(alert.summary, thresholds),
            "guide": GUIDE + alert.name.lower(),
        },
    }


def _filled(text: str, thresholds: Mapping[str, Any]) -> str:
    return re.sub(r"\[\[(\w+)\]\]", lambda match: str(thresholds[match[1]]), text)
