# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what site.yml costs on the demo's hosts, beside other ways: ``make bench-site``.

Interleaved in one go: site.yml that finds nothing to do; the same cluster written in stock modules (stock/site.yml);
the same checks in pyinfra (stock/pyinfra_checks.py); the floor, seven plays with one ping each; and, where wanted,
site.yml of another checkout. How to read the result is in docs/architecture.md. `first` measures a first deployment
instead, and `recorded` what bench_recorded.py says.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import bench_recorded
import site_measure
from site_cluster import BENCH, LOGS, Bench, install_pyinfra
from site_hosts import BUILD, SMALLEST

#: A cluster settles before it is measured: programs that have just started work more than later.
SETTLE_SECONDS = 20.0
STARTSECS = 10
BASE = "stock"


def rounds(bench: Bench, ways: list, counts: list, number: int) -> dict:
    """Run all ways on all numbers of hosts, each round in another order; return the costs by number and way."""
    costs: dict = {count: {way: [] for way in ways} for count in counts}
    idle = bench.idle()
    todo = [(count, way) for count in counts for way in ways]
    for turn in range(number):
        shift = turn % len(todo)
        for count, way in todo[shift:] + todo[:shift]:
            cost = bench.once(way, count)
            costs[count][way].append(site_measure.idle_taken_off(cost, idle))
            print(
                f"bench-site: round {turn + 1}, {count} hosts, {way}: {cost.wall:.1f} s, control CPU {cost.cpu:.1f} s",
                flush=True,
            )
    return costs


def no_change(bench: Bench, ways: list, number: int) -> dict:
    """Measure runs that find nothing to do; more hosts than the demo's are measured beside as many as those."""
    if "pyinfra" in ways:
        install_pyinfra()
    bench.create()
    bench.deploy()
    counts = sorted({SMALLEST, bench.count})
    for count in counts:
        bench.read(count)
    time.sleep(SETTLE_SECONDS)
    # These runs come first, and pay for connections and caches that all the others then use.
    counted = {count: {way: bench.executions(way, count) for way in ways if way != "pyinfra"} for count in counts}
    costs = rounds(bench, ways, counts, number)
    for count in counts:
        print(f"\n{count} hosts, medians of {number} runs each\n")
        print(site_measure.comparison(costs[count], BASE if BASE in ways else ways[0], counted[count]), flush=True)
    if len(counts) == 2 and "floor" in ways:
        print(f"\nfrom {counts[0]} to {counts[1]} hosts\n")
        print(site_measure.growth(costs[counts[0]], costs[counts[1]], counts[1] - counts[0]))
    return {
        count: {way: [cost._asdict() for cost in found] for way, found in ways.items()} for count, ways in costs.items()
    }


def first(bench: Bench, number: int) -> dict:
    """Measure first deployments on fresh hosts, site.yml and the stock playbook by turns."""
    startsecs = ("-e", json.dumps({"cluster_program_startsecs": STARTSECS}))
    costs: dict = {"ours": [], "stock": []}
    for _turn in range(number):
        for way in costs:
            bench.destroy()
            bench.create()
            if way == "ours":
                costs[way].append(bench.deploy(*startsecs))
                # What the stock playbook is to deploy is what has been deployed.
                bench.read(bench.count)
            else:
                inventory = BUILD / f"bench-{bench.count}-stock"
                costs[way].append(bench.play(str(BENCH / "stock/site.yml"), "site-first-stock", inventory=inventory))
            cost = costs[way][-1]
            print(f"bench-site: first, {way}: {cost.wall:.1f} s, control CPU {cost.cpu:.1f} s", flush=True)
    print(f"\nfirst deployment of {bench.count} hosts, startsecs {STARTSECS}, medians of {number}\n")
    print(site_measure.comparison(costs, BASE, {}))
    return {way: [cost._asdict() for cost in found] for way, found in costs.items()}


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("no-change", "first", "recorded"), default="no-change")
    parser.add_argument(
        "--hosts",
        type=int,
        help=f"{SMALLEST} by default, {bench_recorded.HOSTS} recorded ones; more are measured beside {SMALLEST}",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ways", nargs="+", default=["ours", "stock", "pyinfra", "floor"])
    parser.add_argument("--tools", type=Path, default=Path(sys.executable).parent, help="folder of ansible-playbook")
    parser.add_argument("--beside", type=Path, help="another checkout whose site.yml is measured, too")
    parser.add_argument("--keep", action="store_true", help="leave the hosts running")
    arguments = parser.parse_args()
    recorded = arguments.what == "recorded"
    count = arguments.hosts or (bench_recorded.HOSTS if recorded else SMALLEST)
    bench = Bench(SMALLEST if recorded else count, arguments.tools, arguments.beside)
    print(
        f"bench-site: {arguments.what}, {count} hosts ({bench.prefix}*, {bench.network}.*), logs in {LOGS}", flush=True
    )
    if recorded:
        result = bench_recorded.run(bench, sorted({SMALLEST, count}))
    elif arguments.what == "first":
        result = first(bench, arguments.rounds)
    else:
        result = no_change(bench, [*arguments.ways, *(["beside"] if arguments.beside else [])], arguments.rounds)
    (BUILD / f"bench-site-{arguments.what}-{count}.json").write_text(json.dumps(result, indent=1) + "\n")
    if not arguments.keep:
        bench.destroy()
    return 0


if __name__ == "__main__":
    sys.exit(main())
