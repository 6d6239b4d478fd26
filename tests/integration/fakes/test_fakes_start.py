# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fakes check when they start, and the export of pieces."""

from __future__ import annotations

import signal

import pytest

from .conftest import free_port, stop, wait_for


@pytest.fixture(scope="module")
def nats(machine):
    """A good NATS server."""
    return machine.start_nats()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("max_payload: 1MB\njetstream { store_dir: STORE }", "Max payload 1048576 is smaller than expected 2097152"),
        ("max_payload: 2M\njetstream { store_dir: STORE }", "Max payload 2000000 is smaller than expected 2097152"),
        ("max_payload: 2MB", "JetStream is not enabled"),
    ],
)
def test_nats_is_checked(machine, settings, sentence):
    port = free_port()
    server = machine.start_nats(port, settings)
    done = machine.run(*machine.cluster("proof-server", nats_url=f"nats://127.0.0.1:{port}"))
    stop(server)
    assert done.returncode == 1
    assert sentence in done.stdout


def test_no_nats(machine):
    done = machine.run(*machine.cluster("proof-server", nats_url=f"nats://127.0.0.1:{free_port()}"))
    assert done.returncode == 1
    assert "Failed to connect to NATS server" in done.stdout


def test_crash_at_start_for_one_version_only(machine, nats):
    machine.switch("proof-server", crash_at_start=True, only_version="v1.2.3")
    assert machine.run(*machine.cluster("proof-server")).returncode == 1
    machine.switch("proof-server", crash_at_start=True, only_version="v1.2.4")
    process = machine.start(*machine.cluster("proof-server"), name="other-version")
    wait_for(lambda: "is ready" in machine.log("other-version"))
    assert stop(process, signal.SIGINT) == 0
    machine.switch("proof-server")


def test_never_connect_looks_alive(machine, nats):
    machine.switch("proof-server", never_connect=True)
    process = machine.start(*machine.cluster("proof-server"), name="never")
    # It says so every two seconds, and does nothing else.
    wait_for(lambda: machine.log("never").count("Not connecting to NATS") >= 2)
    assert process.poll() is None
    assert "Connected" not in machine.log("never")
    machine.switch("proof-server")
    wait_for(lambda: "is ready" in machine.log("never"))
    stop(process)


def test_program_name_selects_a_switch(machine, nats):
    machine.switch("autonomys-proof-server", crash_after=0)
    done = machine.run(*machine.cluster("proof-server"), SUPERVISOR_PROCESS_NAME="autonomys-proof-server")
    machine.switch("autonomys-proof-server")
    assert done.returncode == 1
    assert "crash_after" in done.stdout


def test_plot_client_without_controller_looks_alive(machine, nats):
    process = machine.start(*machine.client_line(f"path={machine.folder}/lonely,sectors=1"), name="lonely")
    wait_for(lambda: "Waiting for a controller" in machine.log("lonely"))
    assert process.poll() is None
    assert not (machine.folder / "lonely").exists()
    assert stop(process) == 0


def test_plot_server_needs_its_port_and_a_number(machine, nats):
    line = machine.cluster("plot-server", "--listen-port", machine.nats_port, machine.folder / "base")
    assert machine.run(*line).returncode == 1
    done = machine.run(*line, GPU_CONCURRENCY="many")
    assert done.returncode == 1
    assert "GPU_CONCURRENCY" in done.stdout


def test_missing_gpu_is_only_a_warning(machine, nats):
    line = machine.cluster("plot-server", "--listen-port", free_port(), machine.folder / "base")
    process = machine.start(*line, name="no-gpu", CUDA_VISIBLE_DEVICES="GPU-missing")
    wait_for(lambda: "is ready" in machine.log("no-gpu"))
    assert "No CUDA device is visible" in machine.log("no-gpu")
    assert stop(process) == 0


def test_node_remembers_chain_and_pruning(machine):
    port = free_port()
    node = machine.start(*machine.node_line(base="old", port=port), name="old-node")
    wait_for(lambda: machine.rpc_answers(f"http://127.0.0.1:{port}"))
    second = machine.run(*machine.node_line(base="old", port=free_port()))
    assert second.returncode == 1
    assert stop(node) == 0
    for change in (["--blocks-pruning", "archive"], ["--state-pruning", "archive"]):
        done = machine.run(*machine.node_line(*change, base="old", port=port))
        assert done.returncode == 1
        assert "Incompatible pruning modes" in done.stdout


def test_unsafe_methods(machine):
    port = free_port()
    line = machine.node_line(base="safe", port=port)
    line[line.index("unsafe")] = "safe"
    node = machine.start(*line, name="safe-node")
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: machine.rpc_answers(url))
    assert machine.rpc("subspace_submitSolutionResponse", url, [{}])["error"]["message"].startswith(
        "RPC call is unsafe"
    )
    assert machine.rpc("no_such_method", url)["error"]["code"] == -32601
    stop(node)


def test_export(machine):
    machine.switch("export-piece", seconds_per_piece=0.05)
    assert "NODE_URL is not set" in machine.run(machine.export_piece).stdout
    assert "does not answer" in machine.run(machine.export_piece, NODE_URL=machine.rpc_url).stdout

    pruned = machine.start(*machine.node_line(base="pruned"), name="pruned-node")
    wait_for(machine.rpc_answers)
    done = machine.run(machine.export_piece, NODE_URL=machine.rpc_url)
    assert done.returncode == 1
    assert "archive pruning" in done.stdout
    stop(pruned)

    archive = machine.start(*machine.node_line("--blocks-pruning", "archive", base="archive"), name="archive-node")
    wait_for(machine.rpc_answers)
    machine.switch("export-piece", seconds_per_piece=0.05, disk_full_after=2)
    done = machine.run(machine.export_piece, NODE_URL=machine.rpc_url)
    assert done.returncode == 1
    assert "No space left on device" in done.stdout
    machine.switch("export-piece", seconds_per_piece=0.05, killed_after=4)
    assert machine.run(machine.export_piece, NODE_URL=machine.rpc_url).returncode == -signal.SIGKILL
    machine.switch("export-piece", seconds_per_piece=0.05)
    kept = machine.folder / "full-cache-tmp" / "00000003.piece"
    stamp = kept.stat().st_mtime_ns
    assert machine.run(machine.export_piece, NODE_URL=machine.rpc_url).returncode == 0
    assert kept.stat().st_mtime_ns == stamp
    assert len(list((machine.folder / "full-cache-tmp").glob("*.piece"))) == 8
    stop(archive)
