# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's first start: who is in the meta group, and who is restarted for not being in it."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.first_start import (
    LEADERLESS,
    LEFT_OUT,
    MOST_RESTARTS,
    fault_of,
    watch,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import unreachable

PEERS = ("a", "b", "c")
SILENT = unreachable("Connection refused")


def seen(server, leader, *followers, streams=0, routes=PEERS):
    """What a server tells when the group's leader could be asked."""
    replicas = [{"name": name, "current": True, "offline": False, "lag": 0, "active": 0.5} for name in followers]
    told = {"reachable": True, "server_name": server, "meta_leader": leader, "meta_replicas": replicas}
    return {**SILENT, **told, "routes": routes, "streams": streams}


@pytest.mark.parametrize(
    ("nats", "fault"),
    [
        (SILENT, None),
        (seen("c", None), LEADERLESS),
        (seen("b", None), LEADERLESS),
        (seen("c", None, streams=1), None),
        (seen("c", None, routes=["a"]), None),
        (seen("c", "a"), None),  # the leader could not be asked
        (seen("c", "a", "b"), LEFT_OUT),
        (seen("b", "a", "c"), LEFT_OUT),
        (seen("c", "a", "b", streams=1), None),
        (seen("c", "a", "b", streams=None), None),
        (seen("c", "a", "b", "c"), None),
        (seen("b", "a", "b"), None),
        (seen("a", "a", "b"), None),
    ],
)
def test_what_a_restart_would_mend(nats, fault):
    assert fault_of(nats, PEERS) == fault


class Host:
    """A server that shows one thing after another, each for some seconds, and may be restarted."""

    def __init__(self, *answers, restarted=()):
        self.answers = list(answers)
        self.restarted = list(restarted)
        self.restarts = []
        self.now = 0.0
        self.since = 0.0

    def ask(self):
        seconds, nats = self.answers[0]
        if len(self.answers) > 1 and self.now - self.since >= seconds:
            self.answers.pop(0)
            self.since = self.now
            nats = self.answers[0][1]
        return nats

    def restart(self, why):
        self.restarts.append((self.now, why))
        if self.restarted:
            self.answers, self.since = self.restarted.pop(0), self.now

    def sleep(self, seconds):
        self.now += seconds

    def watch(self, awaited=PEERS, timeout=30):
        return watch(self.ask, self.restart, awaited, timeout, lambda: self.now, self.sleep)


WHOLE = (0, seen("c", "a", "b", "c"))
WITHOUT = (99, seen("c", "a", "b"))


def test_a_group_that_forms_is_left_alone():
    host = Host((1, SILENT), (1, seen("c", None)), (3, seen("c", "a", "b")), WHOLE)
    assert host.watch() == (True, 0) and 5 <= host.now < 6


def test_a_server_that_is_left_out_is_restarted_and_then_a_member():
    host = Host((2, SILENT), WITHOUT, restarted=[[(3, SILENT), WHOLE]])
    assert host.watch() == (True, 1)
    assert host.restarts == [(6, LEFT_OUT)] and 9 <= host.now < 10


def test_servers_without_a_leader_are_helped_by_one_of_them_and_the_one_left_out_then():
    leaderless = (99, seen("c", None))
    host = Host((1, SILENT), leaderless, restarted=[[(3, SILENT), WITHOUT], [(1, SILENT), WHOLE]])
    assert host.watch() == (True, 2)
    assert [why for _when, why in host.restarts] == [LEADERLESS, LEFT_OUT] and host.now < 18


@pytest.mark.parametrize(("name", "moments"), [("c", [7, 22]), ("b", [12, 27]), ("a", [17])])
def test_servers_without_a_leader_take_turns(name, moments):
    host = Host((99, seen(name, None)))
    assert host.watch() == (False, len(moments))
    assert host.restarts == [(moment, LEADERLESS) for moment in moments]


def test_a_leader_ends_the_turns_and_a_restart_of_another_does_not():
    without, while_another_restarts = seen("b", None), seen("b", None, routes=["a"])
    assert Host((8, without), (1, seen("b", "a")), (99, without)).watch(timeout=20) == (False, 0)
    host = Host((8, without), (1, while_another_restarts), (99, without))
    assert host.watch(timeout=20) == (False, 1) and host.restarts == [(12, LEADERLESS)]


def test_only_what_lasts_counts():
    unsure = [(3, seen("c", "a", "b")), (1, seen("c", "a"))] * 3
    slow = [(6, seen("c", None)), (1, seen("c", "a")), (6, seen("c", None))]
    host = Host(*unsure, WHOLE)
    assert Host(*slow, WHOLE).watch() == (True, 0)
    assert host.watch() == (True, 0)


def test_it_ends_whatever_comes():
    host = Host(WITHOUT)
    assert host.watch(timeout=60) == (False, MOST_RESTARTS)
    assert 60 <= host.now < 61


def test_a_member_waits_for_the_others_and_restarts_nothing():
    host = Host((99, seen("b", "a", "b")))
    assert host.watch() == (True, 0) and host.now >= 30
    assert Host((99, seen("b", "a", "b"))).watch(awaited=("a", "b")) == (True, 0)
