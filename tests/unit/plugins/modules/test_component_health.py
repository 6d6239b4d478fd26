# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The component_health module's own part: when it fails, how often it looks, and what it does with its arguments."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils import _looking
from ansible_collections.autonomys.cluster.plugins.modules import component_health
from ansible_collections.autonomys.cluster.tests.unit.modules import result_of, run_module

SECRET = "Heron-7-Lantern"
SERVER = {"url": "http://127.0.0.1:8222", "peers": {"a": "10.0.0.1"}}
SILENT = {"reachable": False, "error": "Connection refused\x1b[2J"}
WELL = {
    "reachable": True,
    "healthy": True,
    "jetstream": True,
    "server_name": "a",
    "version": "2.10.22",
    "max_payload": 3000000,
    "routes": [],
}


@pytest.fixture
def looks(monkeypatch):
    """What NATS answers at each look, the last for ever."""
    answers = [SILENT]

    def answer(*_asked):
        return answers.pop(0) if len(answers) > 1 else answers[0]

    monkeypatch.setattr(_looking, "ask_server", answer)
    return answers


def asked(capsys, **arguments):
    answer, logged = run_module(
        component_health.main, {"component": "nats", "nats": SERVER, "timeout": 1, **arguments}, capsys
    )
    return result_of(answer), logged


def test_it_waits_until_the_component_is_healthy(looks, capsys):
    looks.append(WELL)
    result, _logged = asked(capsys)
    assert (result["healthy"], result["changed"], result["problems"]) == (True, False, [])
    assert result["evidence"]["nats"]["version"] == "2.10.22"


def test_it_says_what_is_wrong_and_shows_what_it_saw(looks, capsys):
    result, _logged = asked(capsys)
    assert result["failed"] and not result["healthy"]
    sentence = "nats is not healthy after 1 s: nats-server does not answer: Connection refused"
    assert result["msg"].startswith(sentence) and "\x1b" not in result["msg"]
    assert result["evidence"]["nats"] == SILENT


def test_one_look_is_enough_where_nothing_is_changed(looks, capsys):
    looks.append(WELL)
    result, _logged = asked(capsys, timeout=60, _ansible_check_mode=True)
    assert (result["failed"], result["healthy"], result["waited_s"]) == (True, False, 0)


def test_a_password_in_the_url_of_a_server_is_nowhere(looks, capsys):
    arguments = {"component": "nats", "nats": SERVER, "timeout": 0, "nats_servers": [f"nats://user:{SECRET}@10.0.0.1"]}
    answer, logged = run_module(component_health.main, arguments, capsys)
    assert SECRET not in answer and "10.0.0.1" in answer
    assert SECRET not in "\n".join(logged)
    answer, logged = run_module(component_health.main, {**arguments, "what": 1}, capsys)
    assert "Unsupported parameters" in answer and SECRET not in answer + "\n".join(logged)
