# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what site.yml costs the control node with many hosts: ``make bench-site WHAT=recorded``.

Seven real hosts are recorded, and then stand for any number of them: all that the control node does is real, but for
SSH: no connection is made, no process is started for one, and nothing is transferred. The hosts answer at once, and
hosts of one kind answer alike but for name and address. So the result says what the model, the verdicts and the tasks
cost, in CPU and memory; it says nothing about how long hosts take.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import site_hosts
import site_measure
from site_cluster import BENCH, LOGS, Bench
from site_hosts import BUILD, ROOT, SMALLEST

RECORDED = ROOT / "tests/bench/recorded"
RECORDS = LOGS / "recorded"
HOSTS = 200
#: Tasks of site.yml by what they are for; all others are together.
PARTS = {
    "model": ("Build the cluster's model from the inventory", "Say why there is no model", "Keep the model"),
    "readings": ("Read the host",),
    "verdicts": ("Report everything that is wrong",),
    "table of the state": ("Print the table of hosts and components",),
}


def record(bench: Bench) -> None:
    """Record what seven hosts answer when there is nothing to do."""
    shutil.rmtree(RECORDS, ignore_errors=True)
    RECORDS.mkdir(parents=True)
    bench.environment.update(BENCH_RECORDED=str(RECORDS), ANSIBLE_SSH_EXECUTABLE=str(RECORDED / "ssh.py"))
    for way in ("ours", "floor"):
        bench.ansible(way, SMALLEST)
    for name in ("BENCH_RECORDED", "ANSIBLE_SSH_EXECUTABLE"):
        del bench.environment[name]


def inventory(count: int, network: str) -> dict:
    """Return an inventory of hosts that answer as recorded."""
    result = site_hosts.inventory(count)
    originals = site_hosts.names(SMALLEST)
    for kind, hosts in site_hosts.names(count).items():
        known = list(originals[kind].items())
        for number, host in enumerate(hosts):
            name, last = known[number % len(known)]
            result["all"]["children"][f"{kind}_hosts"]["hosts"][host].update(
                recorded_name=name, recorded_address=f"{network}.{last}"
            )
    result["all"]["vars"] = {"ansible_connection": "recorded", "recorded_folder": str(RECORDS)}
    return result


def parts(costs: list) -> dict:
    """Return the CPU seconds of a run by what they were for, from what task_cost wrote."""
    names = {name: part for part, names in PARTS.items() for name in names}
    found = dict.fromkeys([*PARTS, "start", "everything else"], 0.0)
    for task, _wall, cpu in costs:
        # A role's name comes before those of its tasks.
        part = names.get(task.rpartition(" : ")[2], "start" if task == "start" else "everything else")
        found[part] += cpu
    return found


def measure(bench: Bench, count: int, way: str) -> dict:
    """Run a way once on so many recorded hosts."""
    path = LOGS / f"task-costs-{way}-{count}.json"
    folder = site_hosts.write_inventory(BUILD / f"bench-{count}-recorded", inventory(count, bench.network))
    bench.environment.update(
        ANSIBLE_CONNECTION_PLUGINS=str(RECORDED / "connection"),
        ANSIBLE_CALLBACK_PLUGINS=str(RECORDED / "callback"),
        ANSIBLE_CALLBACKS_ENABLED="task_cost",
        # ansible.cfg has it for SSH.
        ANSIBLE_PIPELINING="1",
        BENCH_TASK_COSTS=str(path),
    )
    playbook = "site.yml" if way == "ours" else str(BENCH / "stock/floor.yml")
    log = f"recorded-{way}-{count}"
    cost = bench.play(playbook, log, inventory=folder, memory=True)
    found = site_measure.changes((LOGS / f"{log}.log").read_text())
    if len(found) != count or any(found.values()):
        raise SystemExit(f"{count} recorded hosts: something changed, or hosts were left out: see {log}.log")
    return {**cost._asdict(), "parts": parts(json.loads(path.read_text()))}


def report(results: dict) -> str:
    """Return the tables of results, by way and number of hosts."""
    head = ["", "hosts", "wall s", "control CPU s", "per host", "largest process MiB", "all together MiB"]
    rows = [
        [
            way,
            str(count),
            found["wall"],
            found["cpu"],
            f"{found['cpu'] / count:.2f}",
            found["largest_process"],
            found["all_processes"],
        ]
        for way, by_count in results.items()
        for count, found in by_count.items()
    ]
    counts = list(results["ours"])
    more = [
        [part, *(results["ours"][count]["parts"][part] for count in counts)]
        for part in results["ours"][counts[0]]["parts"]
    ]
    more_head = ["CPU s of site.yml", *(f"{count} hosts" for count in counts)]
    return f"{site_measure.table(head, rows)}\n\n{site_measure.table(more_head, more)}"


def run(bench: Bench, counts: list) -> dict:
    """Record seven hosts, then measure so many."""
    bench.create()
    bench.deploy()
    bench.read(SMALLEST)
    record(bench)
    results: dict = {way: {count: measure(bench, count, way) for count in counts} for way in ("ours", "floor")}
    print(f"\nrecorded hosts: no SSH, no processes on hosts (see {Path(__file__).name})\n")
    print(report(results))
    return results
