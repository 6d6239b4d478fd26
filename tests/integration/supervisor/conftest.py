# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real supervisords, each in a folder of its own: Debian's and the newest of PyPI."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import rpc
from ansible_collections.autonomys.cluster.plugins.modules import (
    component_start_check,
    supervisor_program,
    supervisor_program_info,
)
from ansible_collections.autonomys.cluster.tests.other_versions import folder_of

RUNNER = """
import importlib, json, sys
from ansible.module_utils.testing import patch_module_args
name, arguments = sys.argv[1], json.loads(sys.argv[2])
module = importlib.import_module("ansible_collections.autonomys.cluster.plugins.modules." + name)
with patch_module_args(arguments):
    module.main()
"""

MODULES = {
    "supervisor_program": supervisor_program,
    "supervisor_program_info": supervisor_program_info,
    "component_start_check": component_start_check,
}

KINDS = {
    "debian": ["/usr/bin/python3", "/usr/bin/supervisord"],
    "pypi": [sys.executable, "-m", "supervisor.supervisord"],
    # More versions, which `make compat` names: with their folder first among those of Python.
    **{
        version: [
            "env",
            f"PYTHONPATH={folder_of('supervisor', version)}",
            sys.executable,
            "-m",
            "supervisor.supervisord",
        ]
        for version in os.environ.get("SUPERVISOR", "").split()
    },
}


def until(question, pause=0.02, seconds=60):
    """Ask until the answer is true; return it."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(pause)


class CallCounter:
    """A proxy in front of supervisord's socket that notes the names of the methods that are called."""

    def __init__(self, host):
        self.methods = []
        self.target = str(host.socket)
        self.config = host.folder / "counted.conf"
        self.config.write_text(host.config.read_text().replace("s.sock", "c.sock"))
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(host.folder / "c.sock"))
        self.server.listen(8)
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            client, _address = self.server.accept()
            request, more = b"", b"?"
            while more and b"</methodCall>" not in request:
                more = client.recv(65536)
                request += more
            if not more:
                # Who only looks who listens asks nothing.
                client.close()
                continue
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(self.target)
            self.methods.append(re.search(rb"<methodName>(.*?)</methodName>", request).group(1).decode())
            upstream.sendall(request.replace(b"Connection: keep-alive", b"Connection: close"))
            head = b""
            while b"\r\n\r\n" not in head:
                head += upstream.recv(65536)
            length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
            while len(head.split(b"\r\n\r\n", 1)[1]) < length:
                head += upstream.recv(65536)
            client.sendall(head)
            client.close()
            upstream.close()


class Host:
    """A folder that stands for a host: supervisord, its configuration, and a place for programs' files."""

    def __init__(self, kind, folder):
        self.folder = Path(folder)
        self.kind = kind
        self.config = self.folder / "supervisord.conf"
        self.conf_d = self.folder / "conf.d"
        self.conf_d.mkdir()
        self.socket = self.folder / "s.sock"
        self.log = self.folder / "supervisord.log"
        self.config.write_text(
            "[unix_http_server]\nfile=%(here)s/s.sock\n"
            "[supervisord]\nlogfile=%(here)s/supervisord.log\npidfile=%(here)s/supervisord.pid\nchildlogdir=%(here)s\n"
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
            "supervisor.rpcinterface:make_main_rpcinterface\n"
            "[include]\nfiles = conf.d/*.conf\n"
        )
        self.rpc = rpc.Supervisor(str(self.socket))
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            KINDS[self.kind] + ["-n", "-c", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )

        def answers():
            assert self.process.poll() is None, (
                f"supervisord did not start: {self.log.read_text() if self.log.exists() else ''}"
            )
            try:
                return self.rpc.call("getState")
            except rpc.SupervisorDown:
                return None

        until(answers)

    def stop(self):
        """End supervisord and its programs the quick way, as a crash would."""
        with contextlib.suppress(rpc.SupervisorError):
            infos = self.rpc.processes()
            os.kill(self.rpc.call("getPID"), signal.SIGKILL)
            for info in infos:
                if info["pid"]:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(info["pid"], signal.SIGKILL)
        if self.process:
            self.process.wait(60)

    def wait_until_deaf(self, *names):
        """Wait until programs ignore SIGTERM: they count as started before their shell has read the script."""
        for name in names:
            status = Path(f"/proc/{self.pids()[name]}/status")
            until(
                lambda status=status: (
                    int(re.search(r"SigIgn:\s*(\w+)", status.read_text()).group(1), 16) >> (signal.SIGTERM - 1) & 1
                )
            )

    def wait_until_executed(self, name, command):
        """Wait until a program's process is this command.

        It counts as started before it is more than a copy of supervisord.
        """
        path = Path(f"/proc/{self.pids()[name]}/cmdline")
        until(lambda: path.read_bytes().startswith(os.fsencode(command) + b"\0"))

    def environment(self, name, command="/bin/sh"):
        """The environment of a program that runs, as its process got it."""
        self.wait_until_executed(name, command)
        return Path(f"/proc/{self.pids()[name]}/environ").read_bytes().split(b"\0")

    def wait_until_running(self, *names):
        """Wait until supervisord has these programs and says that they run."""
        until(
            lambda: (
                [info["statename"] for name, info in self.processes().items() if name in names]
                == ["RUNNING"] * len(names)
            )
        )

    def wait_until_stopping(self, name):
        """Wait until a program has been asked to end."""
        until(lambda: self.processes()[name]["statename"] == "STOPPING", 0.05)

    def start_command(self):
        """A shell command that starts supervisord in the background."""
        return f"{' '.join(KINDS[self.kind])} -c {self.config}"

    def processes(self):
        return {info["name"]: info for info in self.rpc.processes()}

    def pids(self):
        return {name: info["pid"] for name, info in self.processes().items()}

    def program(self, name, script="while :; do sleep 0.1; done", **more):
        """A program of a shell script that counts as started at once.

        What is to be seen dying needs ``startsecs=1``.
        """
        return dict(
            {
                "name": name,
                "command": ["/bin/sh", "-c", script],
                "startsecs": 0,
                "stopwaitsecs": 3,
                "log": {"path": str(self.folder / (name + ".log"))},
            },
            **more,
        )

    def popen(self, module="supervisor_program", check=False, **arguments):
        arguments.setdefault("config", str(self.config))
        arguments.update({"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_no_log": False})
        return subprocess.Popen(
            [sys.executable, "-c", RUNNER, module, json.dumps(arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # The collection is found where pytest found it.
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        )

    def run(self, module="supervisor_program", check=False, **arguments):
        """Run a module to its end in a fork, which saves most of the time that a new interpreter takes."""
        arguments.setdefault("config", str(self.config))
        arguments.update({"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_no_log": False})
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(writer, 1)
            sys.stdout = os.fdopen(1, "w")
            try:
                with patch_module_args(arguments):
                    MODULES[module].main()
            finally:
                sys.stdout.flush()
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            out = stream.read()
        os.waitpid(child, 0)
        return json.loads(out)

    def apply(self, programs=None, name="app", **arguments):
        if programs is not None:
            arguments["programs"] = programs
        return self.run(name=name, **arguments)

    def count_calls(self):
        return CallCounter(self)

    def text(self, name="app"):
        return (self.conf_d / (name + ".conf")).read_text()


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    if request.param == "debian" and not os.path.exists("/usr/bin/supervisord"):
        pytest.skip("Debian's supervisor is not installed")
    return request.param


@pytest.fixture
def cold_host(kind):
    """A host where supervisord is configured but does not run."""
    # not pytest's tmp_path: the name of a unix socket must stay short
    folder = tempfile.mkdtemp(prefix="sv-")
    host = Host(kind, folder)
    yield host
    host.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def host(cold_host):
    """A host with a running supervisord."""
    cold_host.start()
    return cold_host
