# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboards: every question is one that Prometheus understands, and asks for what there is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring.alerts import rules
from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring.dashboards import DASHBOARDS, dashboard

ROOT = Path(__file__).parents[5]
#: What the exporters of a host of the demo told.
SCRAPE = ROOT / "tests/fixtures/metrics/node-exporter.txt"
METRICS = ROOT / "plugins/module_utils/_metrics"
#: Of GPUs with errors, of Debian's collector for NVMe, which is silent in a container, and of Prometheus itself.
OTHERS = {
    "autonomys_gpu_xid_total",
    "autonomys_gpu_ecc_uncorrected",
    "nvme_percentage_used_ratio",
    "nvme_media_errors_total",
    "nvme_temperature_celsius",
    "ALERTS",
    "up",
    "push_time_seconds",
}
WORD = re.compile(r"\b((?:autonomys|node|nvme)_[a-z_]+)\b")


def known():
    """The names of all metrics that there are."""
    scraped = re.findall(r"^# TYPE (\S+)", SCRAPE.read_text(encoding="utf-8"), re.MULTILINE)
    return {*scraped, *OTHERS}


def questions():
    found = {f"{name}: {panel.title}": panel.expr for name, (_title, panels) in DASHBOARDS.items() for panel in panels}
    for rule in yaml.safe_load(rules(role_files.defaults("monitoring")))["groups"][0]["rules"]:
        found[f"alert {rule['alert']}"] = rule["expr"]
    return found


@pytest.mark.parametrize("question", questions())
def test_questions_ask_for_metrics_that_there_are(question):
    assert set(WORD.findall(questions()[question])) <= known()


def test_prometheus_understands_every_question(tmp_path):
    records = [{"record": f"q{number}", "expr": expr} for number, expr in enumerate(questions().values())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "q", "rules": records}]}))
    command = ["promtool", "check", "rules", "rules.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_are_what_grafana_imports(name):
    read = json.loads(dashboard(name))
    assert read["title"] and len({panel["id"] for panel in read["panels"]}) == len(read["panels"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in read["panels"]]
    assert len(set(places)) == len(places) and all(x + 8 <= 24 for x, _y in places)


def test_every_metric_of_ours_is_described_and_recorded():
    text = SCRAPE.read_text(encoding="utf-8")
    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    ours = {name for name in known() if name.startswith("autonomys_")}
    assert len(ours) > 40 and "autonomys_farm_open{" in text
    assert sorted(name for name in ours if f"`{name}`" not in page) == []
