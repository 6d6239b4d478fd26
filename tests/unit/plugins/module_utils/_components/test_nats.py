# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NATS servers: which changes of their file need a restart."""

from __future__ import annotations

from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Program
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import programs
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import role_settings


def test_a_setting_that_is_read_at_the_start_only_changes_the_program_and_others_do_not() -> None:
    def program(**more: Any) -> Program:
        return programs("nats", role_settings("nats", **more))[0]

    assert program(nats_max_payload="8MB") == program()
    assert program(nats_write_deadline="2s") == program()
    for changed in ({"nats_store_dir": "/srv/nats"}, {"nats_jetstream_max_file": "1GB"}, {"nats_server_name": "other"}):
        assert program(**changed)["environment"] != program()["environment"]
