# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is gone for good is taken out of the JetStream meta group as docs/operations.md says.

The servers of this collection have no user of the system account. So a server joins them for a moment that has one.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import nats
import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils import _health
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import ask_server
from ansible_collections.autonomys.cluster.tests.integration.ports import free_ports

from .conftest import nats_cluster

PAGE = Path(__file__).parents[3] / "docs/operations.md"
LEFT = ("node-1", "node-2", "node-3")


@pytest.fixture
def four(tmp_path):
    """Four servers."""
    servers = nats_cluster.Cluster(tmp_path, 4)
    servers.start()
    try:
        servers.wait_ready()
        yield servers
    finally:
        servers.stop()


def configuration(cluster, client, route):
    """The configuration of the page, with this cluster's addresses."""
    [text] = re.findall(r"```\n( *server_name: helper\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    routes = ", ".join(f"nats://127.0.0.1:{cluster.route[name]}" for name in LEFT)
    text = re.sub(r"listen: 127.0.0.1:4300\b", f"listen: 127.0.0.1:{client}", text)
    text = re.sub(r"listen: 0.0.0.0:4301\b", f"listen: 127.0.0.1:{route}", text)
    return re.sub(r"routes: \[.*?\]", f"routes: [{routes}]", text)


async def remove(port, name):
    """What the nats tool asks for."""
    client = await nats.connect(f"nats://127.0.0.1:{port}", user="operator", password="a password")
    answer = await client.request("$JS.API.SERVER.REMOVE", json.dumps({"peer": name}).encode(), timeout=10)
    await client.close()
    return json.loads(answer.data)


def problems(cluster, name):
    read = ask_server(cluster.url(name), LEFT, cluster.urls(), 5)
    return _health.nats_problems({"peers": dict.fromkeys(LEFT, "127.0.0.1")}, read)


def test_a_ghost_is_named_and_taken_out(four, tmp_path):
    four.stop("node-4", kill=True)
    four.wait("node-1", lambda answers: answers["varz"]["jetstream"]["meta"].get("leader") in LEFT)
    leader = four.answers("node-1")["varz"]["jetstream"]["meta"]["leader"]
    four.wait(leader, lambda answers: '"node-4"' in json.dumps(answers["jsz"]))
    assert any("not in the inventory: node-4" in problem for problem in problems(four, leader))
    client, route = free_ports(2)
    (tmp_path / "helper.conf").write_text(configuration(four, client, route))
    with (tmp_path / "helper.log").open("w") as log:
        helper = subprocess.Popen([nats_cluster.BINARY, "-c", tmp_path / "helper.conf"], stderr=log)
    try:
        four.wait(leader, lambda answers: "helper" in json.dumps(answers["routez"]))
        assert asyncio.run(remove(client, "node-4"))["success"]
    finally:
        helper.terminate()
        helper.wait()
    four.wait(leader, lambda answers: answers["jsz"]["meta_cluster"]["cluster_size"] == 3)
    for name in LEFT:
        four.wait(name, lambda answers: answers["healthz"]["status"] == "ok")
    assert problems(four, leader) == []
