# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test hosts need of their machine."""

from __future__ import annotations

import hosts
import pytest


@pytest.fixture
def limit(monkeypatch, tmp_path):
    path = tmp_path / "max_user_instances"
    path.write_text("128\n")
    monkeypatch.setattr(hosts, "INOTIFY", path)
    return path


def test_seven_hosts_need_no_more_than_every_kernel_allows(limit, capsys):
    hosts.ensure_inotify(7)
    assert (limit.read_text(), capsys.readouterr().out) == ("128\n", "")


def test_for_many_hosts_the_kernel_is_to_allow_more(limit, capsys):
    hosts.ensure_inotify(40)
    assert limit.read_text() == "512\n"
    assert capsys.readouterr().out == "fs.inotify.max_user_instances raised from 128 to 512\n"


def test_where_the_kernel_does_not_allow_more_that_is_said(limit, monkeypatch):
    class Forbidden(type(limit)):
        def write_text(self, *_arguments, **_options):
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(hosts, "INOTIFY", Forbidden(limit))
    with pytest.raises(hosts.HostsError, match="sysctl fs.inotify.max_user_instances=512"):
        hosts.ensure_inotify(40)
