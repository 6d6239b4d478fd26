# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would change so that a host is monitored."""

from __future__ import annotations

import hashlib

from ansible_collections.autonomys.cluster.plugins.module_utils._reading.monitoring import (
    monitoring_changes,
    parse_units,
)

PACKAGES = "prometheus-node-exporter\tinstalled\t1.5.0\njq\tdeinstall\t1.6\n"
UNITS = """Id=a.timer
ActiveState=active
UnitFileState=enabled
ConditionResult=yes
ConditionTimestampMonotonic=5

Id=b.timer
ActiveState=inactive
UnitFileState=enabled
ConditionResult=no
ConditionTimestampMonotonic=5

Id=c.service
ActiveState=active
UnitFileState=disabled
ConditionResult=yes
ConditionTimestampMonotonic=5

Id=d.service
ActiveState=inactive
UnitFileState=enabled
ConditionResult=no
ConditionTimestampMonotonic=0
"""


def answers(command):
    return 0, UNITS if command[0] == "systemctl" else PACKAGES


def test_units_that_run_and_that_have_a_reason_not_to():
    assert parse_units(UNITS) == {"a.timer", "b.timer"}


def test_packages_files_and_units_are_compared(tmp_path):
    (tmp_path / "same").write_text("text")
    (tmp_path / "other").write_text("former")
    (tmp_path / "open").write_text("text")
    for name, mode in (("same", 0o640), ("other", 0o640), ("open", 0o666)):
        (tmp_path / name).chmod(mode)
    wanted = [hashlib.sha256(b"text").hexdigest(), "0640"]
    part = {
        "files": {str(tmp_path / name): wanted for name in ("same", "other", "open", "missing")},
        "packages": ["prometheus-node-exporter", "jq", "nvme-cli"],
        "units": ["a.timer", "b.timer", "c.service"],
    }
    assert monitoring_changes(part, answers) == {
        "changes": [
            "install jq, nvme-cli",
            *(f"write {tmp_path}/{name}" for name in ("missing", "open", "other")),
            "start c.service, now and at every boot",
        ],
        "missing": ["jq", "nvme-cli"],
        "stopped": ["c.service"],
    }


def test_nothing_is_asked_where_nothing_is_wanted():
    part = {"files": {}, "packages": [], "units": []}
    assert monitoring_changes(part, None) == {"changes": [], "missing": [], "stopped": []}
