# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report is one page that loads nothing, has everything, and keeps every foreign text a text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.page import report
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster, disk
from hypothesis import example, given, settings
from hypothesis import strategies as st

VOID = {"meta", "link", "br", "rect", "path"}


class Parsed(HTMLParser):
    """A page's elements, attributes and text; it must be well formed."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.ids, self.links, self.words, self.open = set(), set(), [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add((tag, name))
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.links.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def page_of(cluster):
    topologies = {host: facts["gpus"]["topology"] for host, facts in cluster.facts.items() if facts["gpus"]}
    return report(cluster.plan(), topologies, "2026-11-22 17:10 UTC")


@pytest.fixture(scope="module")
def upgrade():
    cluster = Cluster().upgrade()
    cluster.left_out = {"storage-2": ["DISK001"]}
    cluster.find("DISK001", "error", ["storage-2"], "/mnt/x is not a mountpoint.", "Mount the disk.")
    cluster.find("NATS005", "warning", ["node-1"], accepted=True)
    return page_of(cluster)


def test_the_page_loads_nothing_and_has_no_script(upgrade):
    page = Parsed(upgrade)
    assert not page.tags & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "video",
        "audio",
        "source",
        "use",
        "image",
    }
    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}
    assert not re.search(r"url\(|@import|https?:", upgrade.replace("ws://", ""))
    assert not {name for _tag, name in page.attributes if name.startswith("on")}


def test_every_link_has_its_place_and_every_name_stands_once(upgrade):
    page = Parsed(upgrade)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_report_alone_tells_which_cores_gpu_2_of_plotter_1_uses_and_why(upgrade):
    part = upgrade[upgrade.index('id="gpus"') : upgrade.index('id="storage"')]
    words = re.sub(r"\s+", " ", Parsed(part[part.index("<h2") : part.rindex("</section>")]).text)
    assert "plotter-1, plotter-2" in words
    assert (
        "GPU 2 uses CPUs 49-71,145-167: 23 cores (46 CPUs) of NUMA node 1, the node that the GPU is attached to."
        in words
    )
    assert (
        "Of 48 usable cores there, 2 are kept back for the system "
        "(plot_server_reserve_cores), and the 2 GPUs get (48 − 2) ÷ 2 = 23 each."
    ) in words
    # In the picture each of its cores bears its number.
    assert part.count(": plot server 2</title>") == 23


def test_all_of_the_plan_is_there(upgrade):
    text = Parsed(upgrade).text
    for words in (
        *(
            "version v1.0.0 → v1.1.0",
            "node-1, then node-2, then node-3",
            "Mount the disk.",
            "/mnt/x is not a mountpoint.",
            "accepted",
            "Errors: DISK001.",
        ),
        *(
            "9968",
            "/opt/autonomys/releases/v1.1.0/autonomys-farmer cluster --nats-server",
            "plot_server_gpus:",
            "sectors planned",
            "all with all, port 4248",
        ),
    ):
        assert words in text, words


def test_a_missing_gpu_is_in_the_report():
    cluster = Cluster(1, 1, 1).everywhere()
    topology = cluster.facts["plotter-1"]["gpus"]["topology"]
    cluster.set("plotter-1", plot_server_gpus=[gpu["uuid"] for gpu in topology["gpus"]])
    del topology["gpus"][2]
    text = Parsed(page_of(cluster)).text
    assert "2  GPU missing" in text and "its plot server is kept stopped, and its cores wait for it." in text


def test_sixty_hosts_share_pictures_and_stay_small():
    page = page_of(Cluster(5, 15, 40).everywhere())
    assert page.count("<svg") == 4 and len(page) < 200_000
    assert "plotter-1…plotter-15" in page and "40 hosts alike" in page
    different = Cluster(3, 1, 30).everywhere()
    for number, host in enumerate(different.groups["plot_client"]):
        different.facts[host]["disks"]["/mnt/nvme0"]["available"] -= number * 10**10
    assert page_of(different).count('<details class="group" id="storage-') == 30


@given(
    st.text(st.characters(codec=None), max_size=40)
    | st.sampled_from(["<", "&", "\"'>", "\n", "]]>", "-->", "</style>"])
)
@example("<script>alert(1)</script>")
@example("\"'><img src=x onerror=alert(1)>")
@example("</style></title></svg><b>&lt;&amp;")
@example("line\nbreak\r\ttab \x00\x1b[31m \ud800 ünïcödé 漢字 \u202e")
@settings(max_examples=30, deadline=None)
def test_no_text_breaks_out(evil):
    cluster = Cluster(1, 1, 1)
    for names in (cluster.hosts, *cluster.groups.values()):
        names[:] = ["storage" + evil if name == "storage-1" else name for name in names]
    for known in (cluster.variables, cluster.facts):
        known["storage" + evil] = known.pop("storage-1")
    storage = "storage" + evil
    cluster.everywhere("ABSENT")
    cluster.variables[storage]["plot_client_farms"] = [{"path": "/mnt/" + evil, "sectors": 6000}]
    cluster.facts[storage]["disks"] = {"/mnt/" + evil: disk("/mnt", device=evil, fstype=evil)}
    for gpu in cluster.facts["plotter-1"]["gpus"]["topology"]["gpus"]:
        gpu["name"] = evil
    cluster.facts["plotter-1"]["gpus"]["topology"]["nics"][0]["name"] = evil
    for host in cluster.hosts:
        cluster.set(host, cluster_version=evil, node_extra_args=[evil])
    cluster.answers["node-1"]["node"] = {"error": evil}
    cluster.find(evil, "error", [storage], evil, evil, evil)
    cluster.left_out = {storage: [evil]}
    plain = Parsed(page_of(Cluster(1, 1, 1).upgrade()))
    broken = Cluster(1, 1, 1)
    broken.left_out = {"storage-1": ["X"]}
    broken.find("X", "error", [], accepted=True)
    reference = Parsed(page_of(broken))
    page = Parsed(page_of(cluster))
    assert page.tags <= plain.tags | reference.tags
    assert page.attributes <= plain.attributes | reference.attributes | {("h3", "id")}


def test_the_plan_is_plain_data():
    plan = Cluster().upgrade().plan()
    assert json.loads(json.dumps(plan)) == plan
