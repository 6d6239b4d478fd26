# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the upgrade's watcher counts."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

import bench_upgrade
import pytest
import upgrade_watch
from upgrade_watch import Ledger, Quorum, Spans

UP = {"healthy": True, "leader": "node-1"}
LEADERLESS = {"healthy": True, "leader": None}
ILL = {"healthy": False, "leader": "node-1"}

LOG = """\
2026-01-01T00:00:00.000000Z  INFO fake: plot-client v1 is starting, program autonomys-plot-client, PID 1
2026-01-01T00:00:01.000000Z  INFO fake: Farm /mnt/a: 0 of 42 sectors are plotted
2026-01-01T00:10:00.250000Z  INFO fake: Received signal, exiting gracefully
2026-01-01T00:10:02.000000Z  INFO fake: plot-client v2 is starting, program autonomys-plot-client, PID 2
2026-01-01T00:10:03.000000Z  INFO fake: Farm /mnt/a: 41 of 42 sectors are plotted
2026-01-01T00:10:03.750000Z  INFO fake: Farm /mnt/b: 41 of 42 sectors are plotted
"""


def at(minute):
    return datetime(2026, 1, 1, 0, minute, tzinfo=timezone.utc).timestamp()


def test_a_span_lasts_until_the_next_look():
    spans = Spans()
    for now, true in ((0, False), (1, True), (2, True), (4, False), (9, True), (9.5, False), (10, True)):
        spans.look(now, true)
    assert spans.spans == [(1, 4), (9, 9.5)]
    assert spans.seconds() == 3.5


@pytest.mark.parametrize(
    ("pages", "no_quorum", "no_leader", "one_down"),
    [
        ([UP, UP, UP], 0, 0, 0),
        ([UP, None, UP], 0, 0, 1),
        ([UP, ILL, UP], 0, 0, 1),
        ([UP, None, ILL], 1, 0, 1),
        ([ILL, ILL, ILL], 1, 1, 1),
        ([None, None, None], 1, 1, 1),
        ([LEADERLESS, LEADERLESS, UP], 0, 0, 0),
        ([LEADERLESS, LEADERLESS, LEADERLESS], 0, 1, 0),
        ([LEADERLESS, LEADERLESS, ILL], 0, 1, 1),
    ],
)
def test_quorum_is_a_majority_of_healthy_servers(pages, no_quorum, no_leader, one_down):
    quorum = Quorum(3)
    quorum.look(0.0, [UP, UP, UP])
    quorum.look(1.0, pages)
    quorum.look(2.0, [UP, UP, UP])
    result = quorum.result()
    assert (result["no_quorum_s"], result["no_leader_s"], result["one_down_s"]) == (no_quorum, no_leader, one_down)
    assert result["no_quorum"] == ([(1.0, 1.0)] if no_quorum else [])


def test_a_message_is_lost_when_it_is_not_acknowledged_in_time_or_cannot_be_read():
    ledger = Ledger()
    for number in range(6):
        ledger.publish(number, float(number))
    ledger.acknowledge(0, 0.5)
    ledger.acknowledge(1, 5.9)
    ledger.acknowledge(2, 7.5)  # too late
    ledger.acknowledge(3, 3.1)  # and gone
    ledger.acknowledge(5, 5.1)
    ledger.acknowledge(5, 99.0)  # the first one counts
    result = ledger.result([0, 1, 2, 2, 4, 5])
    assert result == {
        "messages_published": 6,
        "messages_acknowledged": 5,
        "messages_read": 5,
        "messages_twice": 1,
        "messages_not_acknowledged": 2,
        "messages_gone": 1,
        "messages_lost": 3,
        "longest_acknowledgement_s": 5.5,
    }


def test_silences_are_told_by_host():
    farm = {
        "watched_s": 9.0,
        "slots": 8,
        "slots_missed": 1,
        "missed": [10],
        "longest_silence_s": {"a/x": 1.5, "a/y": 2.5, "b/x": 1.0},
    }
    seen = upgrade_watch.combined(farm, {"no_quorum_s": 0}, {"messages_lost": 0}, Spans())
    assert seen["silence_s"] == {"a": 2.5, "b": 1.0}
    assert seen["missed_at"] == [upgrade_watch.chain.slot_time(10)]
    assert (seen["no_quorum_s"], seen["messages_lost"], seen["machine_stalled_s"]) == (0, 0, 0)


def test_the_machines_own_stalls_are_noted(monkeypatch):
    async def stall():
        stalls = Spans()
        task = asyncio.create_task(upgrade_watch.feel(stalls))
        await asyncio.sleep(0.1)
        upgrade_watch.time.sleep(0.2)
        await asyncio.sleep(0.1)
        task.cancel()
        return stalls.seconds()

    monkeypatch.setattr(upgrade_watch, "STALL_SECONDS", 0.1)
    assert asyncio.run(stall()) >= 0.2


@pytest.mark.parametrize("answer", [None, b"", b"nonsense", b"HTTP/1.0 200 OK\r\n\r\nno json"])
def test_a_server_without_a_sensible_page_does_not_answer(answer):
    async def look():
        async def serve(reader, writer):
            await reader.readline()
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if answer is None:
            server.close()
            await server.wait_closed()
        found = await upgrade_watch.look_at("127.0.0.1", port)
        server.close()
        return found

    assert asyncio.run(look()) is None


def test_a_restart_lasts_from_the_signal_to_the_last_open_farm():
    assert bench_upgrade.restart_seconds(LOG, at(5)) == 3.5
    assert bench_upgrade.restart_seconds(LOG, at(11)) is None
    assert bench_upgrade.restart_seconds("", 0) is None


def seen(**changes):
    return {
        "watched_s": 100.0,
        "slots_missed": 0,
        "missed_at": [],
        "silence_s": {"storage-1": 4.0, "storage-2": 1.0},
        "no_quorum_s": 0,
        "no_quorum": [],
        "messages_lost": 0,
        "machine_stalled_s": 0,
        **changes,
    }


def test_an_upgrade_that_cost_nothing_has_no_faults():
    result = bench_upgrade.verdict(seen(), {"storage-1": 2.5, "storage-2": 0.5}, 1000.0, 1060.0)
    assert {name: result[name] for name in bench_upgrade.ROWS} == {
        "slots_missed": 0,
        "longest_silence_s": 4.0,
        "longest_restart_s": 2.5,
        "no_quorum_s": 0,
        "messages_lost": 0,
        "total_s": 60.0,
    }
    assert bench_upgrade.faults(result) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"slots_missed": 2}, "slots_missed is 2"),
        ({"no_quorum_s": 0.3}, "no_quorum_s is 0.3"),
        ({"messages_lost": 1}, "messages_lost is 1"),
        ({"silence_s": {"storage-1": 4.6}}, "storage-1 was silent for 4.6 s, its own restart explains 4.5 s"),
        ({"silence_s": {}}, "storage-1 was silent for 100.0 s, its own restart explains 4.5 s"),
    ],
)
def test_what_an_upgrade_must_not_cost(changes, fault):
    result = bench_upgrade.verdict(seen(**changes), {"storage-1": 2.5}, 0.0, 1.0)
    assert bench_upgrade.faults(result) == [fault]


def test_a_stall_of_the_measuring_machine_explains_seconds_but_no_lost_message():
    result = bench_upgrade.verdict(
        seen(slots_missed=1, no_quorum_s=1.1, messages_lost=1, machine_stalled_s=1.2), {"storage-1": 2.5}, 0.0, 1.0
    )
    assert bench_upgrade.faults(result) == ["messages_lost is 1"]


@pytest.mark.parametrize(
    "changes", [{"missed_at": [100.0]}, {"no_quorum": [(50.0, 1.0), (99.0, 2.0)]}], ids=["slot", "quorum"]
)
def test_the_upgrade_ends_when_nothing_is_broken_any_more(changes):
    assert bench_upgrade.verdict(seen(**changes), {"storage-1": 2.5}, 0.0, 10.0)["total_s"] == 101.0


def test_both_ways_stand_side_by_side():
    result = bench_upgrade.verdict(seen(), {"storage-1": 2.5}, 0.0, 60.0)
    lines = bench_upgrade.table({"ours": result, "naive": dict(result, slots_missed=31)}).splitlines()
    assert lines[0].split() == ["site.yml", "naive"]
    assert lines[1].split() == ["slots", "missed", "by", "the", "cluster", "0", "31"]
    assert len(lines) == 1 + len(bench_upgrade.ROWS)
