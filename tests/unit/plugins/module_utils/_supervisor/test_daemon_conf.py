# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of supervisord's own configuration."""

from __future__ import annotations

import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon_conf import daemon_settings
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import parse

CONFIG = """\
[unix_http_server]
file=/var/run/supervisor.sock   ; (the path to the socket file)
[supervisord]
logfile=/var/log/supervisor/supervisord.log
[include]
files = /etc/supervisor/conf.d/*.conf
"""


def test_settings_of_debian():
    found = daemon_settings(parse(CONFIG), "/etc/supervisor/supervisord.conf")
    assert found.socket == "/var/run/supervisor.sock"
    assert (found.folder, found.suffix) == ("/etc/supervisor/conf.d", ".conf")
    assert found.logfile == "/var/log/supervisor/supervisord.log"
    assert found.username is None


def test_settings_with_expansions_and_several_folders():
    text = (
        "[unix_http_server]\nfile=%(here)s/s.sock\nusername=u\npassword=%(ENV_PW)s\n[supervisord]\nlogfile=supervisord.log\n"
        "[include]\nfiles = a/*/x.conf one.conf %(here)s/ini.d/*.ini conf.d/*.conf\n"
    )
    found = daemon_settings(parse(text), "/srv/supervisord.conf", {"PW": "secret"})
    assert (found.socket, found.username, found.password) == ("/srv/s.sock", "u", "secret")
    assert (found.folder, found.suffix) == ("/srv/conf.d", ".conf")
    assert found.patterns == ["/srv/a/*/x.conf", "/srv/one.conf", "/srv/ini.d/*.ini", "/srv/conf.d/*.conf"]
    assert found.logfile is None


def test_settings_of_a_system_with_ini_files():
    text = CONFIG.replace("/etc/supervisor/conf.d/*.conf", "supervisord.d/*.ini")
    found = daemon_settings(parse(text), "/etc/supervisord.conf")
    assert (found.folder, found.suffix) == (os.path.join("/etc", "supervisord.d"), ".ini")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[unix_http_server]", "[other]", r"has no \[unix_http_server\]"),
        ("[include]", "[other]", r"has no \[include\]"),
        ("/etc/supervisor/conf.d/*.conf", "/etc/one.conf", "no pattern of"),
        ("/etc/supervisor/conf.d/*.conf", "%(nope)s/*.conf", "cannot be expanded"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(old, new, message):
    with pytest.raises(ConfError, match=message):
        daemon_settings(parse(CONFIG.replace(old, new)), "/etc/supervisor/supervisord.conf")


HASHED = CONFIG.replace(
    "[supervisord]", "username=op\npassword={SHA}0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33\n[supervisord]"
)


def test_with_a_hash_the_password_is_the_one_that_supervisorctl_uses():
    found = daemon_settings(parse(HASHED + "[supervisorctl]\nusername=op\npassword=foo\n"), "/etc/supervisord.conf")
    assert (found.username, found.password) == ("op", "foo")


@pytest.mark.parametrize("more", ["", "[supervisorctl]\nusername=op\n", "[supervisorctl]\nusername=x\npassword=foo\n"])
def test_a_hash_alone_lets_nobody_in(more):
    with pytest.raises(ConfError, match="password in .unix_http_server. is a hash, with which nothing can log in"):
        daemon_settings(parse(HASHED + more), "/etc/supervisord.conf")


@pytest.mark.parametrize("value", ["s3cr3t-mark%(nope)s", "s3cr3t-mark%", "s3cr3t-mark%(here)d"])
def test_a_password_that_cannot_be_used_is_not_shown(value):
    text = CONFIG.replace("[supervisord]", f"password={value}\n[supervisord]")
    with pytest.raises(ConfError, match="password: it cannot be expanded") as error:
        daemon_settings(parse(text), "/etc/supervisor/supervisord.conf")
    assert "s3cr3t" not in str(error.value)
