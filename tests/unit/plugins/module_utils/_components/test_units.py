# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that systemd starts instead of supervisord."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.units import (
    Unit,
    parse_unit,
    read_unit_programs,
    states,
)

NODE = "[Unit]\nExecStart=no\n[Service]\nExecStart=/x/autonomys-node run \\\n  --base-path '/var/my node'\n"
SHOWN = "Id={}\nActiveState={}\nUnitFileState={}\n"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (NODE, Unit(["/x/autonomys-node", "run", "--base-path", "/var/my node"], {}, None)),
        ("[Service]\nExecStart=-@/x/a b\nExecStart=\nExecStart=!/x/c\n", Unit(["/x/c"], {}, None)),
        (
            "[Service]\n; ExecStart=x\nEnvironment=A=1 'B=2 3'\nEnvironment=C=4\nCPUAffinity=0-3 8\n",
            Unit([], {"A": "1", "B": "2 3", "C": "4"}, "0-3,8"),
        ),
        ("[Service]\nExecStart=it's\nEnvironment=\"\nCPUAffinity=numa\n", Unit([], {}, None)),
        ("", Unit([], {}, None)),
    ],
)
def test_a_unit(text: str, unit: Unit) -> None:
    assert parse_unit(text) == unit


def test_states() -> None:
    output = SHOWN.format("a.service", "active", "enabled") + "\n" + SHOWN.format("b.service", "failed", "")
    assert states(output) == {"a.service": ("active", "enabled"), "b.service": ("failed", "")}


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for name in ("etc", "lib"):
        (tmp_path / name).mkdir()
    (tmp_path / "etc/node.service").write_text(NODE)
    (tmp_path / "etc/supervisor.service").write_text("[Service]\nExecStart=/usr/bin/supervisord -n\n")
    for folder, store in (("etc", "/mine"), ("lib", "/theirs")):
        text = f"[Service]\nEnvironment=CUDA_VISIBLE_DEVICES=1\nExecStart=/usr/bin/nats-server --js -sd {store}\n"
        (tmp_path / folder / "nats-server.service").write_text(text)
    return [str(tmp_path / "etc"), str(tmp_path / "lib"), str(tmp_path / "none")]


def test_programs_that_systemd_starts(folders: list[str]) -> None:
    asked = []

    def ask(command: object) -> tuple[int, str]:
        asked.append(command)
        return 0, "\n".join(
            [SHOWN.format("node.service", "active", "disabled"), SHOWN.format("nats-server.service", "dead", "enabled")]
        )

    nats, node = read_unit_programs(folders, ask)
    assert node == {
        "name": "node",
        "file": f"{folders[0]}/node.service",
        "command": ["/x/autonomys-node", "run", "--base-path", "/var/my node"],
        "cpus": None,
        "gpu": None,
        "state": "RUNNING",
        "reason": None,
    }
    assert (nats["command"][-1], nats["gpu"], nats["state"]) == ("/mine", "1", "STOPPED")
    assert asked == [
        ["systemctl", "show", "-p", "Id,ActiveState,UnitFileState", "--", "nats-server.service", "node.service"]
    ]


def test_what_nobody_starts_is_none(folders: list[str]) -> None:
    shown = SHOWN.format("node.service", "inactive", "disabled") + "\n"
    shown += SHOWN.format("nats-server.service", "inactive", "masked")
    assert read_unit_programs(folders, lambda _command: (0, shown)) == []


def test_where_systemd_does_not_answer_a_file_has_to_do(folders: list[str]) -> None:
    found = read_unit_programs(folders, lambda _command: (-1, ""))
    assert [(program["name"], program["state"]) for program in found] == [("nats-server", None), ("node", None)]


def test_a_host_without_such_units_is_not_asked(tmp_path: Path) -> None:
    assert read_unit_programs([str(tmp_path)], lambda _command: pytest.fail("asked")) == []
