# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import defined, rpc


def test_programs():
    text = (
        "[program:nats-server]\ncommand=x\n[program: autonomys-node ]\n; [program:autonomys-old]\n"
        "[group:autonomys-plot-server]\n[program:other]\n[program:autonomys-plot-server-0]\n"
    )
    names = ("nats-server", "autonomys-node", "autonomys-plot-server-0")
    assert defined.parse_programs(text, "/f") == [
        {"name": name, "file": "/f", "cpus": None, "gpu": None, "command": ["x"] if name == "nats-server" else []}
        for name in names
    ]


def test_programs_tell_their_cpus_and_gpu():
    text = '[program:autonomys-plot-server-0]\ncommand=numactl -C 1-23,97-119 -l /x/farmer\nenvironment=CUDA_VISIBLE_DEVICES="GPU-a",X="1"\n'
    [program] = defined.parse_programs(text, "/f")
    assert program == {
        "name": "autonomys-plot-server-0",
        "file": "/f",
        "cpus": "1-23,97-119",
        "gpu": "GPU-a",
        "command": ["/x/farmer"],
    }


@pytest.mark.parametrize("damage", ["command=numactl -C\n", "command='\n", "command=x\nenvironment=A\n", "no option\n"])
def test_a_program_damaged_by_hand_is_named_without_the_rest(damage):
    [program] = defined.parse_programs("[program:autonomys-node]\n" + damage, "/f")
    assert (program["name"], program["file"], program["cpus"], program["gpu"]) == ("autonomys-node", "/f", None, None)


class Supervisor:
    """Answers as supervisord, or refuses."""

    def __init__(self, log):
        self.log = log

    def call(self, method, *arguments):
        assert (method, arguments[0]) == ("tailProcessStdoutLog", "autonomys-plot-server:autonomys-plot-server-0")
        if self.log is None:
            raise rpc.SupervisorFault(20, "NO_FILE")
        return [self.log, 0, False]


@pytest.mark.parametrize("log, reason", [
    ("start\nError: no GPU\n\n", "Exited too quickly (process log may have details); its log ends with: Error: no GPU"),
    ("", "Exited too quickly (process log may have details)"),
    (None, "Exited too quickly (process log may have details)"),
])  # fmt: skip
def test_why_a_program_does_not_stay_up(log, reason):
    info = {
        "name": "autonomys-plot-server-0",
        "group": "autonomys-plot-server",
        "statename": "BACKOFF",
        "spawnerr": "Exited too quickly (process log may have details)",
    }
    assert defined.read_reason(Supervisor(log), info) == reason
