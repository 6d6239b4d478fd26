# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tutorial's cluster as an operator sees it: processes, ports, files, NATS, RPC, and that it farms."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
NODES = ("node-1", "node-2", "node-3")
PLOTTERS = ("plotter-1", "plotter-2")
STORAGES = ("storage-1", "storage-2")
MOUNTS = ("/mnt/nvme0n1", "/mnt/nvme0n2", "/mnt/nvme1n1", "/mnt/nvme1n2")
NATS = tuple(f"{os.environ.get('TEST_HOSTS_NETWORK', '10.213.8')}.1{number}:4222" for number in (1, 2, 3))
PROGRAMS = {
    **{name: {"nats-server", "autonomys-node", "autonomys-controller", "autonomys-proof-server"} for name in NODES},
    **{
        name: {
            "autonomys-sharded-cache",
            "autonomys-full-piece",
            *(f"autonomys-plot-server-{slot}" for slot in range(4)),
        }
        for name in PLOTTERS
    },
    **{name: {"autonomys-plot-client"} for name in STORAGES},
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_runs_as_the_service_user(server, name):
    host = server(name)
    assert host.programs() == dict.fromkeys(PROGRAMS[name], "RUNNING")
    assert {host.user(program) for program in PROGRAMS[name]} == {"autonomys"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_component_is_connected_to_nats_servers_of_the_cluster(server, until, name):
    host = server(name)
    for program in PROGRAMS[name] - {"nats-server", "autonomys-node"}:
        servers = [word for word in host.command(program) if word.startswith("nats://")]
        assert servers == [f"nats://{address}" for address in NATS]
        assert until(lambda wanted=program: set(NATS) & host.connections(wanted)), program


@pytest.mark.parametrize("name", NODES)
def test_nats_server_has_its_peers_and_settings(server, name):
    host = server(name)
    page = host.http("http://127.0.0.1:8222/varz")
    assert (page["server_name"], page["max_payload"]) == (name, 3 * 1024**2)
    assert page["jetstream"]["config"]["max_storage"] == 1024**3
    routes = {route["remote_name"] for route in host.http("http://127.0.0.1:8222/routez")["routes"]}
    assert routes == set(NODES) - {name}
    assert host.http("http://127.0.0.1:8222/healthz") == {"status": "ok"}
    assert {4222, 4248, 8222} <= host.listening("nats-server")


def test_nats_has_one_meta_leader_and_all_replicas_current(server, until):
    def replicas_of(pages):
        return [replica for page in pages for replica in page.get("replicas") or []]

    def settled():
        """All servers' pages, at a moment at which a leader tells of replicas and all of them are current."""
        pages = [server(name).http("http://127.0.0.1:8222/jsz")["meta_cluster"] for name in NODES]
        replicas = replicas_of(pages)
        return replicas and all(replica["current"] and not replica.get("offline") for replica in replicas) and pages

    pages = until(settled)
    assert pages
    assert {page["leader"] for page in pages} <= set(NODES)
    assert len({page["leader"] for page in pages}) == 1
    assert {page["cluster_size"] for page in pages} == {3}
    assert {replica["name"] for replica in replicas_of(pages)} == set(NODES) - {pages[0]["leader"]}


@pytest.mark.parametrize("name", NODES)
def test_node_answers_and_serves_the_controller_of_its_host(server, until, name):
    host = server(name)
    assert host.rpc("http://127.0.0.1:9944", "system_chain") == "Autonomys Mainnet"
    assert host.rpc("http://127.0.0.1:9944", "system_health")["isSyncing"] is False
    address = host.command("autonomys-controller")[-1]
    assert address == f"ws://{host.address}:9944"
    assert until(lambda: address[len("ws://") :] in host.connections("autonomys-controller"))


@pytest.mark.parametrize("name", PLOTTERS)
def test_plot_servers_are_bound_to_their_gpus_and_cores(server, name):
    host = server(name)
    gpus = re.findall(r"UUID: (\S+)\)", host.run("nvidia-smi -L"))
    holders = dict(
        reversed(line.split(", "))
        for line in host.run("nvidia-smi --query-compute-apps=pid,gpu_uuid --format=csv,noheader").splitlines()
    )
    assert set(holders) == set(gpus)
    for slot, gpu in enumerate(gpus):
        program = f"autonomys-plot-server-{slot}"
        words = host.definition(program)["command"].split()
        assert (words[0].rpartition("/")[2], words[1], words[3]) == ("numactl", "-C", "-l")
        assert host.masks(program) == {words[2]}
        assert int(holders[gpu]) == host.pid(program)
        assert 9966 + slot in host.listening(program)


@pytest.mark.parametrize("name", STORAGES)
def test_every_farm_lies_on_its_own_disk(server, name):
    host = server(name)
    files = host.open_files("autonomys-plot-client")
    for mount in MOUNTS:
        assert host.host.mount_point(mount).exists
        assert host.host.mount_point(mount).filesystem == "ext4"
        assert f"{mount}/plot.bin" in files
        assert f"{mount}/metadata.bin" in files
    assert "path=/mnt/nvme1n2,sectors=20" in host.command("autonomys-plot-client")


@pytest.mark.parametrize("name", PROGRAMS)
def test_versions_lie_complete_in_their_folders(server, name):
    host = server(name)
    for program in PROGRAMS[name]:
        binary = host.host.file(host.command(program)[0])
        assert (binary.user, binary.mode & 0o022) == ("root", 0)
    assert host.host.service("supervisor").is_enabled


def test_the_cluster_farms(until):
    """Sectors are plotted and solutions accepted, more of them every few seconds."""
    before = until(lambda: (counts := counters())["sectors_plotted"] and counts)
    assert before
    assert until(lambda: counters()["solutions_accepted"] > before["solutions_accepted"])
    assert until(lambda: plotted(counters()) > plotted(before))


def plotted(counts):
    """Sectors plotted for the first time or again: a full farm replots."""
    return counts["sectors_plotted"] + counts["sectors_replotted"]


def counters():
    """What the fakes count, over both storage hosts."""
    command = [sys.executable, str(REPOSITORY / "tests/fakes/farm_stats.py"), "--json"]
    result = subprocess.run(
        [*command, "--nats-server", f"nats://{NATS[0]}"], capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout)


def test_any_killed_program_comes_back(server, until):
    for name in ("node-3", "plotter-2", "storage-2"):
        host = server(name)
        before = host.pids()
        host.run(f"kill -9 {' '.join(map(str, before.values()))}")
        assert until(
            lambda host=host, before=before: (
                host.pids().keys() == before.keys() and not set(host.pids().values()) & set(before.values())
            ),
            120,
        )
