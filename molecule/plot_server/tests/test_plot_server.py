# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plot servers as an operator sees them: GPUs, cores of all threads, ports, processes."""

from __future__ import annotations

import os


def holders(server):
    """Process number to GPU, as nvidia-smi tells."""
    lines = server.run("nvidia-smi --query-compute-apps=pid,gpu_uuid --format=csv,noheader").splitlines()
    return {int(pid): uuid for pid, uuid in (line.split(", ") for line in lines)}


def gpus(server):
    return [line.split("UUID: ")[1].rstrip(")") for line in server.run("nvidia-smi -L").splitlines()]


def test_minimal_host_has_a_plot_server_a_gpu(minimal, until):
    assert minimal.programs() == {
        "nats-server": "RUNNING",
        "autonomys-plot-server-0": "RUNNING",
        "autonomys-plot-server-1": "RUNNING",
    }
    for slot, gpu in enumerate(gpus(minimal)):
        program = f"autonomys-plot-server-{slot}"
        assert until(lambda name=program: f"{minimal.address}:4222" in minimal.connections(name))
        assert holders(minimal)[minimal.pid(program)] == gpu
        assert 9966 + slot in minimal.listening(program)


def test_minimal_plot_servers_run_as_the_tutorial_has_them(minimal):
    for slot, gpu in enumerate(gpus(minimal)):
        program = f"autonomys-plot-server-{slot}"
        assert minimal.user(program) == "autonomys"
        assert minimal.command(program)[1:] == [
            *("cluster", "--nats-server", f"nats://{minimal.address}:4222", "plot-server", "--priority-cache"),
            *("--listen-port", str(9966 + slot), f"/var/plot-server/base-path-{slot}"),
        ]
        assert minimal.environment(program)["CUDA_VISIBLE_DEVICES"] == gpu
        assert minimal.definition(program)["command"].startswith("numactl -C ")


def test_every_thread_stays_on_the_cores_of_the_definition(minimal, custom):
    for server in (minimal, custom):
        for slot in (0, 1):
            words = server.definition(f"autonomys-plot-server-{slot}")["command"].split()
            assert words[3] == "-l"
            assert server.masks(f"autonomys-plot-server-{slot}") == {words[2]}


def test_custom_plot_servers_have_every_setting(custom, until, version):
    for slot, gpu in enumerate(reversed(gpus(custom))):
        program = f"autonomys-plot-server-{slot}"
        assert until(lambda name=program: f"{custom.address}:14222" in custom.connections(name))
        assert custom.user(program) == "operator"
        assert custom.command(program) == [
            *(
                f"/srv/autonomys/releases/{version}/autonomys-farmer",
                "cluster",
                "--nats-server",
                f"nats://{custom.address}:14222",
                "plot-server",
            ),
            *("--listen-port", str(19966 + slot), "--record-encoding-concurrency", "32", f"/srv/plot/base-path-{slot}"),
        ]
        assert holders(custom)[custom.pid(program)] == gpu
        environment = custom.environment(program)
        assert (environment["CUDA_VISIBLE_DEVICES"], environment["GPU_CONCURRENCY"], environment["RUST_LOG"]) == (
            gpu,
            "14",
            "debug",
        )
        assert custom.definition(program)["stopwaitsecs"] == "45"
        assert custom.host.file(f"/srv/log/autonomys-plotter-{slot}.log").size > 0


def test_custom_plot_servers_have_cores_of_their_own(custom):
    masks = [custom.masks(f"autonomys-plot-server-{slot}") for slot in (0, 1)]
    if (os.cpu_count() or 1) > 1:
        assert masks[0] != masks[1]
    assert all(mask.isdigit() for mask in masks[0] | masks[1])
