# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fakes farm: the whole cluster runs, and each fault switch does what it says. Tests run in this order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import CPU, GPUS, open_files, stop, wait_for

COMPONENTS = {
    "controller": 1,
    "full-piece-sharded-cache": 1,
    "plot-client": 1,
    "plot-server": 2,
    "proof-server": 1,
    "sharded-cache": 1,
}


def masks(process) -> dict:
    """Return the mask of every thread."""
    threads = [int(entry.name) for entry in Path(f"/proc/{process.pid}/task").iterdir()]
    return {thread: os.sched_getaffinity(thread) for thread in threads}


def test_sectors_are_plotted_and_slots_answered(machine, farm):
    def complete(stats):
        return stats["sectors_plotted"] == 6 and stats["solutions_accepted"] and stats["components"] == COMPONENTS

    done = wait_for(lambda: complete(stats := machine.stats()) and stats)
    assert done["slots_missed"] == 0
    counters = machine.rpc("fake_statistics")["result"]["counters"]
    assert counters["solutions_accepted"] > 0
    assert "solutions_rejected" not in counters


def test_farm_files_stay_open(machine, farm):
    links = open_files(farm["plot-client"])
    for index in range(2):
        for name in ("plot.bin", "metadata.bin", "identity.bin", "single_disk_farm.json"):
            assert f"{machine.folder}/farm-{index}/{name}" in links


def test_processes_are_small(farm):
    for name, process in farm.items():
        if name != "nats":
            status = Path(f"/proc/{process.pid}/status").read_text()
            resident_kib = int(status.split("VmRSS:")[1].split()[0])
            assert resident_kib < 48 * 1024, name


def test_gpus_are_held(machine, farm):
    answer = machine.run("nvidia-smi", "--query-compute-apps=pid,gpu_uuid", "--format=csv,noheader").stdout
    holders = {tuple(line.split(", ")) for line in answer.splitlines()}
    assert (str(farm["proof-server"].pid), GPUS[0]["uuid"]) in holders
    assert (str(farm["plot-server-1"].pid), GPUS[1]["uuid"]) in holders
    machine.switch("plot-server", drop_gpu=True)
    wait_for(lambda: str(farm["plot-server-1"].pid) not in machine.run("nvidia-smi", *_apps()).stdout)
    machine.switch("plot-server")
    wait_for(lambda: str(farm["plot-server-1"].pid) in machine.run("nvidia-smi", *_apps()).stdout)


def _apps() -> list:
    return ["--query-compute-apps=pid,gpu_uuid", "--format=csv,noheader"]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a mask can only be widened with two CPUs")
def test_widened_mask(machine, farm):
    process = farm["plot-server-0"]
    before = masks(process)
    assert len(before) > 4
    assert all(mask == {CPU} for mask in before.values())
    machine.switch("plot-server", widen_mask=True)
    wait_for(lambda: any(len(mask) > 1 for mask in masks(process).values()))
    assert masks(process)[process.pid] == {CPU}
    machine.switch("plot-server")
    wait_for(lambda: all(mask == {CPU} for mask in masks(process).values()))


def test_utilities(machine, farm):
    verify = [machine.farmer, "util", "verify-piece", "--nats-server", machine.nats_url]

    def verified(status, sentence, count):
        done = machine.run(*verify)
        return done.returncode == status and done.stdout.count(sentence) == count

    wait_for(lambda: verified(0, "8/8 pieces are valid", 2))
    machine.switch("sharded-cache", corrupt_pieces=True)
    wait_for(lambda: verified(1, "8 pieces are missing or damaged", 1))
    machine.switch("sharded-cache")
    wait_for(lambda: verified(0, "8/8 pieces are valid", 2))

    servers = ["--nats-servers", machine.nats_url]
    item = ["--cache-item-type", "split-parity-piece"]
    done = machine.run(
        machine.farmer, "util", "sharded-cache-benchmark", *servers, "--sectors", 40, "--epoch", 2, *item
    )
    assert done.returncode == 0
    assert "epoch 2: 40/40 sectors" in done.stdout
    assert machine.run(machine.farmer, "util", "reinitialization-cache", *servers, "--delay", 0).returncode == 0
    wait_for(lambda: machine.log("sharded-cache").count("Cache is complete") == 2)


def test_plot_client_restarts_with_its_sectors(machine, farm):
    second = machine.run(*machine.client_line(machine.farm_arguments[0]))
    assert second.returncode == 1
    assert "likely already in use" in second.stdout
    assert stop(farm["plot-client"]) == 0
    farm["plot-client"] = machine.start(*machine.client_line(*machine.farm_arguments), name="plot-client")
    wait_for(lambda: "farm-1/: 3 of 3 sectors" in machine.log("plot-client"))


def test_farm_that_cannot_be_opened_ends_the_process(machine, farm):
    (machine.folder / "a-file").touch()
    unusable = machine.run(*machine.client_line(f"path={machine.folder}/a-file,sectors=1"))
    # A limit on the size of files stands for a disk that is too small.
    too_big = machine.run(
        "bash", "-c", 'ulimit -f 4096; exec "$@"', "-", *machine.client_line(f"path={machine.folder}/big,sectors=9")
    )
    for done in (unusable, too_big):
        assert done.returncode == 1
        assert "Failed to open farm" in done.stdout


def test_farm_that_fails_while_running_only_logs(machine, farm):
    machine.switch("plot-client", fail_farms=[f"{machine.folder}/farm-1"])
    wait_for(lambda: "farm-1/ failed" in machine.log("plot-client"))
    wait_for(lambda: not [link for link in open_files(farm["plot-client"]) if "farm-1" in link])
    machine.switch("plot-client")
    before = machine.stats()["solutions_accepted"]
    wait_for(lambda: machine.stats()["solutions_accepted"] > before)


def test_nats_restart(machine, farm):
    stop(farm["nats"], signal.SIGKILL)
    time.sleep(2)
    farm["nats"] = machine.start_nats()
    wait_for(lambda: len(machine.stats()["processes"]) == 7)
    before = machine.stats()["solutions_accepted"]
    wait_for(lambda: machine.stats()["solutions_accepted"] > before)
    assert all(process.poll() is None for process in farm.values())


def test_silence_is_counted_as_missed(machine, farm):
    stop(farm["proof-server"])
    before = machine.stats()["slots_missed"]
    wait_for(lambda: machine.stats()["slots_missed"] > before)
    farm["proof-server"] = machine.start(*machine.cluster("proof-server"), name="proof-server")


def test_node_switches(machine, farm):
    machine.switch("node", peers=0, syncing=True)
    wait_for(lambda: machine.rpc("system_health")["result"] == {"peers": 0, "isSyncing": True, "shouldHavePeers": True})
    state = machine.rpc("system_syncState")["result"]
    assert state["currentBlock"] < state["highestBlock"]
    assert machine.rpc("subspace_getFarmerAppInfo")["result"]["syncing"] is True
    assert (machine.status("/health"), machine.status("/health/readiness")) == (200, 500)
    machine.switch("node")
    wait_for(lambda: machine.rpc("system_health")["result"]["peers"] == 12)


@pytest.mark.parametrize("rpc", ["closed", "silent"])
def test_controller_ends_with_status_0_when_its_node_is_lost(machine, farm, rpc):
    machine.switch("node", rpc=rpc)
    assert farm["controller"].wait(60) == 0
    assert not machine.rpc_answers()
    failed = machine.run(*machine.cluster(*machine.controller_line))
    assert failed.returncode == 1
    assert "Failed to connect to node" in failed.stdout
    machine.switch("node")
    wait_for(machine.rpc_answers)
    farm["controller"] = machine.start(*machine.cluster(*machine.controller_line), name="controller")
    wait_for(lambda: "controller" in machine.stats()["components"])


def test_controller_loses_its_node_by_its_own_switch(machine, farm):
    machine.switch("controller", lose_node=True)
    assert farm["controller"].wait(60) == 0
    machine.switch("controller")


def test_all_end_with_status_0(machine, farm):
    farm.pop("controller")
    nats = farm.pop("nats")
    machine.switch("plot-server", hang_at_stop=True)
    hanging = farm.pop("plot-server-0")
    with pytest.raises(subprocess.TimeoutExpired):
        stop(hanging, seconds=3)
    hanging.kill()
    machine.switch("plot-server")
    assert {name: stop(process) for name, process in farm.items()} == dict.fromkeys(farm, 0)
    assert not list((machine.folder / "full").glob("*.piece"))  # --tmp
    assert len(list((machine.folder / "sharded").glob("*.piece"))) == 8
    assert stop(nats, signal.SIGINT) in (0, 1)
