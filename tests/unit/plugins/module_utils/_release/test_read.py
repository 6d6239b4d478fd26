# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release.read import texts_in_use
from ansible_collections.autonomys.cluster.plugins.module_utils._release.versions import references
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._release.releases import (
    install,
    planned,
    wanted,
)


def test_texts_in_use_reads_definitions_and_processes(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.conf").write_text("[program:a]\ncommand=/opt/a/v1/farmer\n")
    (tmp_path / "conf" / ".a.conf.previous").write_text("[program:a]\ncommand=/opt/a/v4/farmer\n")
    (tmp_path / "proc" / "12").mkdir(parents=True)
    (tmp_path / "proc" / "12" / "cmdline").write_bytes(b"python3\0/opt/a/v2/farmer\0")
    (tmp_path / "proc" / "12" / "exe").symlink_to("/opt/a/v3/farmer")
    (tmp_path / "proc" / "13").mkdir()
    (tmp_path / "proc" / "self").mkdir()
    texts = list(texts_in_use(str(tmp_path / "conf" / "*.conf"), str(tmp_path / "proc")))
    assert references(texts, "/opt/a", ["v1", "v2", "v3", "v4"]) == {"v1", "v2", "v3", "v4"}


def test_texts_in_use_sees_this_process():
    assert any("pytest" in text for text in texts_in_use())


def test_processes_are_read_only_when_something_could_go(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    planned(wanted(tmp_path, farmer=b"one"), in_use=lambda: pytest.fail("processes were read"))


def test_a_touched_file_is_no_change(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    os.utime(tmp_path / "v1" / "farmer", (1, 1))
    assert not any(planned(wanted(tmp_path, farmer=b"one")))
