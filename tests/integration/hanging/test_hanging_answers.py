# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules whose commands hang and whose servers drip or never end: each ends within its bound, with a sentence.

The processes and sockets are real; only the bounds are shorter than they are for users.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import read as host_read
from ansible_collections.autonomys.cluster.plugins.module_utils._job import host as job_host
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import rpc
from ansible_collections.autonomys.cluster.plugins.modules import (
    gpu_topology_info,
    host_info,
    nats_info,
    node_info,
    supervisor_program_info,
    systemd_job_info,
)
from ansible_collections.autonomys.cluster.tests.unit.modules import result_of, run_module
from ansible_collections.autonomys.cluster.tests.unit.rude import RudeServer

# Seconds that a module may take beyond its bounds, on a machine that does much else.
REST = 15
HANGS = {
    "stopped": "kill -STOP $$",
    "ignores signals": "trap '' TERM HUP INT QUIT; while :; do sleep 0.2; done",
    "leaves a child": "sleep 600 & exit 0",
}
WITHOUT_END = "exec yes"


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Put a script in the place of a command."""

    def install(name, text):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    yield install
    # What hung is gone, or waits as a zombie for this process to look.
    for pid in (tmp_path / "pids").read_text(encoding="utf-8").split():
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as handle:
                assert handle.read().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            continue


@pytest.fixture
def supervisord():
    """A socket that is accepted from and never answered on, and the configuration that names it."""
    # Not pytest's tmp_path: the name of a unix socket must stay short.
    folder = tempfile.mkdtemp()
    path, config = os.path.join(folder, "s.sock"), os.path.join(folder, "supervisord.conf")
    with open(config, "w", encoding="utf-8") as handle:
        handle.write(f"[unix_http_server]\nfile={path}\n[include]\nfiles={folder}/*.conf.d\n")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(5)
        yield config
    shutil.rmtree(folder)


@pytest.fixture
def ask(capsys):
    """Run a module and return its answer; it takes so many seconds at most."""

    def ask(module, arguments, seconds):
        begun = time.monotonic()
        answer = result_of(run_module(module.main, arguments, capsys)[0])
        assert time.monotonic() - begun < seconds + REST
        return answer

    return ask


@pytest.mark.parametrize("way", HANGS)
def test_nvidia_smi_that_hangs(command, ask, way):
    command("nvidia-smi", HANGS[way])
    answer = ask(gpu_topology_info, {"timeout": 1}, 3)
    assert answer["gpu_error"].endswith("did not end within 1 s; the NVIDIA driver may hang (look at dmesg)")
    assert answer["topology"]["cpus"]["online"]


def test_nvidia_smi_that_writes_without_end(command, ask):
    command("nvidia-smi", WITHOUT_END)
    answer = ask(gpu_topology_info, {"timeout": 60}, 5)
    assert answer["gpu_error"].endswith("wrote more than 16777216 bytes")


@pytest.mark.parametrize("way", HANGS)
def test_commands_of_a_host_that_hang(command, ask, way, monkeypatch):
    monkeypatch.setattr(host_read, "PATIENCE_S", 0.5)
    for name in ("systemctl", "ip", "dpkg-query", "nft"):
        command(name, HANGS[way])
    answer = ask(host_info, {"packages": ["bash"]}, 2)["host"]
    assert answer["packages"] == {"bash": None} and answer["addresses"] == [] and answer["packet_filter"] is None
    assert answer["service"] == {"installed": False, "enabled": False, "active": False}
    assert answer["cpus"] and answer["memory_mib"]


@pytest.mark.parametrize("way", HANGS)
def test_systemctl_that_hangs(command, ask, way, monkeypatch):
    monkeypatch.setattr(job_host, "ANSWER_S", 0.5)
    monkeypatch.setattr(job_host._ask, "__defaults__", (0.5,))
    command("systemctl", HANGS[way])
    answer = ask(systemd_job_info, {"name": "autonomys-x"}, 1)
    assert answer["failed"] and answer["msg"].startswith("systemctl show")
    assert answer["msg"].endswith("did not end within 0.5 s")


def test_supervisord_that_accepts_and_does_not_answer(supervisord, ask, monkeypatch):
    monkeypatch.setattr(rpc.Supervisor.__init__, "__defaults__", (None, None, 0.5))
    answer = ask(supervisor_program_info, {"programs": ["a"], "config": supervisord}, 1)
    assert answer["failed"] and answer["msg"].startswith("supervisord did not answer getAllProcessInfo on ")
    assert answer["msg"].endswith(" within 0.5 s")


def test_nvidia_smi_and_supervisord_that_hang_at_once(command, supervisord, ask, monkeypatch):
    """The limits of both together, and no more."""
    monkeypatch.setattr(rpc.Supervisor.__init__, "__defaults__", (None, None, 0.5))
    monkeypatch.setattr(supervisor_program_info, "GPU_PATIENCE_S", 0.5)
    command("nvidia-smi", HANGS["stopped"])
    assert ask(supervisor_program_info, {"programs": ["a"], "config": supervisord}, 2)["failed"]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("begin", [b"", HEAD + b"\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\n"])
def test_nats_that_drips_a_byte_a_second(ask, begin):
    def drip(server, connection):
        connection.recv(65536)
        connection.sendall(begin)
        server.drip(connection, b'{"server_name": "n1"}' if begin else HEAD, pause=1)

    with RudeServer(drip) as server:
        answer = ask(nats_info, {"url": server.url, "timeout": 2}, 2)["nats"]
    assert not answer["reachable"] and not answer["safe_to_stop"]
    assert answer["error"].startswith(server.url + "/") and answer["error"].endswith(" did not answer: timed out")


def flood(body, size):
    """The function that answers with so many bytes, if anybody takes them, and counts those that were taken."""
    taken = []

    def answer(_server, connection):
        connection.recv(65536)
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % size)
        for _part in range(size // len(body)):
            connection.sendall(body)
            taken.append(len(body))

    return answer, taken


@pytest.mark.parametrize("size", [100, 200])
def test_node_that_answers_too_much(ask, size):
    answer, taken = flood(b" " * 1_000_000, size * 1_000_000)
    with RudeServer(answer) as server:
        node = ask(node_info, {"url": server.url, "timeout": 30}, 30)["node"]
    assert not node["reachable"] and node["error"].endswith(" answered more than 16777216 bytes")
    assert sum(taken) < 30_000_000


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"result":' * 100_000, b"[]", b'"x"', b"1", b"\0" * 100])
@pytest.mark.parametrize("module, key", [(node_info, "node"), (nats_info, "nats")])
def test_answers_that_are_none(ask, body, module, key):
    def answer(_server, connection):
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        # With a part of the question unread, the end of the connection would overtake the answer.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            continue

    with RudeServer(answer) as server:
        found = ask(module, {"url": server.url, "timeout": 5}, 5)[key]
    assert not found["reachable"] and found["error"].endswith("with status 200 and no JSON object")
    json.dumps(found)
