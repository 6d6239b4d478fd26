# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_program_info against real supervisords."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.modules import supervisor_program_info

from .conftest import until

PROGRAM = (
    "import socket, subprocess, sys, time\n"
    "server = socket.create_server(('127.0.0.1', 0))\n"
    "port = server.getsockname()[1]\n"
    "child = subprocess.Popen([sys.executable, '-c', "
    '\'import socket, sys, time; c = socket.create_connection(("127.0.0.1", '
    "int(sys.argv[1]))); time.sleep(60)', str(port)])\n"
    "held = open(sys.argv[1])\n"
    "accepted = server.accept()\n"
    "print(port, flush=True)\n"
    "time.sleep(60)\n"
)


def test_the_evidence_of_a_program_and_its_child(host):
    cpu = str(min(os.sched_getaffinity(0)))
    held = host.folder / "held"
    held.write_text("x")
    script = host.folder / "script.py"
    script.write_text(PROGRAM)
    result = host.apply(
        [
            host.program(
                "a",
                command=[sys.executable, str(script), str(held)],
                cpus=cpu,
                environment={"CUDA_VISIBLE_DEVICES": "GPU-1"},
            ),
            host.program("b"),
        ]
    )
    assert not result.get("failed"), result["msg"]
    log = host.folder / "a.log"
    port = int(until(lambda: log.exists() and log.read_text()))
    a, b = host.run("supervisor_program_info", name="app")["programs"]
    assert (a["name"], a["state"], a["pid"]) == ("a", "RUNNING", host.pids()["a"])
    assert 0 <= a["uptime_s"] < 300
    assert a["restarts"] == 0
    assert (a["cpus_allowed"], a["memory_policy"]) == (cpu, "local")
    assert a["environment"] == {"CUDA_VISIBLE_DEVICES": "GPU-1"}
    assert a["listening"] == [port]
    # the child's end of the connection
    assert f"127.0.0.1:{port}" in a["connected"]
    assert str(held) in a["open_files"]
    assert a["open_file_limit"] >= 1024
    assert a["fd_count"] >= 4
    assert os.path.realpath(a["executable"]) == os.path.realpath(sys.executable)
    assert a["executable_deleted"] is False
    assert (b["listening"], b["connected"], b["environment"], b["gpus"]) == ([], [], {}, [])


def test_gpus_come_from_nvidia_smi(host, monkeypatch):
    host.apply([host.program("a", "sleep 60 & sleep 60"), host.program("b")])
    a, b = host.pids()["a"], host.pids()["b"]
    until(lambda: subprocess.run(["ps", "-o", "pid=", "--ppid", str(a)], stdout=subprocess.PIPE, check=False).stdout)
    folder = host.folder / "bin"
    folder.mkdir()
    (folder / "nvidia-smi").write_text(
        f'#!/bin/sh\n[ "$*" = "--query-compute-apps=pid,gpu_uuid --format=csv,noheader" ] || exit 9\n'
        f"for child in $(ps -o pid= --ppid {a}); do echo $child, GPU-2; done\necho {a}, GPU-1\necho 1, GPU-3\n"
    )
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    found = host.run("supervisor_program_info", programs=["a", "b"])["programs"]
    assert [program["pid"] for program in found] == [a, b]
    assert [program["gpus"] for program in found] == [["GPU-1", "GPU-2"], []]


def test_a_driver_that_hangs_costs_a_limit_and_is_told(host, monkeypatch):
    host.apply([host.program("a")])
    folder = host.folder / "bin"
    folder.mkdir()
    script = folder / "nvidia-smi"
    script.write_text("#!/bin/sh\nsleep 1000 & kill -STOP $$\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(supervisor_program_info, "GPU_PATIENCE_S", 1)
    begin = time.monotonic()
    [found] = host.run("supervisor_program_info", name="app")["programs"]
    assert (found["state"], found["gpus"]) == ("RUNNING", None)
    assert time.monotonic() - begin < 30
    script.write_text("#!/bin/sh\nexit 9\n")
    assert host.run("supervisor_program_info", name="app")["programs"][0]["gpus"] is None


def test_restarts_are_counted_from_the_last_deliberate_start(host):
    programs = [host.program("a"), host.program("b")]
    host.apply(programs)

    def restarts():
        return [program["restarts"] for program in host.run("supervisor_program_info", name="app")["programs"]]

    assert restarts() == [0, 0]
    for _kill in range(2):
        before = host.pids()["a"]
        os.kill(before, signal.SIGKILL)
        until(lambda before=before: host.pids()["a"] not in (0, before))
        host.apply(programs)
    assert restarts() == [2, 0]
    host.apply(state="restarted")
    assert restarts() == [0, 0]


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_replaced_executable_is_told(host, how):
    # Where one program is all of the core utilities, it looks at the name by which it is called.
    binary = host.folder / "sleep"
    binary.write_bytes(open("/bin/sleep", "rb").read())
    binary.chmod(0o755)
    host.apply([host.program("a", command=[str(binary), "60"])])
    host.wait_until_executed("a", str(binary))
    if how == "deleted":
        os.unlink(binary)
    else:
        # what an installation does that is whole or not at all
        (host.folder / "other").write_bytes(b"#!/bin/sh\n")
        os.replace(host.folder / "other", binary)
    found = host.run("supervisor_program_info", name="app")["programs"][0]
    assert (found["executable"], found["executable_deleted"]) == (str(binary), True)


def test_programs_that_do_not_run_have_no_evidence(host):
    host.apply([host.program("a")])
    host.apply(state="stopped")
    found = host.run("supervisor_program_info", programs=["a", "unknown"])["programs"]
    assert [(program["state"], program["pid"], program["cpus_allowed"], program["listening"]) for program in found] == [
        ("STOPPED", None, None, []),
        ("ABSENT", None, None, []),
    ]


def test_errors_are_clear(cold_host):
    assert "supervisord is not running" in cold_host.run("supervisor_program_info", programs=["a"])["msg"]
    message = cold_host.run("supervisor_program_info", name="app")["msg"]
    assert message == f"{cold_host.conf_d}/app.conf cannot be read: No such file or directory"
    message = cold_host.run("supervisor_program_info", name="app", config="/not/here.conf")["msg"]
    assert message == "/not/here.conf cannot be read: No such file or directory"
    assert "one of the following is required: name, programs" in cold_host.run("supervisor_program_info")["msg"]
