# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof server as an operator sees it: connections, GPU, process, files."""

from __future__ import annotations


def holders(server):
    """Process number to GPU, as nvidia-smi tells."""
    lines = server.run("nvidia-smi --query-compute-apps=pid,gpu_uuid --format=csv,noheader").splitlines()
    return {int(pid): uuid for pid, uuid in (line.split(", ") for line in lines)}


def gpus(server):
    return [line.split("UUID: ")[1].rstrip(")") for line in server.run("nvidia-smi -L").splitlines()]


def test_minimal_proof_server_is_connected_and_holds_the_first_gpu(minimal, until):
    assert until(lambda: f"{minimal.address}:4222" in minimal.connections("autonomys-proof-server"))
    assert holders(minimal) == {minimal.pid("autonomys-proof-server"): gpus(minimal)[0]}


def test_minimal_proof_server_runs_as_the_tutorial_has_it(minimal):
    assert set(minimal.programs().values()) == {"RUNNING"}
    assert minimal.user("autonomys-proof-server") == "autonomys"
    assert minimal.command("autonomys-proof-server")[1:] == [
        "cluster",
        "--nats-server",
        f"nats://{minimal.address}:4222",
        "proof-server",
    ]
    environment = minimal.environment("autonomys-proof-server")
    assert (environment["CUDA_VISIBLE_DEVICES"], environment["CUDA_DEVICE_ORDER"]) == ("0", "PCI_BUS_ID")


def test_custom_proof_server_has_every_setting(custom, until, version):
    assert until(lambda: f"{custom.address}:14222" in custom.connections("autonomys-proof-server"))
    assert holders(custom) == {custom.pid("autonomys-proof-server"): gpus(custom)[1]}
    assert custom.user("autonomys-proof-server") == "operator"
    assert custom.command("autonomys-proof-server") == [
        *(
            f"/srv/autonomys/releases/{version}/autonomys-farmer",
            "cluster",
            "--nats-server",
            f"nats://{custom.address}:14222",
        ),
        *("proof-server", "--proof-label", "second"),
    ]
    environment = custom.environment("autonomys-proof-server")
    assert environment["CUDA_VISIBLE_DEVICES"] == gpus(custom)[1]
    assert environment["RUST_LOG"] == "debug"
    assert custom.masks("autonomys-proof-server") == {"0"}
    assert custom.definition("autonomys-proof-server")["stopwaitsecs"] == "45"
    assert custom.host.file("/srv/log/autonomys-proof-server.log").size > 0
