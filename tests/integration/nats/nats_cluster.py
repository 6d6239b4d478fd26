# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real NATS servers on the loopback interface.

Run as a program it records what they answer into tests/fixtures/nats, for the unit tests:
``PYTHONPATH=.ansible/collections .venv/bin/python tests/integration/nats/nats_cluster.py``
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nats
from ansible_collections.autonomys.cluster.plugins.module_utils._http import HttpError, JsonClient
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import JSZ
from ansible_collections.autonomys.cluster.tests.integration.ports import free_ports
from nats.js.errors import APIError, NoStreamResponseError

BINARY = Path(sys.executable).with_name("nats-server")
ERRORS = (APIError, NoStreamResponseError, nats.errors.Error)
PATHS = {"varz": "/varz", "healthz": "/healthz", "routez": "/routez", "jsz": JSZ}


class Cluster:
    """Servers node-1 to node-<count>; a single one has no cluster section."""

    def __init__(self, folder, count=3):
        self.names = [f"node-{number}" for number in range(1, count + 1)]
        ports = free_ports(3 * count)
        self.client, self.monitor, self.route = (
            dict(zip(self.names, ports[part * count : (part + 1) * count])) for part in range(3)
        )
        self.folder = Path(folder)
        self.processes = {}
        for name in self.names:
            self._write(name)

    def _write(self, name):
        text = (
            f"server_name: {name}\nlisten: 127.0.0.1:{self.client[name]}\nhttp: 127.0.0.1:{self.monitor[name]}\n"
            f"max_payload: 3MB\njetstream {{ store_dir: {self.folder}/{name}, max_mem: 64MB, max_file: 256MB }}\n"
        )
        if len(self.names) > 1:
            routes = "\n".join(f"    nats://127.0.0.1:{self.route[peer]}" for peer in self.names)
            text += f"cluster {{\n  name: autonomys\n  listen: 127.0.0.1:{self.route[name]}\n"
            text += f"  routes: [\n{routes}\n  ]\n}}\n"
        (self.folder / f"{name}.conf").write_text(text)

    def start(self, *names):
        """Start servers, all of them when none is named."""
        for name in names or self.names:
            with (self.folder / f"{name}.log").open("a") as log:
                command = [BINARY, "-c", self.folder / f"{name}.conf"]
                self.processes[name] = subprocess.Popen(command, stderr=log)

    def stop(self, *names, kill=False):
        """Stop servers, all of them when none is named; a killed one cannot say goodbye to the others."""
        for name in names or list(self.processes):
            process = self.processes.pop(name)
            process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            process.wait()

    def url(self, name):
        """Return the URL of a server's monitoring port."""
        return f"http://127.0.0.1:{self.monitor[name]}"

    def urls(self):
        """Return the URLs of all monitoring ports by name."""
        return {name: self.url(name) for name in self.names}

    def answers(self, name):
        """Return everything that a server answers."""
        client = JsonClient(self.url(name), 5)
        try:
            return {key: client.ask(path)[1] for key, path in PATHS.items()}
        finally:
            client.close()

    def wait(self, name, condition, seconds=60):
        """Wait until the answers of a server meet a condition."""
        end = time.monotonic() + seconds
        while True:
            try:
                answers = self.answers(name)
                if condition(answers):
                    return answers
            except HttpError:
                answers = "no answer"
            assert time.monotonic() < end, answers
            time.sleep(0.2)

    def wait_ready(self):
        """Wait until every server has a meta leader or is single and healthy."""
        for name in self.names:
            self.wait(name, lambda answers: answers["healthz"]["status"] == "ok")

    def fill(self):
        """Make a stream with as many replicas as there are servers, a durable consumer, and a stream with one."""
        asyncio.run(self._fill())
        for name in self.names:
            self.wait(name, lambda answers: '"dur"' in json.dumps(answers["jsz"]))

    async def _fill(self):
        client = await nats.connect(f"nats://127.0.0.1:{self.client[self.names[0]]}")
        stream = client.jetstream()
        await retry(stream.add_stream, name="MANY", subjects=["many.>"], num_replicas=len(self.names))
        await retry(stream.add_stream, name="ONE", subjects=["one.>"], num_replicas=1)
        for _message in range(20):
            await retry(stream.publish, "many.x", b"x" * 1000)
        await retry(stream.pull_subscribe, "many.x", durable="dur")
        await client.close()

    def publish(self, name, attempts):
        """Return whether a message that is sent to a server is stored by a quorum within some attempts."""
        return asyncio.run(self._publish(name, attempts))

    async def _publish(self, name, attempts):
        client = await nats.connect(f"nats://127.0.0.1:{self.client[name]}")
        try:
            await retry(client.jetstream(timeout=1).publish, "many.x", b"x", attempts=attempts)
            return True
        except ERRORS:
            return False
        finally:
            await client.close()


async def retry(call, *args, attempts=50, **kwargs):
    """Call until the group behind it has elected its leader."""
    for attempt in range(attempts):
        try:
            return await call(*args, **kwargs)
        except ERRORS:
            if attempt == attempts - 1:
                raise
            await asyncio.sleep(0.2)
    raise AssertionError("no attempt was made")


def record(target):
    """Record a healthy cluster, one where a server was stopped or killed, one without a leader, a single server."""

    def write(scenario, cluster):
        answers = {name: cluster.answers(name) for name in cluster.processes}
        (target / f"{scenario}.json").write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")

    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(folder)
        cluster.start()
        try:
            cluster.wait_ready()
            cluster.fill()
            time.sleep(2)
            write("healthy", cluster)
            leader = cluster.answers("node-1")["varz"]["jetstream"]["meta"]["leader"]
            follower = next(name for name in cluster.names if name != leader)
            cluster.stop(follower)
            time.sleep(2)
            write("one_stopped", cluster)
            cluster.start(follower)
            cluster.wait(leader, lambda answers: "offline" not in json.dumps(answers["jsz"]))
            time.sleep(3)
            cluster.stop(follower, kill=True)
            time.sleep(2)
            write("one_killed", cluster)
            time.sleep(12)
            write("one_gone", cluster)
            cluster.stop()
            cluster.start("node-1")
            cluster.wait("node-1", lambda answers: answers["healthz"].get("error"))
            write("no_leader", cluster)
        finally:
            cluster.stop()
    with tempfile.TemporaryDirectory() as folder:
        single = Cluster(folder, 1)
        single.start()
        try:
            single.wait_ready()
            single.fill()
            write("single", single)
        finally:
            single.stop()


if __name__ == "__main__":
    record(Path(__file__).parents[2] / "fixtures" / "nats")
