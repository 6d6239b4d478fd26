# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nats_reload module's own part: what it says in check mode and where it cannot begin."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.modules import nats_reload
from ansible_collections.autonomys.cluster.tests.unit.modules import result_of, run_module


def run(capsys, **arguments):
    answer, _logged = run_module(nats_reload.main, arguments, capsys)
    return result_of(answer)


def test_check_mode_predicts_the_change_and_asks_nobody(capsys, monkeypatch):
    monkeypatch.setattr(nats_reload, "execute", lambda _params: 1 / 0)
    result = run(capsys, _ansible_check_mode=True)
    assert result["changed"] and result["config_load_time"] is None


def test_a_host_without_supervisord_is_an_error(capsys, tmp_path):
    result = run(capsys, config=str(tmp_path / "none.conf"))
    assert result["failed"] and "so no supervisord that could signal nats-server" in result["msg"]


def test_a_copy_that_cannot_be_kept_is_an_error(capsys, monkeypatch):
    def full(_params):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nats_reload, "execute", full)
    result = run(capsys)
    assert result["failed"] and "the configuration of nats-server cannot be kept" in result["msg"]
