# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One variable of a running component changes, alone, and is set back: one of each kind, on a real supervisord.

tests/unit/roles/test_changed_variables.py does it for all variables, without one.
"""

from __future__ import annotations

import getpass
import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components import names
from ansible_collections.autonomys.cluster.plugins.module_utils._components.caches import FULL_PIECE, SHARDED
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, programs
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import role_settings

FILE = COMPONENTS["caches"].file


@pytest.fixture
def caches(host):
    """Settings of the two caches on a host, with a program that runs until it is stopped as their binary."""
    settings = role_settings(
        "caches",
        cluster_user=getpass.getuser(),
        cluster_install_dir=f"{host.folder}/opt",
        cluster_log_dir=str(host.folder),
        cluster_program_startsecs=0,
        caches_sharded_path=f"{host.folder}/sharded",
        caches_full_piece_path=f"{host.folder}/full",
        caches_stopwaitsecs=5,
    )
    binary = names.binary_path(settings["cluster_install_dir"], settings["cluster_version"], names.FARMER)
    os.makedirs(os.path.dirname(binary))
    with open(binary, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexec sleep 1000\n")
    os.chmod(binary, 0o755)
    return settings


def keep(host, settings):
    """What role caches does on the host."""
    wanted = [dict(program) for program in programs("caches", settings)]
    result = host.apply(wanted, name=FILE, state=settings["caches_state"])
    assert "failed" not in result, result
    return result


@pytest.mark.parametrize(
    ("variable", "value", "restarted"),
    [
        ("caches_environment", {"RUST_LOG": "debug"}, {SHARDED, FULL_PIECE}),
        ("caches_stopwaitsecs", 6, {SHARDED, FULL_PIECE}),
        ("caches_sharded_extra_args", ["--mem-cache"], {SHARDED}),
        ("caches_full_piece_path", "other", {FULL_PIECE}),
        ("caches_health_timeout", 77, set()),
        ("cluster_open_files", 65536, set()),
    ],
)
def test_a_change_restarts_what_is_documented_and_so_does_the_way_back(host, caches, variable, value, restarted):
    keep(host, caches)
    before = host.pids()
    changed = {**caches, variable: f"{host.folder}/{value}" if variable.endswith("_path") else value}
    for settings in (changed, caches):
        assert keep(host, settings)["changed"] == bool(restarted)
        now = host.pids()
        assert {name for name, pid in now.items() if pid != before[name]} == restarted
        assert not keep(host, settings)["changed"] and host.pids() == now
        before = now


def test_the_state_stops_and_starts_and_a_second_run_does_nothing(host, caches):
    keep(host, caches)
    for state, runs in (("stopped", False), ("started", True)):
        settings = {**caches, "caches_state": state}
        assert keep(host, settings)["changed"]
        assert [bool(pid) for pid in host.pids().values()] == [runs, runs]
        assert not keep(host, settings)["changed"]
