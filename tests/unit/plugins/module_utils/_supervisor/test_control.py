# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can tell supervisord what to do."""

from __future__ import annotations

import socket

from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.control import read_control


def test_the_socket_of_a_distribution(tmp_path):
    config = tmp_path / "supervisord.conf"
    config.write_text("[unix_http_server]\nfile=s.sock ; beside it\nchmod=0700\n")
    nothing = {"address": None, "socket_password": False, "address_password": False}
    assert read_control(str(config)) == {"socket": "s.sock", "mode": None, "owner": None, "group": None, **nothing}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.sock"))
        (tmp_path / "s.sock").chmod(0o770)
        found = read_control(str(config))
    assert found and (found["mode"], found["owner"]) == ("0770", (tmp_path / "s.sock").owner())


def test_a_port_and_passwords(tmp_path):
    config = tmp_path / "supervisord.conf"
    config.write_text("[inet_http_server]\nport=%(ENV_A)s:9001\npassword=x\n[unix_http_server]\nfile=/s\npassword=y\n")
    found = read_control(str(config), {"A": "127.0.0.1"})
    assert found and (found["address"], found["address_password"], found["socket_password"]) == (
        "127.0.0.1:9001",
        True,
        True,
    )
    assert "x" not in found.values() and "y" not in found.values()


def test_what_cannot_be_read_is_not_known(tmp_path):
    config = tmp_path / "supervisord.conf"
    config.write_text("no section\n")
    assert read_control(str(config)) is None
    config.write_text("[inet_http_server]\nport=%(ENV_NOPE)s\n")
    assert read_control(str(config), {}) is None
    assert read_control(str(tmp_path / "none"))["socket"] is None
