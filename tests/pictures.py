# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the pictures of docs/numa.md and README.md again: ``make pictures``."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import numa_plan
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.machine_picture import draw_machine
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.page import report
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.browser import Browser
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster

ROOT = Path(__file__).parents[1]
MACHINE = ROOT / "tests/fixtures/machines/seed-2x48c-4gpu.json"
# The masks of the tutorial's example of autonomys-plot-server.conf.
TUTORIAL = ("0-31", "96-127", "96-127", "144-175")
# Of the report, what README.md shows: how much changes, the cluster, and the cores of a plotter. Gives the height.
FIRST_SCREEN = """
(() => {
  document.querySelector('nav')?.remove();
  for (const section of document.querySelectorAll('section')) {
    if (!['Summary', 'The cluster', 'GPU hosts'].includes(section.querySelector('h2').textContent)) section.remove();
  }
  document.querySelectorAll('section > p').forEach((text, number) => number && text.remove());
  const hosts = [...document.querySelectorAll('section')].pop();
  hosts.querySelector('details').remove();
  return Math.ceil(hosts.querySelector('svg').getBoundingClientRect().bottom) + 24;
})()
"""
WIDTH = 1000


def pictures():
    """The pictures by the paths of their files."""
    topology = json.loads(MACHINE.read_text(encoding="utf-8"))["topology"]
    tutorial = [
        {"index": gpu["index"], "bus_id": gpu["bus_id"], "cpus": cpus} for gpu, cpus in zip(topology["gpus"], TUTORIAL)
    ]
    return {
        ROOT / "docs/numa-tutorial.svg": draw_machine(topology, tutorial, "The tutorial's masks: 2 × 48 cores, 4 GPUs"),
        ROOT / "docs/numa-planned.svg": draw_machine(
            topology, numa_plan(topology)["gpus"], "Planned: the same machine, 2 cores of each node kept back"
        ),
    }


def report_picture():
    """The first screen of the plan's report, for an upgrade of the tutorial's seven hosts, as a PNG."""
    cluster = Cluster().upgrade()
    topologies = {host: facts["gpus"]["topology"] for host, facts in cluster.facts.items() if facts["gpus"]}
    browser = Browser()
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as page:
            page.write(report(cluster.plan(), topologies, "2026-11-22 17:10 UTC"))
            page.flush()
            browser.open(page.name, WIDTH)
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": browser.evaluate(FIRST_SCREEN), "scale": 1}
        taken = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(taken["data"])
    finally:
        browser.close()


if __name__ == "__main__":
    for path, text in pictures().items():
        path.write_text(text, encoding="utf-8")
    (ROOT / "docs/report.png").write_bytes(report_picture())
