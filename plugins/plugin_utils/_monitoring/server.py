# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The configuration of the monitoring server: Prometheus, Alertmanager, Pushgateway. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from .._cluster.model import Model

FOLDER = "/etc/autonomys/monitoring"
RULES = f"{FOLDER}/alerts.yml"
TARGETS = f"{FOLDER}/hosts.json"


def targets(model: Model) -> str:
    """Return the hosts as ``file_sd`` reads them, with name and components as labels."""
    found = []
    for name, host in sorted(model["hosts"].items()):
        if host["components"]:
            port = host["settings"]["monitoring_node_exporter_port"]
            address = bracketed(str(host["address"]))
            labels = {"host": name, "components": ",".join(host["components"])}
            found.append({"targets": [f"{address}:{port}"], "labels": labels})
    return json.dumps(found, indent=1) + "\n"


def prometheus(settings: Mapping[str, Any], address: str) -> str:
    """Return Prometheus' own configuration; *address* is that of its host."""
    interval = f"{settings['monitoring_scrape_seconds']}s"
    return _yaml(
        {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [RULES],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_own(settings, "alertmanager")]}]}]},
            "scrape_configs": [
                {"job_name": "autonomys-hosts", "file_sd_configs": [{"files": [TARGETS]}]},
                {
                    "job_name": "autonomys-pushed",
                    # What pushes says of which host and program it is.
                    "honor_labels": True,
                    "static_configs": [
                        {"targets": [f"{bracketed(address)}:{settings['monitoring_pushgateway_port']}"]}
                    ],
                },
            ],
        }
    )


def alertmanager(settings: Mapping[str, Any]) -> str:
    """Return Alertmanager's configuration: the receivers of the inventory, or none."""
    receivers = settings["monitoring_receivers"] or [{"name": "nobody"}]
    route = {
        "receiver": receivers[0]["name"],
        # One message about a host, not one about each of its farms.
        "group_by": ["alertname", "host"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        **settings["monitoring_route"],
    }
    quiet = {
        "source_matchers": ['alertname="HostDown"'],
        "target_matchers": ['alertname!="HostDown"'],
        "equal": ["host"],
    }
    return _yaml({"route": route, "receivers": receivers, "inhibit_rules": [quiet]})


def arguments(settings: Mapping[str, Any], service: str) -> str:
    """Return the arguments of a service of the distribution, as its file in /etc/default has them."""
    address = bracketed(str(settings["monitoring_listen"]))
    listen = f"--web.listen-address={address}:{settings[f'monitoring_{service}_port']}"
    more = {
        "prometheus": [f"--storage.tsdb.retention.time={settings['monitoring_retention']}"],
        # It is asked for a single server; a cluster of them would listen on a port more.
        "alertmanager": ["--cluster.listen-address="],
    }
    return _arguments([listen, *more.get(service, [])])


def pushgateway_arguments(settings: Mapping[str, Any], address: str) -> str:
    """Return the arguments of the Pushgateway, which the cluster's programs reach."""
    return _arguments([f"--web.listen-address={bracketed(address)}:{settings['monitoring_pushgateway_port']}"])


def node_exporter_arguments(settings: Mapping[str, Any], address: str) -> str:
    """Return the arguments of node-exporter, which Prometheus reaches at the cluster's address."""
    return _arguments([f"--web.listen-address={bracketed(address)}:{settings['monitoring_node_exporter_port']}"])


def bracketed(address: str) -> str:
    """Return an address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def _own(settings: Mapping[str, Any], service: str) -> str:
    return f"{bracketed(str(settings['monitoring_listen']))}:{settings[f'monitoring_{service}_port']}"


def _arguments(words: list[str]) -> str:
    return f'# Written by Ansible, role autonomys.cluster.monitoring.\nARGS="{" ".join(words)}"\n'


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return f"# Written by Ansible, role autonomys.cluster.monitoring.\n{text}"
