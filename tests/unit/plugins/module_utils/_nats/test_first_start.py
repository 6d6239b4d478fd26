# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's first start: who is in the meta group, and who is restarted for not being in it."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.first_start import (
    MOST_RESTARTS,
    is_left_out,
    watch,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import unreachable

PEERS = ("a", "b", "c")
SILENT = unreachable("Connection refused")


def seen(server, leader, *followers, streams=0):
    """What a server tells when the group's leader could be asked."""
    replicas = [{"name": name, "current": True, "offline": False, "lag": 0, "active": 0.5} for name in followers]
    told = {"reachable": True, "server_name": server, "meta_leader": leader, "meta_replicas": replicas}
    return {**SILENT, **told, "meta_size": 1 + len(replicas), "streams": streams}


@pytest.mark.parametrize(
    ("nats", "left_out"),
    [
        (SILENT, False),
        (seen("c", None), False),
        (seen("c", "a"), False),  # the leader could not be asked
        (seen("c", "a", "b"), True),
        (seen("c", "a", "b", streams=1), False),
        (seen("c", "a", "b", streams=None), False),
        (seen("c", "a", "b", "c"), False),
        (seen("b", "a", "b"), False),
        (seen("a", "a", "b"), False),
    ],
)
def test_who_is_left_out(nats, left_out):
    assert is_left_out(nats) is left_out


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

    def restart(self):
        self.restarts.append(self.now)
        if self.restarted:
            self.answers, self.since = self.restarted.pop(0), self.now

    def sleep(self, seconds):
        self.now += seconds

    def watch(self, awaited=PEERS, timeout=30):
        return watch(self.ask, self.restart, awaited, timeout, lambda: self.now, self.sleep)


WHOLE = (0, seen("c", "a", "b", "c"))
WITHOUT = (99, seen("c", "a", "b"))


def test_a_group_that_forms_is_left_alone():
    host = Host((1, SILENT), (1, seen("c", None)), (4, seen("c", "a", "b")), WHOLE)
    assert host.watch() == (True, 0) and 6 <= host.now < 7


def test_a_server_that_is_left_out_is_restarted_and_then_a_member():
    host = Host((2, SILENT), WITHOUT, restarted=[[(3, SILENT), WHOLE]])
    assert host.watch() == (True, 1)
    assert host.restarts == [7] and 10 <= host.now < 11


def test_only_what_lasts_counts():
    unsure = [(3, seen("c", "a", "b")), (1, seen("c", "a"))] * 3
    host = Host(*unsure, WHOLE)
    assert host.watch() == (True, 0)


def test_it_ends_whatever_comes():
    host = Host(WITHOUT)
    assert host.watch(timeout=60) == (False, MOST_RESTARTS)
    assert 60 <= host.now < 61


def test_a_member_waits_for_the_others_and_restarts_nothing():
    host = Host((99, seen("b", "a", "b")))
    assert host.watch() == (True, 0) and host.now >= 30
    assert Host((99, seen("b", "a", "b"))).watch(awaited=("a", "b")) == (True, 0)
