# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measure for rolling restarts: one at a time loses no slot, all at once does, and the watcher sees the difference."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

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
    for index in range(2):
        port = free_port()
        lines[f"node-{index}"] = machine.node_line(base=f"node-{index}", port=port)
        lines[f"controller-{index}"] = line("controller", "--tmp", "--node-rpc-url", f"ws://127.0.0.1:{port}")
        lines[f"proof-server-{index}"] = line("proof-server")
        farm = f"path={machine.folder}/roll-farm-{index},sectors=1"
        address = REWARD_ADDRESS
        lines[f"plot-client-{index}"] = line("plot-client", "--reward-address", address, farm)
    lines["full"] = line("full-piece-sharded-cache", f"path={machine.folder}/roll-full")
    lines["plot-server"] = line("plot-server", "--listen-port", free_port(), machine.folder / "roll-base")

    running = {name: machine.start(*words, name=name) for name, words in lines.items() if name.startswith("node")}
    time.sleep(1)
    running.update({name: machine.start(*words, name=name) for name, words in lines.items() if name not in running})
    wait_for(lambda: machine.stats()["sectors_plotted"] == 2, 30)
    return {"urls": urls, "nats": nats, "start_nats": start_nats, "lines": lines, "running": running}


def watch(urls: list):
    """Start the watcher."""
    servers = [word for url in urls for word in ("--nats-server", url)]
    return subprocess.Popen([sys.executable, FAKES / "farm_stats.py", *servers, "--watch", "300", "--json"], stdout=subprocess.PIPE, text=True)


def verdict(watcher) -> dict:
    """End the watcher and return what it says."""
    time.sleep(6)  # the time of the last slots must be over
    watcher.send_signal(signal.SIGINT)
    return json.loads(watcher.communicate(timeout=10)[0])


def test_one_at_a_time_loses_no_slot(machine, doubled):
    running, lines = doubled["running"], doubled["lines"]
    watcher = watch(doubled["urls"])
    time.sleep(2)
    for index, server in enumerate(doubled["nats"]):
        stop(server)
        doubled["nats"][index] = doubled["start_nats"](index)
        time.sleep(2)
    for name in ("node-0", "controller-0", "proof-server-0", "plot-client-0", "plot-client-1"):
        # A controller ends by itself, with status 0, when its node goes.
        assert running[name].wait() == 0 if name.startswith("controller") else stop(running[name]) == 0
        running[name] = machine.start(*lines[name], name=name)
        time.sleep(2)
    result = verdict(watcher)
    assert result["slots"] > 15
    assert result["missed"] == []
    assert max(result["longest_silence_s"].values()) < 8

    watcher = watch(doubled["urls"])
    time.sleep(2)
    for index in range(2):
        stop(running[f"proof-server-{index}"])
    time.sleep(6)
    for index in range(2):
        machine.start(*lines[f"proof-server-{index}"])
    time.sleep(2)
    result = verdict(watcher)
    assert 1 <= result["slots_missed"] <= 6
    assert min(result["longest_silence_s"].values()) > 4
