# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order hosts restart, how many at once, and who is asked before a step."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling import order

MODEL = {
    "components": {"nats": ["a", "b", "c"], "controller": ["a", "b"], "caches": ["a", "b", "c", "d"]},
    "roll": {"nats": "1", "controller": "1", "caches": "50%"},
    "hosts": {name: {"settings": {"caches_state": "stopped" if name == "d" else "started"}} for name in "abcd"},
}


@pytest.mark.parametrize(
    ("share", "count", "number"),
    [
        ("1", 9, 1),
        ("25%", 3, 1),
        ("25%", 8, 2),
        ("100%", 8, 8),
        (3, 2, 3),
        # Preflight refuses it; never all at once.
        ("0", 8, 1),
        ("0%", 8, 1),
        # Not 28, as a binary fraction would have it.
        ("29%", 100, 29),
    ],
)
def test_how_many_restart_at_once(share, count, number):
    assert order.at_once(share, count) == number


def test_what_is_no_share_is_an_error():
    with pytest.raises(ValueError):
        order.at_once("some", 8)


def test_hosts_are_sorted_and_the_last_come_last():
    assert order.in_order(["b", "c", "a"]) == ["a", "b", "c"]
    assert order.in_order(["b", "c", "a"], ["a"]) == ["b", "c", "a"]
    # A leader that does not restart changes nothing.
    assert order.in_order(["b", "c"], ["a"]) == ["b", "c"]


@pytest.mark.parametrize(
    ("share", "sizes"),
    [
        ("1", [1] * 5),
        (2, [2, 2, 1]),
        ("25%", [1] * 5),
        ("50%", [2, 2, 1]),
        ("100%", [5]),
        ("9", [5]),
        ("0", [1] * 5),
        ("1%", [1] * 5),
    ],
)
def test_batches(share, sizes):
    hosts = ["d", "b", "a", "e", "c"]
    assert [len(batch) for batch in order.batches(hosts, share)] == sizes
    assert [host for batch in order.batches(hosts, share, ["a"]) for host in batch] == ["b", "c", "d", "e", "a"]


def test_a_roll_asks_all_hosts_on_which_the_component_is_meant_to_run():
    assert order.roll(MODEL, "caches", ["b", "a"], []) == {
        "hosts": ["a", "b"],
        "serial": 1,
        "members": ["a", "b", "c"],
        "one_is_enough": False,
    }
    assert order.roll(MODEL, "caches", list("dcba"), [])["serial"] == 2
    assert order.roll(MODEL, "controller", ["b"], [])["one_is_enough"]


def test_nats_servers_answer_for_each_other():
    assert order.roll(MODEL, "nats", ["c", "a", "b"], ["a"]) == {
        "hosts": ["b", "c", "a"],
        "serial": 1,
        "members": [],
        "one_is_enough": False,
    }


def test_hosts_that_are_kept_stopped():
    assert order.kept_stopped(MODEL, "caches") == ["d"]
    assert order.kept_stopped(MODEL, "nats") == []
