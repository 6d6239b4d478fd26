# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nats_first_start module's own part: what it restarts, and what it says of that."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats import first_start
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import unreachable
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.modules import nats_first_start
from ansible_collections.autonomys.cluster.tests.unit.modules import result_of, run_module

PEERS = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}
AGAIN = {"name": "nats-server", "pid": 9, "startsecs": 10}


def group(*followers):
    replicas = [{"name": name, "current": True, "offline": False, "lag": 0, "active": 0.5} for name in followers]
    told = {"reachable": True, "server_name": "c", "meta_leader": "a", "meta_replicas": replicas, "streams": 0}
    return {**unreachable("x"), **told}


@pytest.fixture
def host(monkeypatch):
    """A host whose server is left out until it is restarted; gives the requests to supervisord."""
    requests = []

    def execute(request, tools):
        requests.append(request)
        return {"started": [AGAIN]}

    def ask(url, peers, urls, timeout):
        assert (url, peers, urls["b"]) == ("http://127.0.0.1:8222", ["a", "b", "c"], "http://10.0.0.2:8222")
        return group("b", "c") if requests else group("b")

    monkeypatch.setattr(first_start, "LEFT_OUT_S", 0.5)
    monkeypatch.setattr(nats_first_start, "ask_server", ask)
    monkeypatch.setattr(nats_first_start, "execute", execute)
    return requests


def run(capsys, **arguments):
    answer, _logged = run_module(nats_first_start.main, {"peers": PEERS, "timeout": 5, **arguments}, capsys)
    return result_of(answer)


def test_a_server_that_is_left_out_is_restarted_and_that_is_said(host, monkeypatch, capsys):
    said = []
    monkeypatch.setattr(nats_first_start.AnsibleModule, "warn", lambda self, words: said.append(words))
    result = run(capsys)
    assert (result["changed"], result["member"], result["restarts"], result["started"]) == (True, True, 1, [AGAIN])
    assert said == [
        "nats-server was started and holds nothing yet, and the JetStream meta group had formed without it. "
        "So it was restarted."
    ]
    [request] = host
    assert (request.name, request.state, request.wait, request.check) == ("nats-server", "restarted", "none", False)


def test_a_member_is_left_alone(host, monkeypatch, capsys):
    monkeypatch.setattr(nats_first_start, "ask_server", lambda *asked: group("b", "c"))
    result = run(capsys)
    assert (result["changed"], result["member"], result["started"]) == (False, True, []) and host == []


def test_check_mode_waits_for_nothing(host, capsys):
    result = run(capsys, timeout=600, _ansible_check_mode=True)
    assert (result["changed"], result["member"]) == (False, None) and host == []


def test_a_server_that_cannot_be_restarted_is_an_error(host, monkeypatch, capsys):
    def fail(request, tools):
        raise ProgramError("it did not stay up", programs=[])

    monkeypatch.setattr(nats_first_start, "execute", fail)
    result = run(capsys)
    assert result["failed"] and result["msg"] == "nats-server could not be restarted: it did not stay up"
