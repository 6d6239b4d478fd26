# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a component on its host, until nothing is wrong."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils import _looking
from ansible_collections.autonomys.cluster.plugins.module_utils._looking import Readers, look, wait

WELL = {"name": "autonomys-controller", "state": "RUNNING", "connected": ["10.0.0.1:4222"], "listening": [], "gpus": []}
SICK = dict(WELL, connected=[])
EXPECTED = [{"name": "autonomys-controller", "connected_any": ["10.0.0.1:4222"]}]
QUESTION = {"component": "controller", "name": "autonomys-controller", "programs": EXPECTED}
PROBLEM = "autonomys-controller has no connection to NATS (10.0.0.1:4222); it is connected to nothing"


def answering(*answers):
    """Readers of a host that shows one thing after another, and the last one for ever."""
    left = list(answers)

    def read(asked):
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Readers(read, read, read)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def waited(*answers, timeout=10, interval=2, **question):
    clock = Clock()
    return wait({**QUESTION, **question}, timeout, interval, answering(*answers), clock, clock.sleep)


def test_it_looks_until_nothing_is_wrong():
    assert waited([SICK], [SICK], [SICK], [SICK], [WELL]) == {
        "healthy": True,
        "problems": [],
        "waited_s": 1,
        "evidence": {"programs": [WELL]},
        "expected": EXPECTED,
    }


def test_it_says_what_was_wrong_at_the_last_look():
    looked = waited([SICK], timeout=5)
    assert (looked["healthy"], looked["waited_s"], looked["problems"]) == (False, 5, [PROBLEM])


def test_it_looks_often_at_first_then_at_the_interval_and_last_at_the_end():
    clock = Clock()
    looks = []

    def read(asked):
        looks.append(clock.now)
        return [SICK]

    wait(QUESTION, 61, 2, Readers(read, read, read), clock, clock.sleep)
    pauses = [later - earlier for earlier, later in zip(looks, looks[1:])]
    assert pauses[:3] == [0.25] * 3 and pauses[:-1] == sorted(pauses[:-1]) and max(pauses) == 2
    # Half a second too late after four, two seconds after sixteen.
    assert all(pause <= max(0.25, seen / 8) for pause, seen in zip(pauses, looks))
    assert looks[-1] == 61


STARTING = dict(WELL, state="STARTING", pid=5)
STARTED = [{"name": "autonomys-controller", "pid": 5, "startsecs": 10}]


def test_what_was_just_started_is_healthy_as_soon_as_it_shows_everything():
    assert waited([dict(STARTING, connected=[])], [STARTING], started=STARTED)["healthy"]
    assert waited([STARTING], started=STARTED)["evidence"]["programs"][0]["state"] == "STARTING"
    for other in ([], [{**STARTED[0], "pid": 6}]):
        looked = waited([STARTING], started=other, timeout=0)
        assert looked["problems"] == ["autonomys-controller is STARTING, not RUNNING"]


def test_what_was_just_started_and_ended_is_not_waited_for():
    clock = Clock()

    def ends(started):
        assert started == STARTED
        return "it ended: exit status 1" if clock.now >= 3 else ""

    readers = answering([SICK])._replace(ends=ends)
    looked = wait({**QUESTION, "started": STARTED}, 600, 2, readers, clock, clock.sleep)
    assert (looked["problems"], looked["healthy"]) == (["it ended: exit status 1"], False)
    assert 3 <= looked["waited_s"] <= 4


def test_programs_without_the_name_of_their_file_are_not_healthy():
    question = {name: value for name, value in QUESTION.items() if name != "name"}
    assert not look(question, answering(OSError("no file")))["healthy"]


def test_without_time_it_looks_once():
    assert waited([SICK], [WELL], timeout=0)["problems"] == [PROBLEM]


def test_a_reader_that_fails_is_a_problem_and_hides_no_other():
    found = look({**QUESTION, "node": {"url": "u", "chain": "c", "min_peers": 1}}, answering(OSError("gone"), {}))
    assert found["problems"][0] == "gone" and len(found["problems"]) == 2
    assert not found["healthy"]


def test_at_work_is_judged_without_a_definition():
    question = {"component": "controller", "name": "c", "at_work": True, "nats_servers": ["nats://10.0.0.1:4222"]}
    assert look(question, answering([WELL]))["healthy"]
    assert look(question, answering([SICK]))["problems"] == ["autonomys-controller has no connection to NATS"]


def test_a_component_without_programs_asks_for_none():
    assert look({"component": "caches", "name": "c", "programs": []}, answering(ValueError("not asked")))["healthy"]


@pytest.mark.parametrize("question", ["nats", "nats_stop"])
def test_nats_is_asked_with_its_limits_at_the_addresses_of_the_inventory(monkeypatch, question):
    asked = []

    def answer(url, peers, urls, timeout, thresholds):
        asked.append((url, list(peers), dict(urls), timeout, tuple(thresholds)))
        return {"reachable": False, "error": "refused"}

    monkeypatch.setattr(_looking, "ask_server", answer)
    limits = {"max_silence": 3.0, "max_lag": 5} if question == "nats_stop" else {}
    nats = {"url": "http://127.0.0.1:8222", "peers": {"a": "10.0.0.1", "b": "10.0.0.2"}, **limits}
    found = look({"component": "nats", question: nats})
    assert found["problems"] == ["nats-server does not answer: refused"]
    [(url, peers, urls, timeout, thresholds)] = asked
    assert (url, peers, timeout) == ("http://127.0.0.1:8222", ["a", "b"], 5)
    assert urls == {"a": "http://10.0.0.1:8222", "b": "http://10.0.0.2:8222"}
    assert thresholds == (tuple(limits.values()) or (_looking.MAX_SILENCE, _looking.MAX_LAG))
