# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches, packing, counting."""

from __future__ import annotations

import json
import subprocess
import tarfile
import types
import zipfile

import farm_stats
import pack
import pytest
from autonomys_fakes import VERSION, chain
from autonomys_fakes.node import Node, open_database
from autonomys_fakes.pieces import PieceFolder
from autonomys_fakes.plot_client import Farm
from autonomys_fakes.process import Fatal, Switches

GENESIS = chain.genesis_hash("mainnet")


def test_switches_follow_their_files(tmp_path):
    switches = Switches("plot-server", "autonomys-plot-server-0", str(tmp_path))
    assert switches.get("widen_mask") is None
    (tmp_path / "plot-server.json").write_text('{"widen_mask": true, "drop_gpu": true}')
    (tmp_path / "autonomys-plot-server-0.json").write_text('{"widen_mask": false}')
    switches.refresh()
    assert switches.get("widen_mask") is False
    assert switches.get("drop_gpu") is True
    (tmp_path / "plot-server.json").write_text("not JSON")
    switches.refresh()
    assert switches.get("drop_gpu") is None
    (tmp_path / "autonomys-plot-server-0.json").unlink()
    switches.refresh()
    assert switches.get("widen_mask") is None


@pytest.mark.parametrize(("version", "expected"), [(VERSION, True), ("v9.9.9", None)])
def test_switches_for_one_version(tmp_path, version, expected):
    (tmp_path / "node.json").write_text(json.dumps({"crash_at_start": True, "only_version": version}))
    assert Switches("node", "node", str(tmp_path)).get("crash_at_start") is expected


class Arguments:
    """Stands for a node's command line."""

    chain = "mainnet"
    sync = "full"
    blocks_pruning = "archive"
    state_pruning = None
    rpc_max_connections = 100


@pytest.mark.parametrize(
    ("sync", "pruning", "pruned", "there"),
    [
        ("full", "archive", False, True),
        ("full", "archive", True, False),
        ("snap", "archive", False, False),
        ("full", "256", False, False),
    ],
)
def test_only_an_archive_has_the_first_block(tmp_path, sync, pruning, pruned, there):
    arguments = Arguments()
    arguments.sync, arguments.blocks_pruning = sync, pruning
    node = Node(types.SimpleNamespace(switches={"pruned": pruned}, describe=dict), arguments)
    node._database = open_database(str(tmp_path), arguments)
    assert (node._block([]) is not None) is there


def test_database_remembers(tmp_path):
    arguments = Arguments()
    assert open_database(str(tmp_path), arguments)["blocks_pruning"] == "archive"
    arguments.blocks_pruning = None
    assert open_database(str(tmp_path), arguments)["blocks_pruning"] == "archive"
    arguments.state_pruning = "archive"
    with pytest.raises(Fatal, match="Incompatible pruning modes of state pruning"):
        open_database(str(tmp_path), arguments)
    arguments.state_pruning, arguments.chain = None, "taurus"
    with pytest.raises(Fatal, match="Genesis hash"):
        open_database(str(tmp_path), arguments)


def test_piece_folder(tmp_path):
    folder = PieceFolder(str(tmp_path / "new" / "folder"))
    assert folder.read(0) is None
    folder.write(0, chain.make_piece(GENESIS, 0))
    assert folder.valid(GENESIS, 0)
    assert not folder.valid(GENESIS, 1)
    folder.remove(0)
    folder.remove(0)
    assert folder.read(0) is None


def test_farm(tmp_path):
    path = str(tmp_path / "created")
    sector = chain.encode_sector(chain.make_piece(GENESIS, 0), "x", 0)
    farm = Farm(path, 2, GENESIS)
    assert farm.plotted == 0
    assert (tmp_path / "created" / "plot.bin").stat().st_size == chain.plot_file_size(2)
    assert (tmp_path / "created" / "metadata.bin").stat().st_size == chain.metadata_file_size(2)
    farm.write(0, sector)
    with pytest.raises(Fatal, match="already in use"):
        Farm(path, 2, GENESIS)
    identity = (tmp_path / "created" / "identity.bin").read_bytes()
    farm.close()

    with pytest.raises(Fatal, match="different chain"):
        Farm(path, 2, chain.genesis_hash("taurus"))
    farm = Farm(path, 3, GENESIS)
    assert farm.plotted == 1
    assert farm.read(0) == sector
    farm.write(0, sector)
    with pytest.raises(OSError, match="damaged"):
        farm.read(2)
    farm.close()
    assert (tmp_path / "created" / "identity.bin").read_bytes() == identity

    farm = Farm(path, 1, GENESIS)  # fewer sectors: lost without a word
    assert farm.plotted == 1
    farm.close()


def test_archives_are_reproducible_and_run(tmp_path):
    files = pack.program_files("autonomys-export-piece", "v1.2.3")
    first = pack.executable_archive(files)
    assert first == pack.executable_archive(dict(reversed(files.items())))
    program = tmp_path / "autonomys-export-piece"
    pack.write(program, first, 0o755)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == "autonomys-export-piece v1.2.3\n"
    with zipfile.ZipFile(program) as archive:
        assert "autonomys_fakes/chain.pyc" in archive.namelist()


def test_nats_archive(tmp_path):
    content = pack.nats_archive(b"binary", "nats-server-v1.2.3-linux-amd64")
    assert content == pack.nats_archive(b"binary", "nats-server-v1.2.3-linux-amd64")
    (tmp_path / "archive").write_bytes(content)
    with tarfile.open(tmp_path / "archive") as archive:
        assert archive.getnames() == ["nats-server-v1.2.3-linux-amd64/nats-server"]
        assert archive.getmembers()[0].mode == 0o755


def test_watch_judges_the_cluster_and_each_client():
    first = chain.slot_at(1_800_000_000)
    watch = farm_stats.Watch(chain.slot_time(first))
    for slot in range(first + 1, first + 11):
        now = chain.slot_time(slot) + 0.1
        if slot % 2:
            watch.add({"slot": slot, "host": "storage-1", "program": "c", "solved": True}, now)
            watch.add({"slot": slot, "host": "storage-1", "program": "c", "solved": True}, now + 0.2)
        elif slot != first + 4:
            watch.add({"slot": slot, "host": "storage-2", "program": "c", "solved": False}, now)
    result = watch.result(chain.slot_time(first + 15) + 0.1)
    assert result["slots"] == 10
    assert result["missed"] == [first + 4]
    assert result["solutions_accepted"] == 5
    assert set(result["longest_silence_s"]) == {"storage-1/c", "storage-2/c"}


def test_summary_sums_over_plot_clients():
    def process(component, **counters):
        return {"component": component, "program": component, "host": "h", "pid": 1, "counters": counters}

    result = farm_stats.summarize(
        [
            process("plot-client", slots_seen=3),
            process("plot-client", slots_seen=4),
            process("controller", slots_seen=9),
        ]
    )
    assert result["slots_seen"] == 7
    assert result["components"] == {"controller": 1, "plot-client": 2}
