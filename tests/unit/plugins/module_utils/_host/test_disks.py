# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._host import disks


def test_too_many_files_are_not_counted(tmp_path, monkeypatch):
    for number in range(5):
        (tmp_path / str(number)).write_text("x")
    assert disks.used_bytes(tmp_path) > 0
    monkeypatch.setattr(disks, "MAX_ENTRIES", 4)
    assert disks.used_bytes(tmp_path) is None
