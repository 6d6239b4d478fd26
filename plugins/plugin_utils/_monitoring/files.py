# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What monitoring wants of a host: its files, packages and units. Pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypedDict

from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.rounds import rounds_of
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.wanted import MonitoringPart, Part

from .._cluster.model import Model
from . import server
from .alerts import rules
from .dashboards import DASHBOARDS, dashboard
from .pack import collector

COLLECTOR = "/usr/local/lib/autonomys/collector.pyz"
EXPECTED = "/etc/autonomys/expected.json"
UNITS = "/etc/systemd/system"
NODE_EXPORTER = "prometheus-node-exporter"
HOST_PACKAGES = (NODE_EXPORTER, "prometheus-node-exporter-collectors", "smartmontools", "nvme-cli", "jq")
SERVER_PACKAGES = ("prometheus", "prometheus-alertmanager", "prometheus-pushgateway")
DISK_TIMERS = ("prometheus-node-exporter-nvme.timer", "prometheus-node-exporter-smartmon.timer")
# Seconds that a round may take, which is more than its own limits add up to.
TIMEOUT_S = {"state": 90, "gpus": 120, "drift": 600}


class File(NamedTuple):
    """A file that a host gets."""

    content: bytes
    mode: str = "0644"
    group: str = "root"
    # The unit that reads it only when it starts, and so is restarted.
    restarts: str = ""
    # Whether it holds what nobody may see.
    secret: bool = False


class Wanted(TypedDict):
    """What monitoring wants of a host; empty where nothing is monitored."""

    files: dict[str, File]
    packages: list[str]
    units: list[str]


def wanted(model: Model, host: str, part: Part) -> Wanted:
    """Return what monitoring wants of a host.

    Args:
        model: the cluster's model.
        host: the host.
        part: its part of the model.
    """
    found: Wanted = {"files": {}, "packages": [], "units": []}
    if not model["monitoring"]:
        return found
    settings, address = model["hosts"][host]["settings"], str(model["hosts"][host]["address"])
    if part["components"]:
        found["files"].update(_collector_files(settings, address, part))
        found["packages"] += HOST_PACKAGES
        found["units"] += [
            f"{NODE_EXPORTER}.service",
            *DISK_TIMERS,
            *(f"autonomys-collector-{each}.timer" for each in rounds_of(part)),
        ]
    if host in model["monitoring"]:
        found["files"].update(_server_files(model, settings))
        if settings["monitoring_manage_server"]:
            found["files"].update(_service_files(settings, address))
            found["packages"] += SERVER_PACKAGES
            found["units"] += [f"{package}.service" for package in SERVER_PACKAGES]
    return found


def summary(found: Wanted) -> MonitoringPart:
    """Return what the host is told of it to compare itself."""
    return {
        "files": {path: [hashlib.sha256(file.content).hexdigest(), file.mode] for path, file in found["files"].items()},
        "packages": found["packages"],
        "units": found["units"],
    }


def _collector_files(settings: Mapping[str, Any], address: str, part: Part) -> Iterator[tuple[str, File]]:
    yield COLLECTOR, File(collector())
    yield EXPECTED, File(json.dumps(part, sort_keys=True).encode(), "0600", secret=True)
    yield f"{UNITS}/autonomys-collector@.service", File(SERVICE.encode())
    for name in rounds_of(part):
        unit = f"autonomys-collector-{name}.timer"
        text = TIMER.format(name=name, seconds=settings[f"monitoring_{name}_seconds"])
        yield f"{UNITS}/{unit}", File(text.encode(), restarts=unit)
        drop_in = f"[Service]\nTimeoutStartSec={TIMEOUT_S[name]}\n"
        yield f"{UNITS}/autonomys-collector@{name}.service.d/limit.conf", File(drop_in.encode())
    yield (
        f"/etc/default/{NODE_EXPORTER}",
        File(server.node_exporter_arguments(settings, address).encode(), restarts=f"{NODE_EXPORTER}.service"),
    )


def _server_files(model: Model, settings: Mapping[str, Any]) -> Iterator[tuple[str, File]]:
    """Yield what any Prometheus can read, ours or somebody else's."""
    ours = "prometheus.service" if settings["monitoring_manage_server"] else ""
    yield server.RULES, File(rules(settings).encode(), restarts=ours)
    # Prometheus looks at this one by itself.
    yield server.TARGETS, File(server.targets(model).encode())
    for name in DASHBOARDS:
        yield f"{server.FOLDER}/dashboards/{name}.json", File(dashboard(name).encode())


def _service_files(settings: Mapping[str, Any], address: str) -> Iterator[tuple[str, File]]:
    receivers = server.alertmanager(settings).encode()
    texts = {
        "/etc/prometheus/prometheus.yml": ("prometheus", server.prometheus(settings, address)),
        "/etc/default/prometheus": ("prometheus", server.arguments(settings, "prometheus")),
        "/etc/default/prometheus-alertmanager": ("prometheus-alertmanager", server.arguments(settings, "alertmanager")),
        "/etc/default/prometheus-pushgateway": (
            "prometheus-pushgateway",
            server.pushgateway_arguments(settings, address),
        ),
    }
    for path, (service, text) in texts.items():
        yield path, File(text.encode(), restarts=f"{service}.service")
    # It holds passwords and tokens, and Alertmanager reads it as its own user: its group may read it, as Debian has it.
    yield (
        "/etc/prometheus/alertmanager.yml",
        File(receivers, "0640", "prometheus", restarts="prometheus-alertmanager.service", secret=True),
    )


SERVICE = f"""# Written by Ansible, role autonomys.cluster.monitoring.
[Unit]
Description=What Autonomys programs do on this host, for Prometheus (%i)

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -IB {COLLECTOR} %i
Nice=10
IOSchedulingClass=idle
StateDirectory=autonomys-collector
StateDirectoryMode=0700
NoNewPrivileges=true
"""

TIMER = """# Written by Ansible, role autonomys.cluster.monitoring.
[Unit]
Description=What Autonomys programs do on this host, for Prometheus ({name})

[Timer]
Unit=autonomys-collector@{name}.service
OnActiveSec=1
OnUnitActiveSec={seconds}
AccuracySec=1

[Install]
WantedBy=timers.target
"""
