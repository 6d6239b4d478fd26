# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The caches as an operator sees them: connections, processes, pieces on disk."""

from __future__ import annotations

import pytest

PROGRAMS = {"autonomys-sharded-cache": "sharded-cache", "autonomys-full-piece": "full-piece-sharded-cache"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_minimal_cache_is_connected_and_fills(minimal, until, program):
    path = minimal.command(program)[-1].partition("=")[2]
    assert until(lambda: f"{minimal.address}:4222" in minimal.connections(program))
    assert until(lambda: minimal.run(f"find {path} -type f").split())


def test_minimal_caches_run_as_the_tutorial_has_them(minimal):
    assert set(minimal.programs().values()) == {"RUNNING"}
    paths = {
        "autonomys-sharded-cache": "/var/autonomys-sharded-cache",
        "autonomys-full-piece": "/var/autonomys-full-piece",
    }
    for program, word in PROGRAMS.items():
        assert minimal.user(program) == "autonomys"
        assert minimal.command(program)[1:] == [
            "cluster",
            "--nats-server",
            f"nats://{minimal.address}:4222",
            word,
            f"path={paths[program]}",
        ]
        assert minimal.host.file(paths[program]).user == "autonomys"


def test_custom_caches_have_every_setting(custom, until, version):
    arguments = {
        "autonomys-sharded-cache": ["--mem-cache", "path=/srv/caches/sharded"],
        "autonomys-full-piece": ["--visible", "path=/srv/caches/full"],
    }
    for program, word in PROGRAMS.items():
        assert until(lambda name=program: f"{custom.address}:14222" in custom.connections(name))
        assert custom.user(program) == "operator"
        assert custom.command(program) == [
            *(
                f"/srv/autonomys/releases/{version}/autonomys-farmer",
                "cluster",
                "--nats-server",
                f"nats://{custom.address}:14222",
            ),
            *(word, *arguments[program]),
        ]
        assert custom.environment(program)["RUST_LOG"] == "debug"
        assert custom.definition(program)["stopwaitsecs"] == "45"
        assert custom.host.file(f"/srv/log/{program}.log").size > 0
