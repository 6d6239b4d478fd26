# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a run is, whether another one has ended, and what the records of all hosts mean."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _lock
from ansible_collections.autonomys.cluster.plugins.plugin_utils._lock import (
    RunEnded,
    answer_of,
    has_ended,
    holder_sentence,
    this_run,
    verdict,
)
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._lock.runs import START, run

HELD = (
    "the cluster is held by bob on control-1 (process 4711) with site.yml since 2026-02-02 02:40:00 UTC, "
    "renewed 41 s ago"
)


def answer(state, who=None, **more):
    lock = {"state": state, "moved": False, "holder": who and run(who), "since": START, "age_s": 41.2, **more}
    return answer_of({"lock": lock, "changed": False})


UNREACHABLE = answer_of({"unreachable": True, "msg": "no route to host"})
SKIPPED = answer_of({"skipped": True})


def judged(state, *answers, force=False):
    return verdict(state, {f"node-{number}": each for number, each in enumerate(answers, 1)}, force)


# --- who a run is ---


def own_run(**variables):
    return this_run(variables, ["playbooks/site.yml"], "autonomys")


def test_a_run_knows_who_it_is():
    found = own_run()
    assert found["playbook"] == "site.yml" and found["process"] == os.getpid()
    assert found == own_run()
    assert not has_ended(found)


def test_a_job_of_awx_has_the_name_of_whoever_launched_it():
    assert own_run(awx_user_name="alice", awx_job_id=42)["operator"] == "alice (AWX job 42)"
    assert own_run(tower_user_name="bob")["operator"] == "bob (AWX job without a number)"


def test_an_account_without_a_name_has_its_number(monkeypatch):
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(_lock.getpass, "getuser", lambda: {}["name"])
    assert own_run()["operator"] == f"user {os.getuid()}"


def test_all_processes_of_a_run_are_the_same_run():
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    process = fork.Process(target=lambda: queue.put(own_run()))
    process.start()
    assert queue.get() == own_run()
    process.join()


def test_what_is_left_of_a_run_that_was_killed_does_not_go_on(monkeypatch):
    class Parent:
        pid = 4711

    monkeypatch.setattr(_lock.multiprocessing, "parent_process", Parent)
    with pytest.raises(RunEnded):
        own_run()


# --- whether a run has ended ---


@pytest.fixture
def other():
    """A run of another process of this control node, which is killed by ``other.kill()``."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    boot, namespace = _lock.here()
    process.run = {
        **run("other", process.pid, _lock.started_at(process.pid)),
        "boot": boot,
        "namespace": namespace,
    }
    yield process
    process.kill()
    process.wait()


def test_a_process_that_was_killed_has_ended_also_while_its_parent_does_not_look(other):
    assert not has_ended(other.run)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(other.run)
    other.wait()
    assert has_ended(other.run)


def test_another_process_with_the_same_number_is_another_run(other):
    assert has_ended({**other.run, "started": other.run["started"] - 1})


@pytest.mark.parametrize("unlike", [{"boot": "another"}, {"boot": ""}, {"namespace": "pid:[1]"}, {"started": 0}])
def test_nothing_is_known_of_a_process_elsewhere(other, unlike):
    other.kill()
    other.wait()
    assert not has_ended({**other.run, **unlike})


def test_a_process_that_is_not_shown_has_not_ended(other, monkeypatch):
    monkeypatch.setattr(_lock, "started_at", lambda process: None)
    assert not has_ended(other.run)


def test_a_number_that_no_process_can_have_is_no_error(other):
    assert not has_ended({**other.run, "process": 2**62})


# --- what hosts answer ---


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"failed": True, "msg": "broken"},
        {"lock": []},
        {"lock": {"state": "mine"}},
        {"lock": {"state": ["held"]}},
        {"lock": {"state": "held", "holder": {"run": 1}}},
    ],
)
def test_what_is_no_answer_is_an_error(told):
    found = answer_of(told)
    assert found["state"] == "error" and found["error"]


def test_numbers_of_hosts_are_bounded():
    found = answer_of({"lock": {"state": "held", "since": 1e300, "age_s": "x"}})
    assert (found["since"], found["age_s"]) == (0, 0)


# --- what the answers mean ---


def test_more_than_half_hold_the_cluster():
    held = answer("held", "me")
    assert judged("taken")["held"]
    assert judged("taken", held)["held"]
    assert judged("taken", held, held)["held"]
    assert judged("taken", held, UNREACHABLE, held)["held"]
    assert not judged("taken", held, UNREACHABLE)["held"]
    assert not judged("taken", UNREACHABLE)["held"]
    # What was taken before another run's record ended it is enough.
    assert judged("taken", held, held, answer("refused", "bob"))["held"]


def test_what_another_run_has_is_said_with_the_way_out():
    found = judged("taken", answer("held", "me"), answer("refused", "bob"), SKIPPED)
    assert found["take_back"] == ["node-1"] and not found["held"]
    assert found["message"] == (
        f"Nothing was changed: {HELD}. Two runs at once could stop what the other one relies on. "
        "Wait until that run has ended, then run the same command again. "
        "If it ended without giving the cluster back, a run on the same control node takes over at once "
        "and every other one in 29 min; if you know that it has ended, -e cluster_lock_take=true takes over now."
    )


def test_too_few_hosts_are_said_with_the_reason():
    found = judged("taken", answer("held", "me"), UNREACHABLE, answer("error", error="it is full"))
    assert found["message"] == (
        "This run cannot hold the cluster: that takes 2 of the 3 hosts in the group nats (node-1, node-2 and node-3), "
        "and it has 1 (node-2: it cannot be reached: no route to host; node-3: it is full). "
        "Fix what is named, then run the same command again. "
        "If you know that no other run changes the cluster, -e cluster_lock_take=true goes on without."
    )
    assert judged("taken", answer("held", "me"), UNREACHABLE, UNREACHABLE, force=True)["held"]


def test_a_run_goes_on_as_long_as_more_than_half_are_its_own():
    held, lost = answer("held", "me"), answer("lost", "bob")
    assert judged("renewed", held, held, lost)["held"]
    assert judged("renewed", held, held, UNREACHABLE)["held"]
    # Hosts that were started anew do not count until the next time.
    found = judged("renewed", held, answer("restored", "me"), answer("restored", "me"))
    assert not found["held"] and found["take_back"] == ["node-1", "node-2", "node-3"]
    assert judged("renewed", UNREACHABLE, UNREACHABLE, force=True)["held"]
    assert not judged("renewed", UNREACHABLE, lost, force=True)["held"]


def test_a_run_whose_record_was_taken_stops():
    found = judged("renewed", answer("lost", "bob"), answer("lost", "bob"), answer("held", "me"))
    assert found["message"].startswith(
        f"This run does not hold the cluster any more: {HELD}. It stops before its next step"
    )
    assert "it was taken over, or given back" in judged("renewed", answer("lost"))["message"]


def test_a_run_hears_that_another_one_was_there():
    held = answer("held", "me")
    assert not judged("taken", held, held)["moved"]
    assert judged("taken", held, answer("held", "me", moved=True))["moved"]


# --- who holds it, for people ---


def told(who):
    return {"generation": "b/1", "holder": who and run(who), "since": START, "age_s": 41.2}


def test_the_holder_is_named():
    assert holder_sentence({}) is None
    assert holder_sentence({"node-1": told(None), "node-2": {"error": "x"}, "node-3": None}) is None
    records = {"node-1": told("bob"), "node-2": told("bob"), "node-3": told("alice")}
    assert holder_sentence(records) == f"T{HELD[1:]}."
    assert holder_sentence({"node-1": told("bob")}, own=["bob"]) is None


def test_a_holder_that_has_ended_is_told_so(other):
    other.kill()
    other.wait()
    records = {"node-1": {**told(None), "holder": other.run}}
    assert holder_sentence(records).endswith("; its process has ended, so the next run takes the cluster over.")


def test_what_a_host_says_steers_no_terminal():
    evil = {**told("bob"), "holder": {**run("bob"), "operator": "x\x1b[2J\n" * 1000}}
    text = holder_sentence({"node-1": evil})
    assert "\x1b" not in text and "\n" not in text and len(text) < 1000
