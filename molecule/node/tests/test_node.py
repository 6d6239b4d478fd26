# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node as an operator sees it: RPC, process, files."""

from __future__ import annotations


def test_minimal_node_answers(minimal):
    assert minimal.rpc("http://127.0.0.1:9944", "system_chain") == "Autonomys Mainnet"
    assert minimal.rpc("http://127.0.0.1:9944", "system_health")["peers"] > 0
    assert minimal.rpc("http://127.0.0.1:9944", "subspace_getFarmerAppInfo")["protocolInfo"]["maxPiecesInSector"] == 1


def test_minimal_node_runs_as_the_tutorial_has_it(minimal):
    assert minimal.programs() == {"autonomys-node": "RUNNING"}
    assert minimal.user("autonomys-node") == "autonomys"
    assert minimal.command("autonomys-node")[1:] == [
        *(
            "run",
            "--base-path",
            "/var/autonomys-node",
            "--farmer",
            "--rpc-listen-on",
            "0.0.0.0:9944",
            "--chain",
            "mainnet",
        ),
        *("--sync", "full", "--rpc-methods", "unsafe", "--rpc-cors", "all"),
    ]
    assert minimal.host.file("/var/autonomys-node").user == "autonomys"


def test_custom_node_answers_on_its_own_port_and_host_only(custom):
    assert custom.rpc("http://127.0.0.1:19944", "system_chain") == "Autonomys Taurus"
    assert 19944 in custom.listening("autonomys-node")
    assert 9944 not in custom.listening("autonomys-node")
    assert "127.0.0.1:19944" in custom.run("ss --no-header --tcp --numeric --listening")


def test_custom_node_has_every_setting(custom, version):
    assert custom.user("autonomys-node") == "operator"
    assert custom.command("autonomys-node") == [
        *(f"/srv/autonomys/releases/{version}/autonomys-node", "run", "--base-path", "/srv/node", "--farmer"),
        *("--rpc-listen-on", "127.0.0.1:19944", "--chain", "taurus", "--sync", "snap", "--rpc-methods", "safe"),
        *("--rpc-cors", "http://localhost", "--blocks-pruning", "archive", "--state-pruning", "archive"),
        *("--rpc-max-connections", "50"),
    ]
    assert custom.environment("autonomys-node")["RUST_LOG"] == "info,sync=debug"
    assert custom.definition("autonomys-node")["stopwaitsecs"] == "45"
    assert custom.host.file("/srv/log/autonomys-node.log").size > 0
