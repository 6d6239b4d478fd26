# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What monitoring wants of a host."""

from __future__ import annotations

import json

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.part import part_of
from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring.files import (
    COLLECTOR,
    EXPECTED,
    summary,
    wanted,
)

from .sample import GROUPS, SECRET, model


def files_of(built, host):
    part = part_of(built, host)
    return wanted(built, host, part)


def test_without_a_host_that_monitors_nothing_is_wanted():
    built = model({**GROUPS, "monitoring": []})
    assert files_of(built, "a") == {"files": {}, "packages": [], "units": []}


def test_every_host_of_the_cluster_collects():
    found = files_of(model(), "b")
    assert COLLECTOR in found["files"] and "prometheus" not in found["packages"]
    timers = [unit for unit in found["units"] if unit.startswith("autonomys")]
    assert timers == [f"autonomys-collector-{each}.timer" for each in ("state", "gpus", "drift")]
    assert b"10.0.0.2:9100" in found["files"]["/etc/default/prometheus-node-exporter"].content
    # Neither uses a GPU.
    assert "autonomys-collector-gpus.timer" not in files_of(model(), "a")["units"]


def test_a_host_without_programs_collects_nothing():
    assert files_of(model(), "c")["files"] == {}


def test_what_the_host_should_be_is_for_root_only_and_has_no_digest_of_itself():
    built = model()
    file = files_of(built, "a")["files"][EXPECTED]
    assert (file.mode, file.secret) == ("0600", True) and SECRET.encode() in file.content
    assert json.loads(file.content) == part_of(built, "a")
    others = [file for path, file in files_of(built, "a")["files"].items() if path != EXPECTED]
    assert not any(SECRET.encode() in file.content for file in others)


def test_the_host_that_monitors_gets_the_server():
    found = files_of(model(), "a")
    assert {"prometheus", "prometheus-alertmanager", "prometheus-pushgateway"} <= set(found["packages"])
    assert found["files"]["/etc/autonomys/monitoring/alerts.yml"].restarts == "prometheus.service"
    assert found["files"]["/etc/prometheus/alertmanager.yml"].group == "prometheus"
    assert found["files"]["/etc/autonomys/monitoring/hosts.json"].restarts == ""


def test_for_a_prometheus_of_ones_own_there_are_only_files():
    found = files_of(model(monitoring_manage_server=False), "a")
    assert "prometheus" not in found["packages"] and "/etc/prometheus/prometheus.yml" not in found["files"]
    assert found["files"]["/etc/autonomys/monitoring/alerts.yml"].restarts == ""


@pytest.mark.parametrize("host", ["a", "b"])
def test_the_host_compares_digests_and_gets_no_content(host):
    told = summary(files_of(model(), host))
    assert all(len(digest) == 64 and len(mode) == 4 for digest, mode in told["files"].values())
    assert SECRET not in json.dumps(told)


def test_the_same_inventory_wants_the_same_bytes():
    assert summary(files_of(model(), "a")) == summary(files_of(model(), "a"))
