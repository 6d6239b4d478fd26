# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a real browser shows it: for 3, 7 and 60 hosts, wide and narrow, light and dark."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.page import report
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.browser import Browser, command
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster

SIZES = {3: (1, 1, 1), 7: (3, 2, 2), 60: (5, 15, 40)}
VIEWS = [(1400, False), (1400, True), (400, False), (400, True)]

# Everything that is read has a contrast of 4.5 to what lies behind it. Behind a text of a picture is the last shape
# drawn there before it.
CONTRAST = """
(() => {
  const parse = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const seen = colour => {
    const c = parse(colour);
    return c.length > 2 && (c.length < 4 || c[3] > 0.99) && colour !== 'none';
  };
  const light = colour => {
    const [r, g, b] = parse(colour).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (seen(c)) return c;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const low = [];
  let number = 0;
  const judge = (text, front, back) => {
    number += 1;
    if (!(ratio(front, back) >= 4.5)) low.push([text.trim().slice(0, 40), front, back, ratio(front, back)]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('svg, style') || !element.getClientRects().length) continue;
    judge(walker.currentNode.data, getComputedStyle(element).color, behind(element));
  }
  for (const svg of document.querySelectorAll('svg')) {
    if (!svg.getClientRects().length) continue;
    let shapes = [];
    for (const element of svg.querySelectorAll('rect, text')) {
      const style = getComputedStyle(element);
      if (element.tagName === 'rect') { if (seen(style.fill)) shapes.push([element.getBBox(), style.fill]); continue; }
      const box = element.getBBox(), x = box.x + box.width / 2, y = box.y + box.height / 2;
      const under = shapes.filter(([b]) => b.x <= x && x <= b.x + b.width && b.y <= y && y <= b.y + b.height).pop();
      judge(element.textContent, style.fill, under ? under[1] : behind(svg));
    }
  }
  return {number, low: low.slice(0, 5)};
})()
"""
# Texts of a picture neither leave it nor cover each other; nothing of the page is wider than the window.
LAYOUT = """
(() => {
  const faults = [];
  let pictures = 0;
  for (const svg of document.querySelectorAll('svg')) {
    const shown = svg.getBoundingClientRect();
    if (!svg.getClientRects().length) continue;
    pictures += 1;
    if (shown.width < 300 || shown.height < 60) faults.push(['small', shown.width, shown.height]);
    const view = svg.viewBox.baseVal, boxes = [...svg.querySelectorAll('text')].map(e => [e.getBBox(), e.textContent]);
    boxes.forEach(([a, text], i) => {
      if (a.x < 0 || a.y < 0 || a.x + a.width > view.width || a.y + a.height > view.height)
        faults.push(['outside', text]);
      for (const [b, other] of boxes.slice(i + 1)) {
        const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        if (wide > 1 && high > 4) faults.push(['covered', text, other]);
      }
    });
  }
  for (const element of document.querySelectorAll('main *, header *, nav *')) {
    if (element.closest('.scroll') || !element.getClientRects().length || element.closest('.skip')) continue;
    const box = element.getBoundingClientRect();
    // A picture that is scrolled reaches over the margins of what is around it.
    const over = element.clientWidth && element.scrollWidth > element.clientWidth + 1
      && !element.querySelector('.scroll');
    if (over) faults.push(['overflows', element.textContent.slice(0, 40)]);
    if (box.right > innerWidth + 0.5 || box.left < -0.5)
      faults.push(['wide', element.tagName, element.textContent.slice(0, 40), box.right]);
  }
  return {pictures, faults: faults.slice(0, 8), width: document.documentElement.scrollWidth};
})()
"""


def state(hosts):
    """A report with something of everything."""
    cluster = Cluster(*SIZES[hosts])
    storage = cluster.groups["plot_client"]
    for number, host in enumerate(storage[::4]):
        cluster.facts[host]["disks"]["/mnt/nvme1"].update(
            existing_plot_bytes=10**12 * (1 + number % 5), available=10**12 * (6 - number % 5)
        )
    cluster.upgrade()
    cluster.find(
        "DISK001",
        "error",
        [storage[-1]],
        "/mnt/nvme1n0 is not a mountpoint.",
        "Mount the disk there, or correct the path.",
        "plot_client",
    )
    cluster.find(
        "NATS005",
        "warning",
        cluster.groups["nats"],
        "nats_version 2.10.22 has known vulnerabilities.",
        "Take 2.12.8.",
        "nats",
        True,
    )
    cluster.left_out = {storage[-1]: ["DISK001"]}
    cluster.answers["node-1"]["node"] = {
        "error": "What would change about the node is not known: the host did not answer"
    }
    topologies = {host: facts["gpus"]["topology"] for host, facts in cluster.facts.items() if facts["gpus"]}
    return report(cluster.plan(), topologies, "2026-11-22 17:10 UTC")


@pytest.fixture(scope="module")
def browser():
    assert command(), "there is no browser: tests/setup.sh chromium chromium fonts-dejavu-core"
    tab = Browser()
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    for hosts in SIZES:
        (folder / f"{hosts}.html").write_text(state(hosts), encoding="utf-8")
    return folder


@pytest.mark.parametrize("hosts", SIZES)
@pytest.mark.parametrize("width, dark", VIEWS)
def test_it_is_readable(browser, reports, hosts, width, dark):
    path = reports / f"{hosts}.html"
    browser.open(path, width, dark)
    # Parts that are closed at first count too.
    browser.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    layout, contrast = browser.evaluate(LAYOUT), browser.evaluate(CONTRAST)
    assert browser.errors == []
    assert browser.requests == [path.resolve().as_uri()]
    assert layout["width"] <= width and layout["faults"] == []
    assert layout["pictures"] >= 4
    assert contrast["low"] == [] and contrast["number"] > 200


def test_without_scripts_it_shows_everything(browser, reports):
    browser.open(reports / "7.html", 1400, scripts=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    shown = browser.evaluate("document.body.innerText")
    for words in (
        "GPU 2 uses CPUs 49-71,145-167",
        "Mount the disk there",
        "version v1.0.0 → v1.1.0",
        "sectors planned",
        "node-1, then node-2",
        "DISK001",
    ):
        assert words in shown, words


def test_on_paper_closed_parts_are_open_and_the_contents_gone(browser, reports):
    browser.open(reports / "7.html", 1000)
    browser.call("Emulation.setEmulatedMedia", media="print")
    height = "document.querySelector('.group details pre').getBoundingClientRect().height"
    assert browser.evaluate(height) > 50
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    browser.call("Emulation.setEmulatedMedia", media="")
