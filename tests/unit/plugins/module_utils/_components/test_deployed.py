# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a host already, told by files and command lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.deployed import (
    parse_programs,
    read_programs,
    running_binaries,
    script_of,
)


def test_running_binaries_are_told_from_command_lines() -> None:
    processes = [
        ("nats-server\n", "/opt/a/nats/2.12.8/nats-server\0--config\0/etc/nats-server.conf\0"),
        ("autonomys-node\n", "/usr/bin/python3\0/opt/a/releases/v1/autonomys-node\0run\0"),
        ("tokio-runtime\n", "/opt/a/releases/v1/autonomys-node\0run\0"),
        ("autonomys-expor\n", "/usr/bin/python3\0-IS\0/opt/a/releases/v2/autonomys-export-piece\0"),
        ("tail\n", "/usr/bin/tail\0-f\0/opt/a/releases/v3/autonomys-farmer\0"),
        ("kthreadd\n", ""),
    ]
    assert running_binaries(processes) == [
        "/opt/a/nats/2.12.8/nats-server",
        "/opt/a/releases/v1/autonomys-node",
        "/opt/a/releases/v2/autonomys-export-piece",
    ]


def test_programs() -> None:
    text = (
        "[program:nats-server]\ncommand=x\n[program: autonomys-node ]\n; [program:autonomys-old]\n"
        "[group:autonomys-plot-server]\n[program:other]\n[program:autonomys-plot-server-0]\n"
    )
    names = ("nats-server", "autonomys-node", "autonomys-plot-server-0")
    assert parse_programs(text, "/f") == [
        {"name": name, "file": "/f", "cpus": None, "gpu": None, "command": ["x"] if name == "nats-server" else []}
        for name in names
    ]


def test_programs_tell_their_cpus_and_gpu() -> None:
    text = (
        "[program:autonomys-plot-server-0]\ncommand=numactl -C 1-23,97-119 -l /x/farmer\n"
        'environment=CUDA_VISIBLE_DEVICES="GPU-a",X="1"\n'
    )
    [program] = parse_programs(text, "/f")
    assert program == {
        "name": "autonomys-plot-server-0",
        "file": "/f",
        "cpus": "1-23,97-119",
        "gpu": "GPU-a",
        "command": ["/x/farmer"],
    }


@pytest.mark.parametrize("damage", ["command=numactl -C\n", "command='\n", "command=x\nenvironment=A\n", "no option\n"])
def test_a_program_damaged_by_hand_is_named_without_the_rest(damage: str) -> None:
    [program] = parse_programs("[program:autonomys-node]\n" + damage, "/f")
    assert (program["name"], program["file"], program["cpus"], program["gpu"]) == ("autonomys-node", "/f", None, None)


def test_one_field_that_cannot_be_read_takes_no_other_along() -> None:
    name = "[program:autonomys-plot-server-0]\n"
    command = "command=numactl -C 0-31 -l /x/autonomys-farmer cluster\n"
    [program] = parse_programs(name + command + "environment=A=1,x=debug=1\n", "/f")
    assert (program["command"], program["cpus"], program["gpu"]) == (["/x/autonomys-farmer", "cluster"], "0-31", None)
    [program] = parse_programs(name + "command=/x/autonomys-farmer '\nenvironment=CUDA_VISIBLE_DEVICES=1\n", "/f")
    assert (program["command"], program["cpus"], program["gpu"]) == ([], None, "1")


@pytest.mark.parametrize("damage", ["no option\n", "= 1\n", "[unclosed\n", "\tonly blank\n"])
def test_a_damaged_line_takes_no_other_program_along(damage: str) -> None:
    text = (
        f"[program:autonomys-node]\ncommand=/x/autonomys-node run\n  --name n\n{damage}"
        "environment=CUDA_VISIBLE_DEVICES=0\n"
        "[program:autonomys-controller]\ncommand=/x/autonomys-farmer cluster\n controller\n"
    )
    node, controller = parse_programs(text, "/f")
    assert node["command"][:2] == ["/x/autonomys-node", "run"]
    assert controller["command"] == ["/x/autonomys-farmer", "cluster", "controller"]


def test_programs_that_are_bound_to_nodes() -> None:
    text = "[program:autonomys-node]\ncommand=numactl -N 0,2 -m 0 /x/autonomys-node run\n"
    asked = []

    def cpus_of_nodes(nodes: str) -> str:
        asked.append(nodes)
        return "0-3,8-11"

    assert parse_programs(text, "/f", cpus_of_nodes)[0]["cpus"] == "0-3,8-11"
    assert asked == ["0,2"]
    assert parse_programs(text, "/f")[0]["cpus"] is None


def test_programs_of_the_files_that_supervisord_includes(tmp_path: Path) -> None:
    config = tmp_path / "supervisord.conf"
    config.write_text("[program:autonomys-node]\ncommand=/x/autonomys-node\n[include]\nfiles = a/*.ini b.conf\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.ini").write_text("[program:nats-server]\ncommand=numactl -N 0 /x/nats-server\n")
    (tmp_path / "a" / "x.conf").write_text("[program:autonomys-other]\ncommand=/x/other\n")
    (tmp_path / "b.conf").write_text("[program:autonomys-farmer]\ncommand=/x/autonomys-farmer\n")
    found = read_programs(str(config))
    assert [(program["name"], program["file"], program["state"]) for program in found] == [
        ("autonomys-node", str(config), None),
        ("nats-server", str(tmp_path / "a" / "x.ini"), None),
        ("autonomys-farmer", str(tmp_path / "b.conf"), None),
    ]
    # Node 0 is there on every machine whose kernel knows NUMA.
    node = Path("/sys/devices/system/node/node0/cpulist")
    assert found[1]["cpus"] == (node.read_text().strip() if node.exists() else None)


def test_start_scripts_that_commands_name(tmp_path: Path) -> None:
    script = tmp_path / "start.sh"
    script.write_text("#!/bin/bash\nexec /x/autonomys-node run --base-path /var/node\n")
    assert script_of(str(script)) == script.read_text()
    text = f"[program:mine]\ncommand={script}\n[program:other]\ncommand=/bin/true\n"
    [program] = parse_programs(text, "/f", script_of=script_of)
    assert (program["name"], program["command"][-1]) == ("mine", "/var/node")
    script.write_text("#!/usr/bin/python3\n")
    assert script_of(str(script)) is None
    script.write_text("#!/bin/sh\n" + "x" * 70000)
    assert script_of(str(script)) is script_of("start.sh") is script_of(str(tmp_path)) is None
