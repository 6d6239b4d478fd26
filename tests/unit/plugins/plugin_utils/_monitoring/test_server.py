# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the server, as Prometheus' own tool reads it."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring import server

from .sample import model

SETTINGS = role_files.defaults("monitoring")
ODD = 'https://user:p%a$s@example.org/hook?x="1"#ü\n '


def test_prometheus_accepts_its_configuration(tmp_path, monkeypatch):
    for name, text in (("alerts.yml", "groups: []\n"), ("hosts.json", server.targets(model()))):
        (tmp_path / name).write_text(text)
    text = server.prometheus(SETTINGS, "fd00::1").replace(server.FOLDER, str(tmp_path))
    (tmp_path / "prometheus.yml").write_text(text, encoding="utf-8")
    command = ["promtool", "check", "config", "prometheus.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_targets_are_the_hosts_with_programs():
    assert json.loads(server.targets(model())) == [
        {"targets": ["10.0.0.1:9100"], "labels": {"host": "a", "components": "nats,node"}},
        {"targets": ["10.0.0.2:9100"], "labels": {"host": "b", "components": "nats,caches,plot_server"}},
    ]


def test_receivers_are_those_of_the_inventory_whatever_is_in_them():
    receivers = [{"name": "a b", "webhook_configs": [{"url": ODD}]}]
    read = yaml.safe_load(server.alertmanager({**SETTINGS, "monitoring_receivers": receivers}))
    assert read["receivers"] == receivers and read["route"]["receiver"] == "a b"
    route = {"group_by": ["host"], "repeat_interval": "1h"}
    read = yaml.safe_load(server.alertmanager({**SETTINGS, "monitoring_route": route}))
    assert read["route"]["repeat_interval"] == "1h" and read["route"]["receiver"] == "nobody"


@pytest.mark.parametrize(("address", "written"), [("10.0.0.1", "10.0.0.1"), ("fd00::1", "[fd00::1]")])
def test_who_answers_where(address, written):
    assert f'ARGS="--web.listen-address={written}:9100"' in server.node_exporter_arguments(SETTINGS, address)
    assert "127.0.0.1:9090" in server.arguments(SETTINGS, "prometheus")
