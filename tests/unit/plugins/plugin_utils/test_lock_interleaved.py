# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that want the cluster at the same time, interleaved at every request to a host, with crashes at every point."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._lock import record as records
from ansible_collections.autonomys.cluster.plugins.plugin_utils._lock import answer_of, verdict
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._lock.runs import at, run
from hypothesis import event, given, settings
from hypothesis import strategies as st

UNREACHABLE = {"unreachable": True, "msg": "no route to host"}
SKIPPED = {"skipped": True}
LONG = records.EXPIRES_S + 600


class World:
    """Hosts with their records, the time, and who may work on them now."""

    def __init__(self, hosts):
        self.hosts = {f"node-{number}": None for number in range(1, hosts + 1)}
        self.reachable = dict.fromkeys(self.hosts, True)
        self.now = 0.0
        self.ended = set()
        self.working = set()
        # How often somebody was allowed to work.
        self.turns = []

    def works(self, name):
        """Somebody may work now: nobody else may."""
        self.working.add(name)
        self.turns.append(name)
        assert self.working == {name}

    def ask(self, host, decide):
        """One execution on a host."""
        self.now += 0.1
        if not self.reachable[host]:
            return UNREACHABLE
        outcome = decide(self.hosts[host], at(self.now))
        self.hosts[host] = outcome.record or self.hosts[host]
        told = records.seen(self.hosts[host], at(self.now))
        return {"lock": {"state": outcome.state, "moved": outcome.moved, **told}}


class Run:
    """A run as the playbooks do it. It is a generator that stops before each execution."""

    def __init__(self, world, name, steps, elsewhere):
        self.world, self.name, self.steps = world, name, steps
        # On another control node nobody knows whether it has ended.
        self.elsewhere = elsewhere
        self.me = run(name)
        self.refused = False
        self.story = self._run()

    def advance(self):
        """Go on to the next execution; return whether there is one."""
        return next(self.story, "end") != "end"

    def crash(self):
        self.world.ended.add(self.name)
        self.world.working.discard(self.name)
        self.story.close()

    def _run(self):
        world = self.world
        expected = {}
        for host in world.hosts:
            yield
            if world.reachable[host]:
                expected[host] = records.generation(world.hosts[host], at(world.now))
        # Whoever worked before that had ended when the hosts were read, or is seen.
        read_at = len(world.turns)
        found = yield from self._hold("taken", lambda host: expected.get(host, records.UNKNOWN))
        if not found["held"]:
            return
        assert found["moved"] or set(world.turns[read_at:]) <= {self.name}
        for _step in range(self.steps):
            world.works(self.name)
            yield
            found = yield from self._hold("renewed")
            if not found["held"]:
                return
        world.working.discard(self.name)
        yield from self._release(world.hosts)

    def _hold(self, state, expected=None):
        answers, refused = {}, False
        for host in self.world.hosts:
            if refused:
                answers[host] = answer_of(SKIPPED)
                continue
            yield
            answers[host] = answer_of(self.world.ask(host, self._decide(state, host, expected)))
            answer = answers[host]
            if answer["state"] == "refused" and self._has_ended(answer["holder"]):
                over = records.generation(self.world.hosts[host], at(self.world.now))
                yield
                told = self.world.ask(host, self._decide(state, host, expected, over))
                answers[host] = answer_of(told)
            refused = answers[host]["state"] == "refused"
        found = verdict(state, answers, force=False)
        if not found["held"]:
            self.refused = True
            self.world.working.discard(self.name)
            assert found["message"]
            yield from self._release(found["take_back"])
        return found

    def _decide(self, state, host, expected, over=None):
        if state == "renewed":
            return lambda record, now: records.renew(record, self.me, now)
        return lambda record, now: records.take(record, self.me, now, expected(host), over, False)

    def _has_ended(self, holder):
        return not self.elsewhere and holder["run"] in self.world.ended

    def _release(self, hosts):
        for host in hosts:
            yield
            self.world.ask(host, lambda record, now: records.release(record, self.me, now))


EVENT = st.one_of(
    st.tuples(st.just("advance"), st.integers(0, 2), st.integers(1, 6)),
    st.tuples(st.just("crash"), st.integers(0, 2)),
    st.tuples(st.just("network"), st.integers(1, 5)),
    st.tuples(st.just("sleep")),
)


def play(world, runs, story):
    """Let the runs go on as a story says, then each to its end."""
    for what, *numbers in story:
        if what == "advance":
            for _time in range(numbers[1]):
                runs[numbers[0] % len(runs)].advance()
        elif what == "crash":
            runs[numbers[0] % len(runs)].crash()
        elif what == "network":
            host = f"node-{numbers[0]}"
            world.reachable[host] = not world.reachable.get(host)
        else:
            # Longer than a record lasts: nobody works without asking again.
            world.now += LONG
            world.working.clear()
    for each in runs:
        while each.advance():
            pass


@settings(max_examples=400, deadline=None)
@given(st.integers(1, 5), st.lists(st.booleans(), min_size=2, max_size=3), st.lists(EVENT, max_size=40))
def test_never_two_at_once(hosts, elsewhere, story):
    world = World(hosts)
    runs = [Run(world, f"run-{number}", 3, far) for number, far in enumerate(elsewhere)]
    play(world, runs, story)
    event(f"{len(set(world.turns))} runs worked")


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5), st.lists(st.tuples(st.just("advance"), st.integers(0, 2), st.integers(1, 6)), max_size=40))
def test_of_runs_that_all_reach_all_hosts_one_always_works(hosts, story):
    world = World(hosts)
    runs = [Run(world, f"run-{number}", 3, False) for number in range(3)]
    play(world, runs, story)
    assert world.turns
    assert all(record["holder"] is None for record in world.hosts.values())
    # Who did not work was told who does.
    assert {each.name for each in runs if each.refused} == {each.name for each in runs} - set(world.turns)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(0, 60))
def test_after_a_crash_at_any_point_the_next_run_of_the_same_control_node_works(hosts, when):
    world = World(hosts)
    first, second = (Run(world, name, 2, False) for name in ("first", "second"))
    for _time in range(when):
        first.advance()
    first.crash()
    while second.advance():
        pass
    assert "second" in world.turns
