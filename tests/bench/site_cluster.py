# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts with a cluster, and the ways to look at it: used by bench_site.py and bench_recorded.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import site_hosts
import site_measure
from site_hosts import BUILD, ROOT
from site_measure import Cost

BENCH = ROOT / "tests/bench"
LOGS = BUILD / "bench"
PYINFRA = "pyinfra==3.10.0"
IDLE_SECONDS = 10.0


class Bench:
    """Test hosts with a cluster, and the ways to look at it."""

    def __init__(self, count: int, tools: Path, beside: Path | None = None):
        self.count = count
        self.prefix = os.environ.get("TEST_HOSTS_PREFIX", "bench-")
        self.network = os.environ.get("TEST_HOSTS_NETWORK", "10.213.9")
        self._tools = tools
        self._beside = beside
        self.environment = dict(
            os.environ,
            ANSIBLE_NOCOLOR="1",
            TEST_HOSTS_PREFIX=self.prefix,
            TEST_HOSTS_NETWORK=self.network,
        )
        self._files: list = []
        LOGS.mkdir(parents=True, exist_ok=True)
        self._inventory = site_hosts.write_inventory(BUILD / f"bench-{count}", site_hosts.inventory(count))

    # Hosts

    def play(
        self,
        playbook: str,
        log: str,
        *options: str,
        inventory: Path | None = None,
        folder: Path = ROOT,
        memory: bool = False,
    ) -> Cost:
        """Run a playbook of a checkout to its end, its output in build/bench/LOG.log."""
        command = [self._tools / "ansible-playbook", "-i", inventory or self._inventory, *options, playbook]
        environment = dict(self.environment, ANSIBLE_CONFIG=str(folder / "ansible.cfg"))
        return site_measure.run(command, environment, LOGS / f"{log}.log", self._files, folder, memory)

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
        addresses = [f"{self.network}.{last}" for last in hosts.values()]
        (LOGS / "known_hosts").write_text(site_hosts.known_hosts(addresses))
        site_hosts.write_inventory(BUILD / f"bench-{count}", site_hosts.inventory(count))

    def ansible(self, way: str, count: int, *options: str) -> Cost:
        """Run one of the ways that are playbooks on the first `count` hosts; a change ends the bench."""
        playbook = {"stock": BENCH / "stock/site.yml", "floor": BENCH / "stock/floor.yml"}.get(way, "site.yml")
        log = f"site-{way}-{count}{'-counted' if '-vvv' in options else ''}"
        inventory = BUILD / (f"bench-{count}-stock" if way == "stock" else f"bench-{count}")
        folder = self._beside if way == "beside" and self._beside else ROOT
        cost = self.play(str(playbook), log, *options, inventory=inventory, folder=folder)
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
        output = (LOGS / f"site-{way}-{count}-counted.log").read_text(errors="replace")
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
