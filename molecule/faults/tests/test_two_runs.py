# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two operators at once, with different wishes: what one of them reads, what runs meanwhile and afterwards.

``TWO_RUNS=20`` makes more rounds, ``TWO_RUNS_SEED`` repeats the moments of some.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

HOSTS = ("node-1", "node-2", "node-3")
ROUNDS = int(os.environ.get("TWO_RUNS", "3"))
SEED = int(os.environ.get("TWO_RUNS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


class Watch(threading.Thread):
    """Counts how many NATS servers refuse clients at the same time."""

    def __init__(self, addresses):
        super().__init__(daemon=True)
        self.addresses = addresses
        self.looks = self.most = 0
        self.ended = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.ended.set()
        self.join()

    def run(self):
        while not self.ended.wait(0.05):
            down = [address for address in self.addresses if not self.accepts(address)]
            # One after another they may have been down, and not together.
            self.most = max(self.most, min(len(down), sum(not self.accepts(address) for address in down)))
            self.looks += 1

    @staticmethod
    def accepts(address):
        try:
            socket.create_connection((address, 4222), 2).close()
        except OSError:
            return False
        return True


def environment(component, value):
    """A change of a component that restarts it."""
    return {f"{component}_environment": {"WISH": value}}


def wishes(number):
    """Two runs, playbook and settings of each, and whether the first one is killed."""
    nats = {name: environment("nats", f"{number}-{name}") for name in ("first", "second")}
    clients = {name: environment("plot_client", f"{number}-{name}") for name in ("first", "second")}
    return [
        [("playbooks/restart.yml", {"restart_components": ["nats"]}), ("site.yml", nats["second"]), False],
        [("site.yml", nats["first"]), ("site.yml", {**nats["second"], **clients["second"]}), True],
        [("site.yml", clients["first"]), ("site.yml", clients["second"]), False],
    ][number % 3]


def outcome(run):
    """When a run ended, and what it said."""
    said = "" if run.returncode else run.communicate(timeout=600)[0]
    return time.monotonic(), said


def held(page):
    """Whether a run says who holds the cluster."""
    return "the cluster is held by" in page.replace("The cluster", "the cluster")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_runs_at_once(cluster, server, number):
    dice = random.Random(SEED * 1000 + number)
    first, second, killed = wishes(number)
    if not killed and dice.random() < 0.5:
        first, second = second, first
    offset = dice.uniform(3, 45) if killed else dice.uniform(0, 15)
    with Watch([server(name).address for name in HOSTS]) as watch:
        runs = [cluster.start(first[0], **first[1])]
        time.sleep(offset)
        if killed:
            cluster.kill(runs[0])
        runs.append(cluster.start(second[0], **second[1]))
        with ThreadPoolExecutor() as pool:
            ends, said = zip(*pool.map(outcome, runs))
    # In the order in which they ended.
    passed = sorted((which for which in (0, 1) if runs[which].returncode == 0), key=lambda which: ends[which])
    story = f"TWO_RUNS_SEED={SEED}, round {number}, {first}, after {offset:.1f} s {second}, killed: {killed}"
    print(f"{story}: {passed} passed, {watch.looks} looks, at most {watch.most} down")
    assert watch.most <= 1, (story, said)
    assert passed == [1] if killed else passed, (story, said)
    for loser in {0, 1} - set(passed) - ({0} if killed else set()):
        assert held(" ".join(said[loser].split())), (story, said[loser])
    # Whose wishes hold now: the last one's that came through.
    for playbook, settings in [(first, second)[which] for which in passed]:
        if playbook == "site.yml":
            cluster.settings.update(settings)
    assert cluster.passes("site.yml").changes == dict.fromkeys(HOSTS, 0), story
    assert {name: set(server(name).programs().values()) for name in HOSTS} == dict.fromkeys(HOSTS, {"RUNNING"}), story
