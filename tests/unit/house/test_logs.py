# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules whose arguments can hold secrets write nothing to the host's log.

``AnsibleModule(no_log=True)`` does not do it: what the task says, which is that it may, comes afterwards.
"""

from __future__ import annotations

from pathlib import Path

import pytest

MODULES = sorted((Path(__file__).parents[3] / "plugins/modules").glob("*.py"))
# What a module calls that hides what is secret in its arguments.
HIDES = ("masked(", '"module_args": {}')


@pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
def test_what_hides_its_arguments_logs_nothing(path):
    source = path.read_text(encoding="utf-8")
    assert "no_log=True" not in source
    if any(word in source for word in HIDES):
        assert "    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:" in source


def test_some_modules_hide_their_arguments():
    found = [path.stem for path in MODULES if any(word in path.read_text(encoding="utf-8") for word in HIDES)]
    assert {"supervisor_program", "release", "systemd_job", "component_health", "host_reading_info"} <= set(found)
