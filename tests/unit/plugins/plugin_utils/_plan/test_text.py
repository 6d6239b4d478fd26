# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan on a terminal: narrow, short, complete."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.text import plan_text
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster

UPGRADE = """\
HOST                  PROGRAM                  PORTS             CPUS           CHANGE
node-1…node-3 (3)     nats-server              4222 4248 8222    -              -
                      autonomys-node           9944 30333 30433  -              restart
                      autonomys-controller     30533             -              restart
                      autonomys-proof-server   -                 -              restart
plotter-1, plotter-2  autonomys-sharded-cache  -                 -              restart
                      autonomys-full-piece     -                 -              restart
                      autonomys-plot-server-0  9966              1-23,97-119    restart
"""
END = """\
 6. restart 2 plot_client programs: storage-1, then storage-2
    20 s to 40 min (2 times: stop within 5 min, stay up for 10 s, become healthy within 15 min)

Plan for 7 hosts, 26 programs: 23 restart, 3 stay as they are.
The steps take 2 min to 2 h 44 min, plus the time that Ansible itself needs; they take the longest
when every program needs all the time that it is given.
Autonomys v1.0.0 and v1.1.0 run side by side for 2 min to 2 h 44 min, from the first restart (node)
to the last (plot_client).
8 plot servers on 2 hosts stop or restart: the sectors that they are plotting are lost and start
again.
Nothing was changed."""
WHY = """
WHY
restart  version v1.0.0 → v1.1.0
         node-1…node-3: autonomys-node, autonomys-controller, autonomys-proof-server
         plotter-1, plotter-2: autonomys-sharded-cache, autonomys-full-piece,
           autonomys-plot-server-0…autonomys-plot-server-3
         storage-1, storage-2: autonomys-plot-client
"""


def test_an_upgrade_in_words():
    plan = Cluster().upgrade().plan()
    text = plan_text(plan, 100)
    end = f"{END} site.yml -e cluster_plan_id={plan['id']} does this or refuses."
    assert text.startswith(UPGRADE) and text.endswith(end) and WHY in text
    assert "storage-1, storage-2  /mnt/nvme0     6000        0     6845" in text
    assert "  - GPU-" in text and "# plotter-2\nplot_server_gpus:" in text
    assert max(len(line) for line in text.splitlines()) <= 100


NARROW = """\
HOST                  PROGRAM                  PORTS      CPUS          CHANGE
node-1…node-3 (3)     nats-server              4222 4248  -             -
                                               8222
                      autonomys-node           9944       -             restart
                                               30333
                                               30433
"""


@pytest.mark.parametrize("width", [79, 119, 160])
@pytest.mark.parametrize("kind", ["upgrade", "limit", "many"])
def test_the_text_keeps_within_the_width(kind, width):
    cluster = Cluster(5, 9, 30) if kind == "many" else Cluster()
    if kind == "many":
        # No two hosts have names that can be put together, or the same paths.
        for number, host in enumerate(cluster.groups["plot_client"]):
            path = f"/srv/farms/of/the/{number % 3}-th-kind/" + "x" * 40
            cluster.variables[host]["plot_client_farms"] = [{"path": path, "sectors": 10}]
            cluster.facts[host]["disks"] = {}
    cluster.upgrade()
    if kind == "limit":
        for host in cluster.groups["plot_client"]:
            del cluster.facts[host]
        cluster.left_out = {"plotter-1": ["DISK001"]}
    text = plan_text(cluster.plan(), width)
    blocks = [line for line in text.splitlines() if line.startswith("  - GPU-")]
    assert max(len(line) for line in text.splitlines() if line not in blocks) <= width
    if (kind, width) == ("upgrade", 79):
        assert text.startswith(NARROW)


def test_commands_are_shown_on_demand():
    text = plan_text(Cluster().everywhere("ABSENT").plan(), 100, commands=True)
    assert "    /opt/autonomys/releases/v1.0.0/autonomys-node run --base-path /var/autonomys-node --farmer" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_a_thousand_hosts_stay_short():
    text = plan_text(Cluster(nodes=5, plotters=195, storages=800).everywhere().plan(), 100)
    assert len(text.splitlines()) < 40
    assert "plotter-1…plotter-195 (195)" in text and "on 195 hosts" in text


EVIL = "x\x1b]0;owned\x07\x9b1A\u202e\nHOST  PROGRAM"


def test_no_text_of_a_host_or_inventory_forges_a_row_or_steers_the_terminal():
    cluster = Cluster(1, 1, 1).upgrade()
    for gpu in cluster.facts["plotter-1"]["gpus"]["topology"]["gpus"]:
        gpu["name"] = EVIL
    cluster.facts["storage-1"].update(reachable=False, error=EVIL)
    cluster.variables["storage-1"]["plot_client_farms"] = [{"path": "/mnt/" + EVIL, "sectors": 1}]
    cluster.set("node-1", node_extra_args=[EVIL])
    cluster.answers["node-1"]["node"]["program"]["reasons"] = ["autonomys-node " + EVIL]
    cluster.answers["node-1"]["node"]["program"]["diff"] = []
    cluster.answers["node-1"]["nats"] = {"error": EVIL}
    text = plan_text(cluster.plan(), 120, commands=True)
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert [line for line in text.splitlines() if line.startswith("HOST  PROGRAM")] == []
    assert text.count("x\\x1b]0;owned\\x07\\x9b1A\\u202e") > 8
    assert yaml.safe_load(text[text.index("# plotter-1") : text.index("WHY")])["plot_server_gpus"]


def test_what_is_not_in_the_plan_is_said():
    cluster = Cluster().everywhere()
    cluster.left_out = {"storage-2": ["DISK001"]}
    cluster.answers["storage-1"]["plot_client"] = {
        "error": "What would change about the plot_client is not known: a\nreason"
    }
    cluster.stopping = [cluster.find("VAR001", "error", ["node-1"])]
    text = plan_text(cluster.plan(), 100)
    assert (
        "NOT IN THE PLAN\nstorage-2: left out. Errors: DISK001.\nstorage-1: What would "
        "change about the plot_client is not known: a reason"
    ) in text
    assert (
        "site.yml would stop before it changes anything (VAR001)" in text
        and "Findings: 1 error, 0 warnings, 0 info." in text
    )
