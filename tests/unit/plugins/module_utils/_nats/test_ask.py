# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking servers that lie about themselves."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats import ask
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import ask_server
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._nats.servers import (
    PEERS,
    meta_leader,
    recorded,
)
from ansible_collections.autonomys.cluster.tests.unit.rude import RudeServer


def serving(answers):
    """The function that answers the questions about one server, one connection for all of them."""

    def answer(_server, connection):
        while True:
            question = connection.recv(65536).decode()
            if not question:
                return
            name = urlsplit(question.split(" ")[1]).path[1:]
            body = json.dumps(answers.get(name)).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    return answer


@pytest.fixture
def follower():
    """Answers of a healthy follower of the meta group, and the answers of its leader."""
    answers = recorded("healthy")
    leader = meta_leader(answers)
    return answers[next(name for name in PEERS if name != leader)], answers[leader]


def test_the_leader_is_asked_where_the_inventory_says(follower):
    """Whoever announces a route from another address does not decide about the cluster."""
    own, leading = follower
    for route in own["routez"]["routes"]:
        # Nobody listens here: whoever asks at the address of the route hears nothing.
        route["ip"] = "127.0.0.66"
    with RudeServer(serving(own)) as server, RudeServer(serving(leading)) as leader:
        urls = {leading["varz"]["server_name"]: leader.url}
        others = {name: server.url for name in PEERS if name not in urls}
        result = ask_server(server.url, PEERS, dict(urls, **others), 5)
    assert result["meta_replicas"] and not any(
        "it is unknown how current" in reason for reason in result["reasons"] if "meta group" in reason
    )


def test_a_leader_that_nobody_configured_is_not_asked(follower):
    own, leading = follower
    stranger = json.loads(json.dumps(own).replace(leading["varz"]["server_name"], "stranger"))
    with RudeServer(serving(stranger)) as server:
        result = ask_server(server.url, PEERS, {}, 5)
    assert not result["safe_to_stop"]
    assert any(
        "led by stranger, and it is unknown how current its replicas are: it is not one of the conf" in reason
        for reason in result["reasons"]
    )


def test_what_answers_like_something_else_is_no_nats_server(follower):
    own, _leading = follower
    own["jsz"]["account_details"] = {"a": 1}
    with RudeServer(serving(own)) as server:
        result = ask_server(server.url, PEERS, {}, 5)
    assert (result["reachable"], result["safe_to_stop"]) == (False, False)
    assert (
        result["error"]
        == f"{server.url} is not the monitoring port of a NATS server: account_details is not a list of objects"
    )


def test_a_server_whose_name_is_no_text(follower):
    own, _leading = follower
    own["varz"]["server_name"] = ["x"]
    with RudeServer(serving(own)) as server:
        assert (
            ask_server(server.url, PEERS, {}, 5)["error"] == f"{server.url} is not the monitoring port of a NATS server"
        )


def test_many_leaders_that_do_not_answer_have_one_limit(follower, monkeypatch):
    """A server can name any number of leaders; all together they cost no more than ten answers."""
    own, _leading = follower
    cluster = {"leader": "", "replicas": [{"name": "x", "current": True, "active": 0}]}
    streams = [{"name": f"S{number}", "cluster": dict(cluster, leader=f"n{number}")} for number in range(100)]
    own["jsz"]["account_details"] = [{"name": "$G", "stream_detail": streams}]
    with RudeServer(serving(own)) as server, RudeServer(lambda silent, _connection: silent.hang()) as silent:
        begun = time.monotonic()
        urls = {f"n{number}": silent.url for number in range(100)}
        result = ask_server(server.url, None, urls, 0.3)
        assert time.monotonic() - begun < 10
    assert not result["safe_to_stop"]
    assert ask.MAX_QUESTIONS == 10
