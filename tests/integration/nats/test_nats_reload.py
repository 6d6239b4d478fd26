# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers under a real supervisord: which settings a reload takes, and what happens to those that it does not."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.nats import (
    LATER_RESTART_SETTINGS,
    RESTART_SETTINGS,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import config_load_time
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import render
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.reload import ReloadError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import Supervisor, SupervisorDown
from ansible_collections.autonomys.cluster.plugins.modules import nats_reload
from ansible_collections.autonomys.cluster.tests.integration.ports import free_ports

BINARY = Path(sys.executable).with_name("nats-server")


def until(question, seconds=60):
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end
        time.sleep(0.1)


class Server:
    """One NATS server as the role runs it."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "store").mkdir()
        client, cluster, monitor = free_ports(3)
        self.settings = {
            "cluster_address": "127.0.0.1",
            "nats_server_name": "node-1",
            "nats_cluster_name": "autonomys",
            "nats_peers": {"node-1": "127.0.0.1"},
            "nats_client_port": client,
            "nats_cluster_port": cluster,
            "nats_monitor_port": monitor,
            "nats_max_payload": "3MB",
            "nats_max_pending": "256MB",
            "nats_write_deadline": "10s",
            "nats_lame_duck_duration": "30s",
            "nats_store_dir": str(folder / "store"),
            "nats_jetstream_max_memory": "64MB",
            "nats_jetstream_max_file": "256MB",
        }
        self.path, self.running = folder / "nats.conf", folder / "nats.conf.running"
        self.write()
        self.running.write_text(self.path.read_text())
        self.url = f"http://127.0.0.1:{monitor}"
        self.config = folder / "supervisord.conf"
        self.config.write_text(
            f"[unix_http_server]\nfile={folder}/s.sock\n[supervisord]\nlogfile={folder}/supervisord.log\n"
            f"pidfile={folder}/supervisord.pid\nchildlogdir={folder}\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[include]\nfiles={folder}/none/*.conf\n[program:nats-server]\ncommand={BINARY} --config {self.path}\n"
            f"redirect_stderr=true\nstdout_logfile={folder}/nats.log\nstopsignal=KILL\n"
        )
        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self.config)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)

    def write(self, **changes):
        self.path.write_text(render(dict(self.settings, **changes)) + "\n")

    def reload(self):
        arguments = {name: spec.get("default") for name, spec in nats_reload.ARGUMENTS.items()}
        arguments.update(
            config=str(self.config), path=str(self.path), running=str(self.running), url=self.url, timeout=3
        )
        return nats_reload.execute(arguments)

    def stop(self):
        try:
            Supervisor(str(self.folder / "s.sock")).call("shutdown")
        except SupervisorDown:
            pass
        self.process.wait(60)


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path)
    try:
        until(lambda: config_load_time(running.url))
        yield running
    finally:
        running.stop()


def test_the_pid_file_of_the_server_s_account_is_never_read(server):
    """Whatever number is in it, the signal goes to the process that supervisord started."""
    with subprocess.Popen(["sleep", "1000"]) as bystander:
        pid_file = server.folder / "store" / "nats-server.pid"
        pid_file.write_text(f"{bystander.pid}\n")
        server.write(nats_write_deadline="12s")
        before = config_load_time(server.url)
        assert server.reload() not in (None, before)
        assert bystander.poll() is None
        bystander.kill()
    assert server.running.read_text() == server.path.read_text()


CHANGES = {
    "nats_max_payload": "4MB",
    "nats_max_pending": "128MB",
    "nats_write_deadline": "12s",
    "nats_lame_duck_duration": "40s",
    "nats_jetstream_max_memory": "32MB",
    "nats_jetstream_max_file": "128MB",
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_reload_refuses_is_changed_by_a_restart(server, name):
    """A setting that the server refuses at run time must be one that the role restarts for."""
    former = server.path.read_text()
    server.write(**{name: CHANGES[name]})
    try:
        server.reload()
    except ReloadError as error:
        assert name in RESTART_SETTINGS or name in LATER_RESTART_SETTINGS
        assert "not supported for" in str(error)
        assert server.path.read_text() == server.running.read_text() == former
    else:
        assert server.running.read_text() == server.path.read_text() != former
    # The server runs on, and takes the next change.
    server.write(nats_write_deadline="15s")
    server.reload()
