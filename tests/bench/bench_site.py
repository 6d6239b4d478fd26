# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what site.yml costs on the demo's hosts, beside other ways: ``make bench-site``.

Four ways, interleaved in one go: site.yml that finds nothing to do; the same cluster written in stock modules
(stock/site.yml); the same checks in pyinfra (stock/pyinfra_checks.py); and the floor, seven plays with one ping each.
How to read the result is in docs/architecture.md. With --first it measures a first deployment instead.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import site_hosts
import site_measure
from site_hosts import BUILD, ROOT, SMALLEST
from site_measure import Cost

BENCH = ROOT / "tests/bench"
LOGS = BUILD / "bench"
PYINFRA = "pyinfra==3.10.0"
IDLE_SECONDS = 10.0
#: A cluster settles before it is measured: programs that have just started work more than later.
SETTLE_SECONDS = 20.0
STARTSECS = 10
BASE = "stock"


class Bench:
    """Test hosts with a cluster, and the ways to look at it."""

    def __init__(self, count: int, tools: Path):
        self.count = count
        self.prefix = os.environ.get("TEST_HOSTS_PREFIX", "bench-")
        self.network = os.environ.get("TEST_HOSTS_NETWORK", "10.213.9")
        self._tools = tools
        self._environment = dict(
            os.environ,
            ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"),
            ANSIBLE_NOCOLOR="1",
            TEST_HOSTS_PREFIX=self.prefix,
            TEST_HOSTS_NETWORK=self.network,
        )
        self._files: list = []
        LOGS.mkdir(parents=True, exist_ok=True)
        self._inventory = site_hosts.write_inventory(BUILD / f"bench-{count}", site_hosts.inventory(count))

    # Hosts

    def play(self, playbook: str, log: str, *options: str, inventory: Path | None = None, memory: bool = False) -> Cost:
        """Run a playbook to its end, its output in build/bench/LOG.log."""
        command = [self._tools / "ansible-playbook", "-i", inventory or self._inventory, *options, playbook]
        return site_measure.run(command, self._environment, LOGS / f"{log}.log", self._files, ROOT, memory)

    def create(self) -> None:
        """Make the hosts where they are not there yet."""
        self._files = []
        self.play("tests/hosts/create.yml", "site-create")
        names = [f"{self.prefix}{host}" for found in site_hosts.names(self.count).values() for host in found]
        listed = subprocess.run(
            ["docker", "inspect", "--format", "{{.Id}}", *names], check=True, capture_output=True, text=True
        )
        self._files = [site_measure.cpu_file(container) for container in listed.stdout.split()]

    def destroy(self) -> None:
        """Remove the hosts."""
        self._files = []
        self.play("tests/hosts/destroy.yml", "site-destroy")

    def deploy(self, *options: str) -> Cost:
        """Deploy the cluster with site.yml."""
        return self.play("site.yml", "site-deploy", *options)

    def idle(self) -> float:
        """Return the CPU seconds per second of all hosts when nobody looks at them."""
        before, started = site_measure.hosts_cpu(self._files), time.monotonic()
        time.sleep(IDLE_SECONDS)
        return (site_measure.hosts_cpu(self._files) - before) / (time.monotonic() - started)

    # Ways

    def read(self, count: int) -> None:
        """Take from the deployed hosts what the stock playbook and pyinfra are to find there."""
        hosts = {host: last for found in site_hosts.names(count).values() for host, last in found.items()}
        read = {host: site_hosts.read_host(self.prefix + host) for host in hosts}
        site_hosts.write_inventory(
            BUILD / f"bench-{count}-stock",
            site_hosts.inventory(count),
            {host: site_hosts.stock_variables(found) for host, found in read.items()},
        )
        listed = [site_hosts.pyinfra_host(host, f"{self.network}.{hosts[host]}", read[host]) for host in hosts]
        (LOGS / f"pyinfra-{count}.json").write_text(json.dumps(listed))
        site_hosts.write_inventory(BUILD / f"bench-{count}", site_hosts.inventory(count))

    def ansible(self, way: str, count: int, *options: str) -> Cost:
        """Run one of the ways that are playbooks on the first `count` hosts; a change ends the bench."""
        playbook = {"ours": "site.yml", "stock": BENCH / "stock/site.yml", "floor": BENCH / "stock/floor.yml"}[way]
        log = f"site-{way}-{count}"
        inventory = BUILD / (f"bench-{count}-stock" if way == "stock" else f"bench-{count}")
        cost = self.play(str(playbook), log, *options, inventory=inventory)
        found = site_measure.changes((LOGS / f"{log}.log").read_text())
        if len(found) != count or any(found.values()):
            raise SystemExit(f"{way}: a run that was to change nothing did, or left hosts out: {found}; see {log}.log")
        return cost

    def pyinfra(self, count: int) -> Cost:
        """Run the checks in pyinfra on the first `count` hosts."""
        environment = dict(os.environ, BENCH_PYINFRA_HOSTS=str(LOGS / f"pyinfra-{count}.json"))
        command = [LOGS / "pyinfra/bin/pyinfra", "-y", BENCH / "stock/pyinfra_inventory.py"]
        command.append(BENCH / "stock/pyinfra_checks.py")
        return site_measure.run(command, environment, LOGS / f"site-pyinfra-{count}.log", self._files, ROOT)

    def once(self, way: str, count: int) -> Cost:
        """Run a way once."""
        return self.pyinfra(count) if way == "pyinfra" else self.ansible(way, count)

    def executions(self, way: str, count: int) -> str:
        """Return how often a way that is a playbook had each host do something, counted in a run of its own."""
        self.ansible(way, count, "-vvv")
        output = (LOGS / f"site-{way}-{count}.log").read_text(errors="replace")
        return site_measure.spread(site_measure.executions(output), count)


def install_pyinfra() -> None:
    """Provide pyinfra in a virtual environment of its own, once for each version."""
    folder = LOGS / "pyinfra"
    mark = folder / ".complete"
    if not mark.exists() or mark.read_text() != PYINFRA:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", PYINFRA]
        subprocess.run(pip, check=True)
        mark.write_text(PYINFRA)


def rounds(bench: Bench, ways: list, counts: list, number: int) -> dict:
    """Run all ways on all numbers of hosts, each round in another order; return the costs by number and way."""
    costs: dict = {count: {way: [] for way in ways} for count in counts}
    for count in counts:
        for way in ways:
            # What comes first pays for connections and caches that all the others then use.
            bench.once(way, count)
    idle = bench.idle()
    todo = [(count, way) for count in counts for way in ways]
    for turn in range(number):
        shift = turn % len(todo)
        for count, way in todo[shift:] + todo[:shift]:
            cost = bench.once(way, count)
            costs[count][way].append(site_measure.idle_taken_off(cost, idle))
            print(f"bench-site: round {turn + 1}, {count} hosts, {way}: {cost.wall:.1f} s", flush=True)
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
    costs = rounds(bench, ways, counts, number)
    for count in counts:
        counted = {way: bench.executions(way, count) for way in ways if way != "pyinfra"}
        print(f"\n{count} hosts, medians of {number} runs each\n")
        print(site_measure.comparison(costs[count], BASE if BASE in ways else ways[0], counted), flush=True)
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
            print(f"bench-site: first deployment, {way}: {costs[way][-1].wall:.1f} s", flush=True)
    print(f"\nfirst deployment of {bench.count} hosts, startsecs {STARTSECS}, medians of {number}\n")
    print(site_measure.comparison(costs, BASE, {}))
    return {way: [cost._asdict() for cost in found] for way, found in costs.items()}


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--hosts", type=int, default=SMALLEST, help="more than the demo's are measured beside its number"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ways", nargs="+", default=["ours", "stock", "pyinfra", "floor"])
    parser.add_argument("--first", action="store_true", help="measure first deployments on fresh hosts")
    parser.add_argument("--tools", type=Path, default=Path(sys.executable).parent, help="folder of ansible-playbook")
    parser.add_argument("--keep", action="store_true", help="leave the hosts running")
    arguments = parser.parse_args()
    bench = Bench(arguments.hosts, arguments.tools)
    print(f"bench-site: {arguments.hosts} hosts ({bench.prefix}*, {bench.network}.*), logs in {LOGS}", flush=True)
    if arguments.first:
        name, result = "first", first(bench, arguments.rounds)
    else:
        name, result = str(arguments.hosts), no_change(bench, arguments.ways, arguments.rounds)
    (BUILD / f"bench-site-{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    if not arguments.keep:
        bench.destroy()
    return 0


if __name__ == "__main__":
    sys.exit(main())
