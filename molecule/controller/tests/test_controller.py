# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller as an operator sees it: connections, process, files."""

from __future__ import annotations


def test_minimal_controller_is_connected_to_nats_and_node(minimal, until):
    assert until(
        lambda: {f"{minimal.address}:4222", f"{minimal.address}:9944"} <= minimal.connections("autonomys-controller")
    )


def test_minimal_controller_runs_as_the_tutorial_has_it(minimal):
    assert set(minimal.programs().values()) == {"RUNNING"}
    assert minimal.user("autonomys-controller") == "autonomys"
    assert minimal.command("autonomys-controller")[1:] == [
        *(
            "cluster",
            "--nats-server",
            f"nats://{minimal.address}:4222",
            "controller",
            "--tmp",
            "--node-rpc-url",
            f"ws://{minimal.address}:9944",
        ),
    ]


def test_custom_controller_has_every_setting(custom, until, version):
    assert until(
        lambda: {f"{custom.address}:14222", f"{custom.address}:19944"} <= custom.connections("autonomys-controller")
    )
    assert custom.user("autonomys-controller") == "operator"
    assert custom.command("autonomys-controller") == [
        *(
            f"/srv/autonomys/releases/{version}/autonomys-farmer",
            "cluster",
            "--nats-server",
            f"nats://{custom.address}:14222",
            "controller",
        ),
        *("--node-rpc-url", f"ws://{custom.address}:19944", "--retain-metadata"),
    ]
    assert custom.environment("autonomys-controller")["RUST_LOG"] == "debug"
    assert custom.definition("autonomys-controller")["stopwaitsecs"] == "45"
    assert custom.host.file("/srv/log/autonomys-controller.log").size > 0


def test_controller_that_loses_its_node_comes_back(minimal, until):
    """It ends with status 0 then, and must be started all the same."""
    before = minimal.pid("autonomys-controller")
    minimal.run("supervisorctl restart autonomys-node")
    assert until(lambda: minimal.pid("autonomys-controller") not in (0, before))
    assert until(lambda: f"{minimal.address}:9944" in minimal.connections("autonomys-controller"))
