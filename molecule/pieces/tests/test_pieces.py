# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The utilities, and the way of the pieces from a node's history to the caches. The tests tell one story, in order."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
PREFIX = os.environ.get("TEST_HOSTS_PREFIX", "molecule-")
NETWORK = os.environ.get("TEST_HOSTS_NETWORK", "10.213.8")
NATS = f"nats://{NETWORK}.11:4222"
ADDRESSES = {"plotter-1": f"{NETWORK}.21", "plotter-2": f"{NETWORK}.22"}
EXPORT = "/var/autonomys-export/full-cache-tmp"
USED, NEW = "/var/autonomys-full-piece", "/var/autonomys-exported-pieces"
PIECES = 8
# The fakes' history is eight pieces, not the 256 of a segment.
EXPORTING = ("-e", "export_pieces_expected_mib=8", "-e", "export_pieces_interval=2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the operator stands: results are kept there."""
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="module")
def start(folder):
    """Start a playbook as an operator does."""

    def run(name, *options, inventories=()):
        environment = dict(
            os.environ,
            ANSIBLE_CONFIG=str(REPOSITORY / "ansible.cfg"),
            TEST_HOSTS_PREFIX=PREFIX,
            TEST_HOSTS_NETWORK=NETWORK,
        )
        environment.update(
            ANSIBLE_VERBOSE_TO_STDERR="false",
            ANSIBLE_COLLECTIONS_PATH=str(REPOSITORY / ".ansible/collections"),
            COLUMNS="120",
        )
        command = [str(Path(sys.executable).with_name("ansible-playbook"))]
        for inventory in (REPOSITORY / "molecule/pieces/inventory", *inventories):
            command += ["-i", str(inventory)]
        command += [*options, f"autonomys.cluster.{name}"]
        log = (folder / "output").open("w+")
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        process.log = log
        return process

    return run


@pytest.fixture(scope="module")
def play(start):
    """Run a playbook to its end; its output, as one line."""

    def run(name, *options, fails=False, **more):
        process = start(name, *options, **more)
        status = process.wait(timeout=500)
        output = read(process)
        assert (status != 0) == fails, output[-6000:]
        # YAML folds long messages.
        return re.sub(r"\s+", " ", output)

    return run


@pytest.fixture(scope="module")
def inventory(folder):
    """What the operator adds to the inventory: another folder for the full-piece caches."""
    path = folder / "new-folder.yml"
    path.write_text(f"all: {{vars: {{caches_full_piece_path: {NEW}}}}}\n")
    return path


@pytest.fixture
def switch(server):
    """Turn faults of the fakes on; they are off again afterwards."""
    touched = []

    def turn(name, component, **faults):
        server(name).run(
            f"mkdir -p /run/autonomys-fakes && echo '{json.dumps(faults)}' >/run/autonomys-fakes/{component}.json"
        )
        touched.append((name, component))
        time.sleep(1.5)  # they are read once a second

    yield turn
    for name, component in touched:
        server(name).run(f"rm -f /run/autonomys-fakes/{component}.json")


def read(process):
    process.log.seek(0)
    return process.log.read()


def wait_for(process, pattern):
    """Until a running playbook says something."""
    deadline = time.monotonic() + 300
    while not re.search(pattern, read(process)):
        assert time.monotonic() < deadline and process.poll() is None, read(process)
        time.sleep(0.2)


def changed(output):
    """Number of changed tasks over all hosts, from the recap."""
    return sum(int(count) for count in re.findall(r"changed=(\d+)", output))


def processes(component):
    """What the fakes of a component tell of themselves."""
    command = [sys.executable, str(REPOSITORY / "tests/fakes/farm_stats.py"), "--json", "--nats-server", NATS]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return [item for item in answer["processes"] if item["component"] == component]


def runs(folder, job):
    return [json.loads((path / "run.json").read_text()) for path in sorted((folder / "results" / job).iterdir())]


def served(address, port, index):
    """Digest of a piece as a cache sends it."""
    with socket.create_connection((address, port), timeout=10) as connection, connection.makefile("rwb") as stream:
        stream.write(b"%d\n" % index)
        stream.flush()
        length = int.from_bytes(stream.read(8), "big", signed=True)
        return hashlib.sha256(stream.read(length)).hexdigest()


def digests(host, path):
    """File name to digest."""
    return dict(reversed(line.split()) for line in host.run(f"cd {path} && sha256sum *.piece").splitlines())


# --- reinitialize_cache -----------------------------------------------------------------------------------------------


def test_nothing_is_reinitialized_without_the_confirmation(play):
    output = play("reinitialize_cache", fails=True)
    assert "This makes the whole cluster reinitialize" in output
    assert "run the same command with -e reinitialize_cache_confirm=true" in output


def test_check_mode_says_what_would_run(play, version):
    output = play("reinitialize_cache", "--check", "-e", "reinitialize_cache_delay=7")
    wanted = f"/opt/autonomys/releases/{version}/autonomys-farmer util reinitialization-cache"
    wanted += f" --nats-servers {NATS} --delay 7"
    assert f"autonomys-reinitialize-cache: would run: {wanted}" in output
    assert all("reinitialized" not in process["counters"] for process in processes("sharded-cache"))


def reinitialized(component):
    """How often the caches of a kind did it."""
    return [process["counters"].get("reinitialized") for process in processes(component)]


def test_all_caches_reinitialize_once_and_the_operator_sees_it(play, until):
    output = play("reinitialize_cache", "-e", "reinitialize_cache_confirm=true", "-e", "reinitialize_cache_delay=1")
    assert "The entire cluster will be reinitialized after 1 seconds" in output
    assert output.count("Reinitializing") >= 4
    for component in ("sharded-cache", "full-piece-sharded-cache"):
        assert until(lambda component=component: reinitialized(component) == [1, 1]), reinitialized(component)


def test_an_unhealthy_cluster_is_left_alone(play, server, until):
    server("plotter-2").run("supervisorctl stop autonomys-sharded-cache")
    output = play("reinitialize_cache", "-e", "reinitialize_cache_confirm=true", fails=True)
    assert re.search("caches is not healthy after .*autonomys-sharded-cache", output)
    server("plotter-2").run("supervisorctl start autonomys-sharded-cache")
    assert until(lambda: reinitialized("full-piece-sharded-cache") == [1, 1]), reinitialized("full-piece-sharded-cache")


# --- benchmark_cache --------------------------------------------------------------------------------------------------


def test_a_kind_of_items_that_does_not_exist_is_refused(play, folder):
    output = play("benchmark_cache", "-e", "benchmark_cache_item_type=whole-piece", fails=True)
    assert "value of benchmark_cache_item_type must be one of: split-parity-piece, got: whole-piece" in output
    assert not (folder / "results").exists()


def test_a_long_run_shows_progress_survives_its_terminal_and_is_taken_up_again(start, play, folder, server, switch):
    switch("node-1", "sharded-cache-benchmark", seconds_per_sector=10)
    options = ("-e", "benchmark_cache_sectors=32", "-e", "benchmark_cache_interval=2")
    process = start("benchmark_cache", *options)
    wait_for(process, r"autonomys-benchmark-cache: 0:\d\d:\d\d")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # Another one is refused, the same one attaches.
    output = play("benchmark_cache", "-e", "benchmark_cache_sectors=2", fails=True)
    assert re.search(
        r"autonomys-benchmark-cache runs already with other arguments \(since .*\). Wait for its end, or stop it on",
        output,
    )
    process = start("benchmark_cache", *options)
    wait_for(process, "autonomys-benchmark-cache: runs already, since .*; attached to it")
    server("node-1").run("rm /run/autonomys-fakes/sharded-cache-benchmark.json")
    assert process.wait(timeout=300) == 0
    assert "epoch 1: 32/32 sectors" in read(process)
    [run] = runs(folder, "autonomys-benchmark-cache")
    assert (run["exit_status"], run["host"], run["state"]) == (0, "node-1", "succeeded")
    assert run["wall_s"] > 5
    [kept] = (folder / "results/autonomys-benchmark-cache").iterdir()
    assert "INFO fake: Exiting" in (kept / "output.log").read_text()
    assert "autonomys" not in server("node-1").run("systemctl list-units --all --plain --no-legend 'autonomys-*'")


def test_a_second_run_is_compared_with_the_last_one(play, folder):
    output = play("benchmark_cache", "-e", "benchmark_cache_sectors=32")
    assert re.search(
        r"Last run, \S+Z on node-1 with the same arguments: ended with exit status 0 after 0:00:\d\d", output
    )
    assert re.search(r"Wall time: [\d.]+ s now, [\d.]+ s then \(-", output)
    assert len(runs(folder, "autonomys-benchmark-cache")) == 2


def test_without_nats_the_program_s_own_words_are_shown_and_kept(play, server, folder):
    server("node-1").run("supervisorctl stop nats-server")
    output = play("benchmark_cache", fails=True)
    server("node-1").run("supervisorctl start nats-server")
    assert "autonomys-benchmark-cache ended with exit status 1" in output
    assert f"Failed to connect to NATS server: none of {NATS} answers" in output
    assert "run the same command again" in output
    assert runs(folder, "autonomys-benchmark-cache")[-1]["exit_status"] == 1


# --- verify_pieces ----------------------------------------------------------------------------------------------------


def test_the_pieces_of_all_caches_are_checked(play, folder, until):
    for component in ("sharded-cache", "full-piece-sharded-cache"):
        assert until(lambda component=component: len(processes(component)) == 2)
    assert "8/8 pieces are valid" in play("verify_pieces")
    [kept] = (folder / "results/autonomys-verify-pieces").iterdir()
    assert (kept / "output.log").read_text().count("8/8 pieces are valid") == 4
    [run] = runs(folder, "autonomys-verify-pieces")
    assert run["command"][1:] == ["util", "verify-piece", "--nats-server", NATS]


def test_damaged_pieces_are_a_failure_with_a_way_on(play, folder, switch):
    switch("plotter-2", "sharded-cache", corrupt_pieces=True)
    output = play("verify_pieces", fails=True)
    assert "8 pieces are missing or damaged" in output
    assert "fetch them again with reinitialize_cache.yml" in output
    assert [run["exit_status"] for run in runs(folder, "autonomys-verify-pieces")] == [0, 1]


# --- export_pieces ----------------------------------------------------------------------------------------------------


def untouched(server):
    """Nothing of an export is on the plotters, and their caches run with the folder that they had."""
    for name in ADDRESSES:
        assert server(name).host.run(f"ls -d {NEW}*").stdout == ""
        assert server(name).command("autonomys-full-piece")[-1] == f"path={USED}"


def test_a_folder_that_a_cache_uses_is_refused(play, server):
    output = play("export_pieces", *EXPORTING, fails=True)
    assert (
        f"{USED}, which the inventory names in caches_full_piece_path, is not empty on plotter-1, and nothing that a "
        "cache may use is" in output
    )
    assert re.search(rf"caches_full_piece_path: {USED}-\d{{8}} in group_vars/caches.yml, do not run site.yml", output)
    assert not server("node-1").host.file(EXPORT).exists
    untouched(server)


def test_a_node_without_its_whole_history_is_refused(play, server, switch, inventory):
    # Preflight sees that the database was made with other pruning. An operator who accepts that learns what is needed.
    pruned = {"node_blocks_pruning": "256", "cluster_accept": ["HOST005", "INV001", "NATS002", "NODE005", "NODE008"]}
    output = play("export_pieces", *EXPORTING, "-e", json.dumps(pruned), fails=True, inventories=[inventory])
    assert "The inventory lets no node run with --sync full and archive pruning" in output
    switch("node-1", "node", pruned=True, syncing=True)
    output = play("export_pieces", *EXPORTING, fails=True, inventories=[inventory])
    assert "is still syncing (block" in output
    assert (
        "does not have the first block of the chain (any more), as a node with --sync full and archive pruning has"
        in output
    )
    assert not server("node-1").host.file(EXPORT).exists
    untouched(server)


def test_a_disk_without_room_and_a_missing_program_are_refused(play, server, inventory):
    output = play(
        "export_pieces",
        "-e",
        "export_pieces_expected_mib=100000000",
        "-e",
        "cluster_version=v0",
        fails=True,
        inventories=[inventory],
    )
    assert (
        "/opt/autonomys/releases/v0/autonomys-export-piece is not installed: name autonomys-export-piece in "
        "cluster_binaries and run site" in output
    )
    assert re.search("the export takes about [0-9.]+ TB more and 10240 MiB must stay free, but .* has only", output)
    untouched(server)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"disk_full_after": 3}, "Failed to write pieces: .*No space left on device"),
        ({"killed_after": 5}, "autonomys-export-pieces was killed by SIGKILL"),
    ],
    ids=["disk full", "killed"],
)
def test_an_export_that_breaks_off_moves_nothing_and_keeps_what_it_has(
    play, server, switch, inventory, fault, sentence
):
    switch("node-1", "export-piece", **fault)
    output = play("export_pieces", *EXPORTING, fails=True, inventories=[inventory])
    assert re.search(sentence, output)
    assert (
        "the plotters and their caches were not touched. Fix the cause and run the same command again: the exporter "
        "goes on in that folder" in output
    )
    assert len(digests(server("node-1"), EXPORT)) == next(iter(fault.values()))
    untouched(server)


def test_the_next_run_goes_on_and_brings_the_pieces_to_the_caches(play, server, switch, inventory):
    first = server("node-1").run(f"stat -c '%n %Y %i' {EXPORT}/0000000[0-4].piece")
    # A copy that broke off left half of them on a plotter, one of them damaged.
    arriving = f"{NEW}.incoming/pieces"
    server("plotter-1").run(
        f"mkdir -p {arriving} && cp {USED}/0000000[0-3].piece {arriving}/ && chown -R autonomys: {NEW}.incoming"
    )
    server("plotter-1").run(f"printf damaged | dd of={arriving}/00000002.piece bs=1 seek=99 conv=notrunc status=none")
    sharded = {name: server(name).pid("autonomys-sharded-cache") for name in ADDRESSES}
    switch("node-1", "export-piece", seconds_per_piece=4)
    output = play("export_pieces", *EXPORTING, "-e", "export_pieces_bandwidth_mbit=100", inventories=[inventory])
    assert server("node-1").run(f"stat -c '%n %Y %i' {EXPORT}/0000000[0-4].piece") == first
    assert re.search(
        r"autonomys-export-pieces: 0:00:\d\d, [5-8]\.\d MiB of about 8.0 MiB, [\d.]+ KiB/s, about 0:00:\d\d left",
        output,
    )
    assert "8 files, 8389376 bytes, of which 8389376 came now; every block has its digest" in output  # plotter-2
    assert "8 files, 8389376 bytes, of which 5243360 came now; every block has its digest" in output  # plotter-1
    assert output.count("8 of 8 files have the digests of the export") == 2
    assert "8/8 pieces are valid" in output
    exported = digests(server("node-1"), EXPORT)
    assert len(exported) == PIECES
    for name, address in ADDRESSES.items():
        host = server(name)
        assert host.command("autonomys-full-piece")[-1] == f"path={NEW}"
        assert host.pid("autonomys-sharded-cache") == sharded[name]
        assert digests(host, NEW) == exported
        assert host.user("autonomys-full-piece") == host.host.file(NEW).user == "autonomys"
        # What came is what the cache took, and what it sends.
        assert host.host.file(f"{NEW}.incoming").exists is False
        [port] = host.listening("autonomys-full-piece")
        assert [served(address, port, index) for index in range(PIECES)] == [
            exported[f"{index:08d}.piece"] for index in range(PIECES)
        ]
        assert digests(host, USED) == exported  # the way back
    for process in processes("full-piece-sharded-cache"):
        assert (process["counters"]["pieces_found"], process["counters"].get("pieces_fetched", 0)) == (PIECES, 0)
    assert "autonomys" not in server("node-1").run("systemctl list-units --all --plain --no-legend 'autonomys-*'")


def test_a_second_run_exports_copies_and_restarts_nothing(play, server, inventory):
    before = {name: server(name).pids() for name in ADDRESSES}
    output = play("export_pieces", *EXPORTING, inventories=[inventory])
    assert "autonomys-export-pieces: started" not in output
    assert "autonomys-fetch-pieces: started" not in output
    assert {name: server(name).pids() for name in ADDRESSES} == before


def test_site_has_nothing_left_to_do(play, inventory):
    """The inventory says where the pieces are, so a later run of site.yml leaves the caches alone."""
    assert changed(play("site", inventories=[inventory])) == 0
