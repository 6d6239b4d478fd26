# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _sources


class Action:
    """An action plugin, as far as files are looked for: nothing is beside the role or the playbook."""

    class _loader:
        @staticmethod
        def get_basedir():
            return "/playbooks"

    def _find_needle(self, folder, path):
        raise AnsibleError(f"{folder}/{path} is nowhere")


def test_a_relative_source_is_taken_beside_the_inventory_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory").mkdir()
    for place in (tmp_path / "inventory", tmp_path):
        (place / "node").write_text("x")
    found, tried = _sources.find_source(Action(), "node", {"inventory_dir": str(tmp_path / "inventory")})
    assert found == str(tmp_path / "inventory/node")
    assert tried == [found, "/playbooks/node", str(tmp_path / "node")]


def test_a_source_that_is_nowhere_is_told_with_the_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _sources.find_source(Action(), "node", {"inventory_dir": None}) == (
        None,
        ["/playbooks/node", str(tmp_path / "node")],
    )
    assert _sources.find_source(Action(), "/nonexistent/node", {}) == (None, ["/nonexistent/node"])


def test_a_file_is_read_once_in_a_run_and_again_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    file = tmp_path / "binary"
    file.write_bytes(b"one")
    assert _sources.cached_checksum(str(file)) == "sha256:" + hashlib.sha256(b"one").hexdigest()
    with monkeypatch.context() as patched:
        patched.setattr(_sources, "file_checksum", lambda path: pytest.fail("read again"))
        assert _sources.cached_checksum(str(file)) == "sha256:" + hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"other")
    assert _sources.cached_checksum(str(file)) == "sha256:" + hashlib.sha256(b"other").hexdigest()
