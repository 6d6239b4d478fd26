# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measure for rolling restarts.

One at a time loses no slot, all at once does, and the watcher sees the difference.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import processes as _process

from .conftest import FAKES, REWARD_ADDRESS, free_port, stop, wait_for

SERVERS = 3


@pytest.fixture
def doubled(machine):
    """Three NATS servers, and two of everything that answers slots."""
    ports, routes = ([free_port() for _index in range(SERVERS)] for _kind in range(2))
    urls = [f"nats://127.0.0.1:{port}" for port in ports]

    def start_nats(index: int):
        peers = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        settings = (
            f"server_name: n{index}\nmax_payload: 3MB\njetstream {{ store_dir: STORE }}\n"
            f"cluster {{ name: c1, listen: 127.0.0.1:{routes[index]}, routes: [ {peers} ] }}"
        )
        return machine.start_nats(ports[index], settings)

    nats = [start_nats(index) for index in range(SERVERS)]
    machine.nats_url = urls[0]

    def line(*words) -> list:
        servers = [word for url in urls for word in ("--nats-server", url)]
        return [machine.farmer, "cluster", *servers, *words]

    lines: dict = {}
    rpc_ports = [free_port() for _index in range(2)]
    for index, port in enumerate(rpc_ports):
        lines[f"node-{index}"] = machine.node_line(base=f"node-{index}", port=port)
        lines[f"controller-{index}"] = line("controller", "--tmp", "--node-rpc-url", f"ws://127.0.0.1:{port}")
        lines[f"proof-server-{index}"] = line("proof-server")
        farm = f"path={machine.folder}/roll-farm-{index},sectors=1"
        address = REWARD_ADDRESS
        lines[f"plot-client-{index}"] = line("plot-client", "--reward-address", address, farm)
    lines["full"] = line("full-piece-sharded-cache", f"path={machine.folder}/roll-full")
    lines["plot-server"] = line("plot-server", "--listen-port", free_port(), machine.folder / "roll-base")

    def node_answers(index: int) -> bool:
        return machine.rpc_answers(f"http://127.0.0.1:{rpc_ports[index]}")

    running = {name: machine.start(*words, name=name) for name, words in lines.items() if name.startswith("node")}
    for index in range(2):
        wait_for(lambda index=index: node_answers(index))
    running.update({name: machine.start(*words, name=name) for name, words in lines.items() if name not in running})

    def works(process) -> bool:
        """Say whether a program is in the cluster again; a plot-client answers slots then."""
        found = [item for item in machine.stats()["processes"] if item["pid"] == process.pid]
        return bool(found) and (
            found[0]["component"] != "plot-client" or found[0]["counters"].get("slots_answered", 0) > 0
        )

    def whole() -> bool:
        """Say whether each NATS server brings messages to all programs and back."""
        programs = {process.pid for name, process in running.items() if not name.startswith("node")}
        return all({item["pid"] for item in machine.stats(url)["processes"]} == programs for url in urls)

    wait_for(lambda: machine.stats()["sectors_plotted"] == 2)
    wait_for(lambda: all(works(process) for name, process in running.items() if name.startswith("plot-client")))
    wait_for(whole)
    return {
        **{"urls": urls, "nats": nats, "start_nats": start_nats, "lines": lines, "running": running},
        **{"node_answers": node_answers, "works": works, "whole": whole},
    }


def watch(urls: list):
    """Start the watcher, and wait until it listens on all servers."""
    servers = [word for url in urls for word in ("--nats-server", url)]
    watcher = subprocess.Popen(
        [sys.executable, FAKES / "farm_stats.py", *servers, "--watch", "600", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    wanted = {url.removeprefix("nats://") for url in urls}
    wait_for(lambda: wanted <= set(_process.evidence(watcher.pid, _process.parents(), {})["connected"]))
    time.sleep(2)  # a few slots before anything happens
    return watcher


def verdict(watcher) -> dict:
    """End the watcher and return what it says."""
    time.sleep(6)  # the time of the last slots must be over
    watcher.send_signal(signal.SIGINT)
    return json.loads(watcher.communicate(timeout=60)[0])


def test_one_at_a_time_loses_no_slot(machine, doubled):
    running, lines = doubled["running"], doubled["lines"]
    watcher = watch(doubled["urls"])
    for index, server in enumerate(doubled["nats"]):
        stop(server)
        doubled["nats"][index] = doubled["start_nats"](index)
        wait_for(doubled["whole"])
    for name in ("node-0", "controller-0", "proof-server-0", "plot-client-0", "plot-client-1"):
        # A controller ends by itself, with status 0, when its node goes.
        assert running[name].wait(60) == 0 if name.startswith("controller") else stop(running[name]) == 0
        running[name] = machine.start(*lines[name], name=name)
        wait_for(lambda name=name: doubled["node_answers"](0) if name == "node-0" else doubled["works"](running[name]))
        time.sleep(2)
    result = verdict(watcher)
    assert result["slots"] > 15
    assert result["missed"] == []
    assert max(result["longest_silence_s"].values()) < 8

    watcher = watch(doubled["urls"])
    stop(running["proof-server-0"])
    began = time.monotonic()
    stop(running["proof-server-1"])
    time.sleep(6)
    for index in range(2):
        machine.start(*lines[f"proof-server-{index}"], name=f"again-{index}")
    machine.wait_for_log("is ready", "again-0", "again-1")
    outage = time.monotonic() - began
    time.sleep(2)
    result = verdict(watcher)
    # One slot a second, and each is lost only with all of its four seconds; the programs may take long to be back on a
    # slow machine.
    assert 1 <= result["slots_missed"] <= outage - 4 + 3
    assert min(result["longest_silence_s"].values()) > 4
