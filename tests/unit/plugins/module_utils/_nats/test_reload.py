# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reload that is taken, one that is refused, and a copy that is whole or not there."""

from __future__ import annotations

import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats import reload as reloading
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.reload import ReloadError, copy, refusal, reload


class Server:
    """A server that takes its configuration when it is signalled, or says in its log why not."""

    def __init__(self, folder, refuses=None, deaf=False):
        self.path, self.running, self.log = folder / "nats.conf", folder / "nats.conf.running", folder / "nats.log"
        self.path.write_text("new\n")
        self.running.write_text("former\n")
        self.log.write_text("[ERR] reload of an older day\n")
        self.refuses, self.deaf, self.loaded, self.signals = refuses, deaf, "monday", 0

    def signal(self):
        self.signals += 1
        if self.refuses:
            with self.log.open("a") as log:
                log.write(f"[1] 2026/01/01 [ERR] {self.refuses}\n")
        else:
            self.loaded = "tuesday"

    def load_time(self):
        return None if self.deaf else self.loaded

    def reload(self):
        return reload(self.load_time, self.signal, str(self.log), str(self.path), str(self.running), patience=0.3)


def test_a_configuration_that_is_taken_is_noted(tmp_path):
    server = Server(tmp_path)
    assert (server.reload(), server.signals) == ("tuesday", 1)
    assert (server.path.read_text(), server.running.read_text()) == ("new\n", "new\n")


def test_one_that_is_refused_is_taken_back_with_the_server_s_reason(tmp_path):
    server = Server(tmp_path, "Failed to reload server configuration: config reload not supported for MaxPending")
    with pytest.raises(ReloadError) as error:
        server.reload()
    assert str(error.value) == (
        "nats-server did not take its new configuration within 0.3 s: Failed to reload server configuration: config "
        f"reload not supported for MaxPending. {server.path} is the former one again, with which the server runs on. "
        "Correct the setting and run again"
    )
    assert (server.path.read_text(), server.running.read_text()) == ("former\n", "former\n")


def test_without_a_former_one_nothing_is_put_back(tmp_path):
    server = Server(tmp_path, "Failed to reload")
    server.running.unlink()
    with pytest.raises(ReloadError, match=f"It runs on with the one that it has read; {server.path} is the new one"):
        server.reload()
    assert server.path.read_text() == "new\n"


def test_a_server_that_does_not_answer_has_not_taken_it(tmp_path):
    server = Server(tmp_path, deaf=True)
    with pytest.raises(ReloadError, match="within 0.3 s. .* is the former one again"):
        server.reload()


def test_the_reason_is_short_and_the_last_one(tmp_path):
    assert refusal("[INF] Reloaded server configuration\n") is None
    assert refusal("[ERR] reload one\n[ERR] other\n[ERR] Reload two\n") == "Reload two"
    assert len(refusal("[ERR] reload " + "x" * 5000)) == 300


def test_a_log_that_was_begun_anew_is_read_from_its_beginning(tmp_path):
    log = tmp_path / "log"
    log.write_text("short")
    assert reloading._read(str(log), 1000) == "short"
    assert reloading._read(str(log), 2) == "ort"
    assert reloading._read(str(tmp_path / "none"), 0) == reloading._read(None, 0) == ""


def test_a_copy_has_mode_and_owner_and_leaves_nothing_else(tmp_path, monkeypatch):
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("one")
    source.chmod(0o640)
    copy(str(source), str(target))
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("one", 0o640)

    def full(_descriptor):
        raise OSError(28, "No space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        copy(str(source), str(target))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
