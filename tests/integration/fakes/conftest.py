# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole small cluster of fakes with a real NATS server on this machine's loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.tests.integration.ports import free_ports

FAKES = Path(__file__).resolve().parents[2] / "fakes"
#: A CPU that these tests may use.
CPU = min(os.sched_getaffinity(0))
REWARD_ADDRESS = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
GPUS = [
    {
        "index": index,
        "uuid": f"GPU-0000000{index}-1111-2222-3333-444444444444",
        "name": "NVIDIA GeForce RTX 3080",
        "bus_id": f"0000:{index + 1:02x}:00.0",
        "memory_mib": 10240,
        "driver_version": "550.120",
        "cpu_affinity": "0-1",
        "numa_affinity": "0",
    }
    for index in (0, 1)
]


# A process has one opener for urlopen(), and Ansible's open_url() replaces it, with a proxy where another test names
# one.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """Return a port that nobody uses."""
    return free_ports(1)[0]


def wait_for(question, seconds: float = 120):
    """Ask until the answer is true; return it."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > end:
            assert answer, f"not true within {seconds} s"
            return answer
        time.sleep(0.2)


class Machine:
    """Starts programs as if this folder were a host."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.build = folder / "build"
        self.processes: list = []
        self.switches = folder / "root" / "run" / "autonomys-fakes"
        self.switches.mkdir(parents=True)
        gpus = folder / "root" / "etc" / "autonomys-fakes" / "gpus.json"
        gpus.parent.mkdir(parents=True)
        gpus.write_text(json.dumps(GPUS))
        subprocess.run([sys.executable, FAKES / "pack.py", "--version", "v1.2.3", "--output", self.build], check=True)
        release = json.loads((self.build / "release.json").read_text())
        self.node, self.farmer, self.export_piece = (
            release["binaries"][name]["src"]
            for name in ("autonomys-node", "autonomys-farmer", "autonomys-export-piece")
        )
        self.nats_port, self.rpc_port = free_port(), free_port()
        self.plot_ports = [free_port(), free_port()]
        self.nats_url = f"nats://127.0.0.1:{self.nats_port}"
        self.rpc_url = f"http://127.0.0.1:{self.rpc_port}"

    @property
    def environment(self) -> dict:
        """Return the environment of a program."""
        foreign = ("CUDA", "SUPERVISOR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}
        environment["PATH"] = f"{self.build}:{environment['PATH']}"
        environment["AUTONOMYS_FAKES_ROOT"] = str(self.folder / "root")
        return environment

    def start(self, *line, name: str = "", cpus=None, **environment):
        """Start a program; its output goes to <name>.log."""

        def bind() -> None:
            if cpus is not None:
                os.sched_setaffinity(0, cpus)

        with (self.folder / f"{name or 'program'}.log").open("a") as log:
            process = subprocess.Popen(
                [str(word) for word in line],
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=bind,
            )
        self.processes.append(process)
        return process

    def run(self, *line, timeout: float = 120, **environment):
        """Run a program to its end."""
        return subprocess.run(
            [str(word) for word in line],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=self.folder,
        )

    def cluster(self, *line, nats_url: str = "") -> list:
        """Return the command line of a component."""
        return [self.farmer, "cluster", "--nats-server", nats_url or self.nats_url, *line]

    def start_nats(self, port: int = 0, settings: str = "max_payload: 3MB\njetstream { store_dir: STORE }"):
        """Start a NATS server and wait for it."""
        port = port or self.nats_port
        config = self.folder / f"nats-{port}.conf"
        config.write_text(f"listen: 127.0.0.1:{port}\n" + settings.replace("STORE", str(self.folder / f"nats-{port}")))
        server = self.start(Path(sys.executable).with_name("nats-server"), "-c", config, name=f"nats-{port}")

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        wait_for(answers)
        return server

    def node_line(self, *more, base: str = "node", port: int = 0) -> list:
        """Return the command line of a node."""
        return [
            *(self.node, "run", "--base-path", self.folder / base, "--farmer", "--chain", "mainnet", "--sync", "full"),
            *("--rpc-listen-on", f"127.0.0.1:{port or self.rpc_port}", "--rpc-methods", "unsafe", *more),
        ]

    def client_line(self, *farms) -> list:
        """Return the command line of a plot-client."""
        return self.cluster("plot-client", "--reward-address", REWARD_ADDRESS, *farms)

    def switch(self, name: str, **values) -> None:
        """Set the fault switches of a component, or remove them."""
        path = self.switches / f"{name}.json"
        if values:
            path.write_text(json.dumps(values))
        else:
            path.unlink(missing_ok=True)

    def rpc(self, method: str, url: str = "", params=(), timeout: float = 30):
        """Call a method of a node over HTTP."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
        request = urllib.request.Request(url or self.rpc_url, body, {"Content-Type": "application/json"})
        with DIRECT.open(request, timeout=timeout) as answer:
            return json.load(answer)

    def rpc_answers(self, url: str = "") -> bool:
        """Say whether a node answers."""
        with contextlib.suppress(OSError):
            return "result" in self.rpc("system_health", url, timeout=2)
        return False

    def status(self, page: str) -> int:
        """Return the HTTP status of a page of the node."""
        try:
            with DIRECT.open(self.rpc_url + page, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def stats(self, url: str = "") -> dict:
        """Return what farm_stats says, asking one server."""
        line = [sys.executable, FAKES / "farm_stats.py", "--nats-server", url or self.nats_url, "--json"]
        return json.loads(subprocess.run(line, capture_output=True, check=True).stdout)

    def log(self, name: str) -> str:
        """Return the output of a program."""
        return (self.folder / f"{name}.log").read_text()

    def wait_for_log(self, sentence: str, *names: str) -> None:
        """Wait until each of these programs has written a sentence."""
        for name in names:
            wait_for(lambda name=name: sentence in self.log(name))

    def stop_all(self) -> None:
        """Leave nothing running."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def open_files(process) -> list:
    """Return what a process has open; it opens and closes its sockets meanwhile."""
    found = []
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(entry))
    return found


def stop(process, number: int = signal.SIGTERM, seconds: float = 60) -> int:
    """Send a signal and return the exit status."""
    process.send_signal(number)
    return process.wait(seconds)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A host without any program running."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    yield machine
    machine.stop_all()


@pytest.fixture(scope="module")
def farm(machine):
    """The host with all components running; their processes by name."""
    running = {"nats": machine.start_nats(), "node": machine.start(*machine.node_line(), name="node")}
    wait_for(machine.rpc_answers)

    def component(name, *line, **options):
        running[name] = machine.start(*machine.cluster(*line), name=name, **options)

    machine.controller_line = ["controller", "--tmp", "--node-rpc-url", f"ws://127.0.0.1:{machine.rpc_port}"]
    component("controller", *machine.controller_line)
    component("proof-server", "proof-server", CUDA_VISIBLE_DEVICES=GPUS[0]["uuid"])
    component("sharded-cache", "sharded-cache", f"path={machine.folder}/sharded")
    component("full-piece", "full-piece-sharded-cache", "--tmp", f"path={machine.folder}/full")
    for index, port in enumerate(machine.plot_ports):
        component(
            f"plot-server-{index}",
            *("plot-server", "--priority-cache", "--listen-port", port, machine.folder / f"base-{index}"),
            cpus={CPU},
            CUDA_VISIBLE_DEVICES=str(index),
            CUDA_DEVICE_ORDER="PCI_BUS_ID",
        )
    # Everything that a slot needs is there before the first one counts.
    machine.wait_for_log("Subscribed to slots", "controller")
    machine.wait_for_log("is ready", "proof-server", "plot-server-0", "plot-server-1")
    machine.wait_for_log("Cache is complete", "sharded-cache", "full-piece")
    machine.switch("plot-client", seconds_per_sector=0.2)
    machine.farm_arguments = [f"path={machine.folder}/farm-{index}/,sectors=3" for index in range(2)]
    running["plot-client"] = machine.start(*machine.client_line(*machine.farm_arguments), name="plot-client")
    return running
