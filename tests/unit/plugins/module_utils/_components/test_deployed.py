# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a host already, told by files and command lines."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.deployed import (
    parse_programs,
    running_binaries,
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
