# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NATS servers: which changes of their file need a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Program
from ansible_collections.autonomys.cluster.plugins.module_utils._components.nats import LATER_RESTART_SETTINGS
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import programs
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import role_settings

ROOT = Path(__file__).parents[5]


def test_a_setting_that_is_read_at_the_start_only_changes_the_program_and_others_do_not() -> None:
    def program(**more: Any) -> Program:
        return programs("nats", role_settings("nats", **more))[0]

    assert program(nats_max_payload="8MB") == program()
    assert program(nats_write_deadline="2s") == program()
    for changed in ({"nats_store_dir": "/srv/nats"}, {"nats_jetstream_max_file": "1GB"}, {"nats_server_name": "other"}):
        assert program(**changed)["environment"] != program()["environment"]


def test_settings_found_later_leave_programs_with_the_default_as_they_are() -> None:
    def program(**more: Any) -> Program:
        return programs("nats", role_settings("nats", **more))[0]

    defaults = yaml.safe_load((ROOT / "roles/nats/defaults/main.yml").read_text(encoding="utf-8"))
    assert {name: defaults[name] for name in LATER_RESTART_SETTINGS} == LATER_RESTART_SETTINGS
    for name, usual in LATER_RESTART_SETTINGS.items():
        assert program(**{name: usual}) == program()
        assert program(**{name: "128MB"})["environment"] != program()["environment"]


def test_a_single_server_that_becomes_one_of_several_restarts_and_the_others_do_not() -> None:
    def environment(number: int) -> dict[str, str]:
        peers = {f"node-{each}": f"10.0.0.{each}" for each in range(number)}
        return programs("nats", role_settings("nats", nats_peers=peers))[0]["environment"]

    assert environment(0) == environment(1) != environment(2) == environment(3)
