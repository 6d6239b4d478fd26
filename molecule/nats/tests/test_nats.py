# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NATS server as an operator sees it: pages, process, files."""

from __future__ import annotations

GIB = 1024**3
MIB = 1024**2


def test_minimal_server_serves_clients_with_jetstream(minimal, nats_version):
    page = minimal.http("http://127.0.0.1:8222/varz")
    assert page["version"] == nats_version
    assert page["server_name"] == "minimal"
    assert page["max_payload"] == 3 * MIB
    assert page["port"] == 4222
    assert page["jetstream"]["config"]["max_memory"] == GIB
    assert page["jetstream"]["config"]["max_storage"] == 20 * GIB
    assert page["jetstream"]["config"]["store_dir"] == "/var/lib/nats/jetstream"
    assert minimal.http("http://127.0.0.1:8222/healthz") == {"status": "ok"}


def test_minimal_server_runs_as_its_own_user_from_the_versions_folder(minimal, nats_version):
    assert minimal.programs() == {"nats-server": "RUNNING"}
    assert minimal.user("nats-server") == "autonomys"
    assert minimal.command("nats-server") == [
        f"/opt/autonomys/nats/{nats_version}/nats-server",
        "--config",
        "/etc/nats-server.conf",
    ]
    assert minimal.host.file("/var/lib/nats").user == "autonomys"
    assert minimal.host.file("/var/lib/nats").mode == 0o750


def test_custom_server_has_every_setting(custom):
    page = custom.http("http://127.0.0.1:18222/varz")
    assert page["server_name"] == "first"
    assert page["max_payload"] == 4 * MIB
    assert page["max_pending"] == 128 * MIB
    assert page["write_deadline"] == 20 * 10**9
    assert page["port"] == 14222
    assert page["jetstream"]["config"]["max_memory"] == 64 * MIB
    assert page["jetstream"]["config"]["max_storage"] == 128 * MIB
    assert page["jetstream"]["config"]["store_dir"] == "/srv/nats/data/jetstream"
    assert {14222, 18222} <= custom.listening("nats-server")
    assert not {4222, 4248, 8222} & custom.listening("nats-server")


def test_custom_program_has_every_setting(custom, nats_version):
    assert custom.user("nats-server") == "operator"
    assert custom.command("nats-server") == [
        f"/srv/autonomys/nats/{nats_version}/nats-server",
        "--config",
        "/etc/nats-server.conf",
        "--debug",
    ]
    assert custom.environment("nats-server")["GOMAXPROCS"] == "1"
    definition = custom.definition("nats-server")
    assert definition["stopwaitsecs"] == "45"
    assert definition["stdout_logfile"] == "/srv/log/nats-server.log"
    assert custom.host.file("/srv/log/nats-server.log").contains("first")


def test_programs_stop_in_lame_duck_mode(minimal):
    assert minimal.definition("nats-server")["stopsignal"] == "USR2"


def test_killed_server_comes_back(minimal, until):
    before = minimal.pid("nats-server")
    minimal.run(f"kill -9 {before}")
    assert until(lambda: minimal.pid("nats-server") not in (0, before))
    assert until(
        lambda: (
            minimal.host.run(
                "python3 -c \"import urllib.request; urllib.request.urlopen('http://127.0.0.1:8222/healthz')\""
            ).rc
            == 0
        )
    )
