# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades a whole cluster under load: ``make bench-upgrade``.

With this collection and the naive way; it compares what that cost.

Both begin with fresh test hosts on which site.yml deployed the version before (programs and NATS server) and which
farm. What is watched is in
upgrade_watch.py. The result goes to build/bench-upgrade.json; the exit status is 1 when this collection lost anything.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/bench"
RESULT = ROOT / "build/bench-upgrade.json"
FAKES = ROOT / "build/fakes"
NATS_BEFORE = ROOT / "tests/fakes/nats-before.txt"
#: The fakes' own version has a digest of their source behind this.
VERSION, VERSION_BEFORE = "v1.0.0", "v0.9.0"
FARMING_SECONDS = 120
#: Watched after the playbook ended: what is still broken then must show.
SETTLE_SECONDS = 20
#: Between a client's last answer and its end, and between its beginning and its first answer, lies up to a slot each.
SLOT_SECONDS = 1.0
WATCH_SECONDS = 1500
ROWS = {
    "slots_missed": "slots missed by the cluster",
    "longest_silence_s": "longest silence of a storage host, s",
    "longest_restart_s": "longest restart of a storage host's client, s",
    "no_quorum_s": "without NATS quorum, s",
    "messages_lost": "messages lost",
    "total_s": "total time, s",
}


# Versions


def releases() -> tuple:
    """Pack the version before and the present one; return both as release.json has them."""
    with (ROOT / "build/releases.lock").open("w") as lock:
        # Two scenarios that run at the same time use them.
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = ROOT / "build/nats-before"
        if not (folder / ".complete").exists() or (folder / ".complete").read_text() != NATS_BEFORE.read_text():
            # Its own folder, because two versions cannot be installed side by side.
            pip = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--upgrade",
            ]
            subprocess.run([*pip, "--require-hashes", "--target", folder, "--requirement", NATS_BEFORE], check=True)
            (folder / ".complete").write_text(NATS_BEFORE.read_text())
        pack = [sys.executable, ROOT / "tests/fakes/pack.py"]
        subprocess.run(pack, check=True, capture_output=True)
        present = json.loads((FAKES / "release.json").read_text())
        version = present["version"].replace(VERSION, VERSION_BEFORE)
        subprocess.run(
            [*pack, "--beside", "--version", version, "--nats-server", folder / "bin/nats-server"],
            check=True,
            capture_output=True,
        )
        return json.loads((FAKES / version / "release.json").read_text()), present


# Cluster


class Cluster:
    """Test hosts of one inventory, and what is done with them."""

    def __init__(self, inventory: Path, prefix: str, network: str):
        self._inventory = inventory
        self._prefix = prefix
        self._environment = dict(
            os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), TEST_HOSTS_PREFIX=prefix, TEST_HOSTS_NETWORK=network
        )
        listed = subprocess.run(
            [self._tool("ansible-inventory"), "-i", inventory, "--list"],
            cwd=ROOT,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        )
        self._groups = json.loads(listed.stdout)
        variables = self._groups["_meta"]["hostvars"]
        self.servers = [
            variables[host]["ansible_host"].replace("{{ test_hosts_network }}", network)
            for host in self.members("nats")
        ]
        self.storage = self.members("plot_client")

    @staticmethod
    def _tool(name: str) -> Path:
        return Path(sys.executable).with_name(name)

    def members(self, group: str) -> list:
        """Return the hosts of a group."""
        found = self._groups.get(group, {})
        return sorted(
            {*found.get("hosts", []), *(host for child in found.get("children", []) for host in self.members(child))}
        )

    def play(self, playbook: str, *options: str, log: str, **variables) -> float:
        """Run a playbook to the end and return its seconds; its output goes to build/bench/LOG.log."""
        command = [
            self._tool("ansible-playbook"),
            "-i",
            self._inventory,
            *options,
            "-e",
            json.dumps(variables),
            playbook,
        ]
        started = time.monotonic()
        path = BUILD / f"{log}.log"
        with path.open("w") as output:
            done = subprocess.run(
                command, cwd=ROOT, env=self._environment, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        if done.returncode:
            raise SystemExit(f"{playbook} failed, see {path}:\n" + "\n".join(path.read_text().splitlines()[-40:]))
        return time.monotonic() - started

    def deploy(self, release: dict, name: str) -> None:
        """Make fresh hosts and deploy a version on them."""
        self.destroy()
        self.play("tests/hosts/create.yml", log=f"{name}-create")
        self.play("site.yml", log=f"{name}-before", demo_release=release)

    def destroy(self) -> None:
        """Remove the hosts."""
        self.play("tests/hosts/destroy.yml", log="destroy")

    def wait_until_it_farms(self) -> None:
        """Wait until the solutions of every storage host are accepted now: one more than at the first look."""
        command = [
            sys.executable,
            ROOT / "tests/fakes/farm_stats.py",
            "--json",
            "--nats-server",
            f"nats://{self.servers[0]}:4222",
        ]
        end = time.monotonic() + FARMING_SECONDS
        first: dict = {}
        while time.monotonic() < end:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                clients = [item for item in json.loads(done.stdout)["processes"] if item["component"] == "plot-client"]
                accepted = {item["host"]: item["counters"].get("solutions_accepted", 0) for item in clients}
                if all(accepted.get(host, 0) > first.setdefault(host, accepted.get(host, 0)) for host in self.storage):
                    return
        raise SystemExit(f"the cluster does not farm after {FARMING_SECONDS} s")

    def restarts(self, since: float) -> dict:
        """Return how long the plot client of each storage host took to stop and be ready again, by its own log."""
        found = {}
        for host in self.storage:
            command = ["docker", "exec", self._prefix + host, "cat", "/var/log/autonomys-plot-client.log"]
            found[host] = restart_seconds(
                subprocess.run(command, capture_output=True, text=True, check=True).stdout, since
            )
        return found


def restart_seconds(log: str, since: float) -> float | None:
    """Return the seconds from the signal to the last opened farm in a plot client's log, None when it did not
    restart.
    """
    stopped = ready = None
    for line in log.splitlines():
        match = re.match(r"(\S+)Z +\w+ fake: (Received signal, exiting|Farm \S+: \d+ of)", line)
        if match:
            at = datetime.fromisoformat(match[1]).replace(tzinfo=timezone.utc).timestamp()
            if match[2].startswith("Received") and at >= since:
                stopped = at if stopped is None else stopped
            elif stopped is not None:
                ready = at
    return round(ready - stopped, 1) if stopped is not None and ready is not None else None


# Measurement


class Watched:
    """The watcher as a process beside the playbook."""

    def __init__(self, cluster: Cluster):
        ready = BUILD / "ready"
        ready.unlink(missing_ok=True)
        addresses = [part for address in cluster.servers for part in ("--address", address)]
        command = [
            sys.executable,
            ROOT / "tests/bench/upgrade_watch.py",
            *addresses,
            "--seconds",
            str(WATCH_SECONDS),
            "--ready",
            ready,
        ]
        self.started = time.time()
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while not ready.exists():
            if self._process.poll() is not None:
                raise SystemExit("the watcher ended before it began to watch")
            time.sleep(0.1)

    def end(self) -> dict:
        """Return what was seen."""
        self._process.send_signal(signal.SIGINT)
        output, _nothing = self._process.communicate(timeout=120)
        if self._process.returncode:
            raise SystemExit(f"the watcher ended with status {self._process.returncode}")
        return json.loads(output)


def measure(cluster: Cluster, act) -> dict:
    """Do something to a cluster that farms; return what that cost."""
    cluster.wait_until_it_farms()
    watched = Watched(cluster)
    time.sleep(SLOT_SECONDS)
    started = time.time()
    try:
        act()
        ended = time.time()
        time.sleep(SETTLE_SECONDS)
    finally:
        seen = watched.end()
    return verdict(seen, cluster.restarts(started), started, ended)


def verdict(seen: dict, restarts: dict, started: float, ended: float) -> dict:
    """Return the result in the shape of build/bench-upgrade.json.

    The numbers to compare first, then all that was seen.
    """
    silences = {host: seen["silence_s"].get(host, seen["watched_s"]) for host in restarts}
    # The change is over when nothing is broken any more, not when the playbook thinks so.
    until = max(
        [
            ended,
            *(at + SLOT_SECONDS for at in seen["missed_at"]),
            *(began + seconds for began, seconds in seen["no_quorum"]),
        ]
    )
    return {
        "slots_missed": seen["slots_missed"],
        "longest_silence_s": max(silences.values()),
        "longest_restart_s": max((seconds or 0.0 for seconds in restarts.values()), default=0.0),
        "no_quorum_s": seen["no_quorum_s"],
        "messages_lost": seen["messages_lost"],
        "total_s": round(until - started, 1),
        "restart_s": restarts,
        "seen": seen,
    }


def faults(result: dict) -> list:
    """Return what an upgrade must not cost and did.

    Where the measuring machine itself stood still, nobody knows what the cluster did.
    """
    stalled = result["seen"]["machine_stalled_s"]
    found = [f"{name} is {result[name]}" for name in ("slots_missed", "no_quorum_s") if result[name] > stalled]
    found += [f"messages_lost is {result['messages_lost']}"] if result["messages_lost"] else []
    for host, restart in sorted(result["restart_s"].items()):
        silence = result["seen"]["silence_s"].get(host, result["seen"]["watched_s"])
        allowed = round((restart or 0.0) + 2 * SLOT_SECONDS + stalled, 1)
        if silence > allowed:
            found.append(f"{host} was silent for {silence} s, its own restart explains {allowed} s")
    return found


def ours(cluster: Cluster, before: dict, after: dict) -> dict:
    """Upgrade with site.yml."""
    cluster.deploy(before, "ours")
    return measure(cluster, lambda: cluster.play("site.yml", log="ours-upgrade", demo_release=after))


def naive(cluster: Cluster, before: dict, after: dict) -> dict:
    """Upgrade with a plain playbook."""
    cluster.deploy(before, "naive")
    cluster.play("tests/bench/naive_before.yml", log="naive-start")
    return measure(
        cluster, lambda: cluster.play("tests/bench/naive.yml", log="naive-upgrade", naive_from=before, naive_to=after)
    )


def table(results: dict) -> str:
    """Return both results side by side."""
    lines = [f"{'':<48}{'site.yml':>10}{'naive':>10}"]
    for name, words in ROWS.items():
        lines.append(f"{words:<48}" + "".join(f"{results[way][name]:>10}" for way in ("ours", "naive")))
    return "\n".join(lines)


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave the hosts of the last way running")
    arguments = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    before, after = releases()
    prefix, network = os.environ.get("TEST_HOSTS_PREFIX", "bench-"), os.environ.get("TEST_HOSTS_NETWORK", "10.213.9")
    cluster = Cluster(ROOT / "inventories/demo", prefix, network)
    versions = [f"{release['version']} with nats-server {release['nats']['version']}" for release in (before, after)]
    print("bench-upgrade: from " + " to ".join(versions), flush=True)
    results = {}
    for way, upgrade in (("ours", ours), ("naive", naive)):
        print(
            f"bench-upgrade: {way} on fresh hosts, some minutes (output in {BUILD.relative_to(ROOT)}/{way}-*.log)",
            flush=True,
        )
        results[way] = upgrade(cluster, before, after)
        RESULT.write_text(json.dumps(results, indent=1) + "\n")
    if not arguments.keep:
        cluster.destroy()
    print(table(results))
    found = faults(results["ours"])
    for fault in found:
        print(f"site.yml: {fault}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
