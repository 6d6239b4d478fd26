# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status table as a page: what it says, and as a real browser shows it on a phone."""

from __future__ import annotations

import re

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._status_page import page
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.browser import Browser, command

WHEN = "2026-11-25 12:00:00 UTC"


def row(host, program, health="healthy", evidence="NATS, port 30533, CPUs 0-23,96-119"):
    state = "RUNNING" if health == "healthy" else "BACKOFF"
    return {
        "host": host,
        "component": "plot_server",
        "program": program,
        "state": state,
        "health": health,
        "evidence": evidence,
    }


def sample(hosts=7):
    rows = [row(f"plotter-{number}", f"autonomys-plot-server-{slot}") for number in range(hosts) for slot in range(4)]
    why = "autonomys-plot-client has no file open in /mnt/nvme0n1/a/very/long/path/without/any/blank/in/it/at/all"
    return [*rows, row("storage-1", "autonomys-plot-client", "NOT HEALTHY", why)]


def test_what_is_wrong_comes_first_and_is_in_the_title():
    text = page(sample(), "1 of 29 programs in the table above is not healthy.", WHEN)
    assert "<title>1 not healthy</title>" in text and WHEN in text
    assert "1 of 29 programs not healthy." in text
    assert text.index("storage-1") < text.index("plotter-0")
    assert 'http-equiv="refresh"' in text


def test_all_is_well():
    text = page(sample()[:-1], None, WHEN)
    assert "<title>All healthy</title>" in text and "All 28 programs on 7 hosts are as they should be." in text
    assert "What is wrong" not in text


def test_what_hosts_tell_is_no_markup():
    text = page([row("<script>a", "b\"'&", "NOT HEALTHY", "</table><img src=x onerror=1>")], "<b>", WHEN)
    assert "<script" not in text and "<img" not in text and text.count("</table>") == 1


def test_it_loads_nothing_from_elsewhere():
    assert re.findall(r"(?:src|href)=\"([^\"]*)", page(sample(), None, WHEN)) == ["data:,"]


@pytest.mark.skipif(command() is None, reason="no Chromium")
@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1400, False)])
def test_a_real_browser_shows_it(tmp_path, width, dark):
    path = tmp_path / "status.html"
    path.write_text(page(sample(), "1 of 29 programs in the table above is not healthy.", WHEN), encoding="utf-8")
    browser = Browser()
    try:
        browser.open(path, width, dark)
        assert browser.errors == [] and len(browser.requests) == 1
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        top = "document.querySelector('tbody tr').getBoundingClientRect().top"
        assert browser.evaluate(top) < 700, "what is wrong is seen without scrolling"
    finally:
        browser.close()
