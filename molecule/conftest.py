# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenarios' tests look at.

Servers as they are, read beside Ansible and without this collection's own code.
"""

from __future__ import annotations

import configparser
import contextlib
import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import testinfra

REPOSITORY = Path(__file__).parents[1]
# What the measurement of upgrades and the scenarios share.
sys.path.insert(0, str(REPOSITORY / "tests/bench"))
RELEASE = json.loads((REPOSITORY / "build/fakes/release.json").read_text())
# As in .config/molecule/config.yml.
PREFIX, NETWORK = os.environ.get("TEST_HOSTS_PREFIX", "molecule-"), os.environ.get("TEST_HOSTS_NETWORK", "10.213.8")


class Server:
    """One test host."""

    def __init__(self, name, host=None):
        self.name = name
        self.container = PREFIX + name
        self.host = host or testinfra.get_host(f"docker://{self.container}")

    @functools.cached_property
    def address(self):
        """The host's own address."""
        return self.run("hostname --all-ip-addresses").split()[0]

    def run(self, command):
        """Output of a shell command that has to succeed."""
        result = self.host.run(command)
        assert result.rc == 0, f"{self.name}: {command}: {result.stdout}{result.stderr}"
        return result.stdout

    def programs(self):
        """Every supervised program with its state."""
        return dict(line.split()[:2] for line in self.host.run("supervisorctl status").stdout.splitlines())

    def pids(self):
        """Every running program with the number of its process."""
        return {
            name: int(pid)
            for name, pid in re.findall(
                r"^(\S+) +RUNNING +pid (\d+)", self.host.run("supervisorctl status").stdout, re.MULTILINE
            )
        }

    def pid(self, program):
        """The number of the program's process, 0 while it does not run."""
        return self.pids().get(program, 0)

    def command(self, program):
        """The command line of the running process, without the interpreter and the wrapper that it was started by."""
        words = self.run(f"tr '\\0' '\\n' </proc/{self.pid(program)}/cmdline").splitlines()
        first = next(index for index, word in enumerate(words) if "/releases/" in word or "/nats/" in word)
        return words[first:]

    def environment(self, program):
        """The environment of the running process."""
        lines = self.run(f"tr '\\0' '\\n' </proc/{self.pid(program)}/environ").splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def user(self, program):
        return self.run(f"stat -c %U /proc/{self.pid(program)}").strip()

    def masks(self, program):
        """The CPU lists of all threads of the running process."""
        return set(
            self.run(f"awk '/^Cpus_allowed_list/ {{ print $2 }}' /proc/{self.pid(program)}/task/*/status").split()
        )

    def definition(self, program):
        """The program's section of the supervisor files, in which every program stands once."""
        found = []
        for path in self.run("ls /etc/supervisor/conf.d/*.conf").split():
            parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",), strict=True)
            parser.read_string(self.run(f"cat {path}"))
            found += [dict(parser[section]) for section in parser.sections() if section == f"program:{program}"]
        assert len(found) == 1, f"{program} is defined {len(found)} times"
        return found[0]

    def connections(self, program):
        """Remote ends, ADDRESS:PORT, of the running process' established connections."""
        lines = self.run("ss --no-header --tcp --numeric --processes state established").splitlines()
        pid = self.pid(program)
        return {line.split()[3].replace("[::ffff:", "").replace("]", "") for line in lines if f"pid={pid}," in line}

    def listening(self, program):
        """Ports that the running process listens on."""
        lines = self.run("ss --no-header --tcp --numeric --processes --listening").splitlines()
        pid = self.pid(program)
        return {int(line.split()[3].rpartition(":")[2]) for line in lines if f"pid={pid}," in line}

    def http(self, url):
        """JSON from a page of the host."""
        code = f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=5).read().decode())"
        return json.loads(self.run(f'python3 -c "{code}"'))

    def rpc(self, url, method, *parameters):
        """Result of a JSON-RPC call made on the host."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        code = (
            "import sys, urllib.request; "
            f"request = urllib.request.Request({url!r}, sys.stdin.buffer.read(), "
            f"{{'Content-Type': 'application/json'}}); "
            "print(urllib.request.urlopen(request, timeout=5).read().decode())"
        )
        return json.loads(self.run(f"echo '{body}' | python3 -c \"{code}\""))["result"]

    def open_files(self, program):
        """Regular files that the running process holds open."""
        return set(re.findall(r"-> (/.+)", self.run(f"ls -l /proc/{self.pid(program)}/fd")))


class Run:
    """A playbook that ended, and what it printed."""

    def __init__(self, status, output):
        self.status = status
        self.output = output
        # Long messages are folded by nobody, but quoted by YAML where they must be.
        self.text = re.sub(r"\s+", " ", output.replace("\\n", " ").replace("''", "'"))

    @property
    def changes(self):
        """Host to number of changed tasks."""
        return {
            host: int(count)
            for host, count in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", self.output, re.MULTILINE)
        }

    def __repr__(self):
        return f"status {self.status}\n{self.output[-8000:]}"


class Operator:
    """Runs playbooks on an inventory as an operator does, with settings that stay as they are until they are
    changed.
    """

    def __init__(self, inventory):
        self.settings = {}
        self._inventory = inventory
        self.environment = dict(
            os.environ,
            ANSIBLE_CONFIG=str(REPOSITORY / "ansible.cfg"),
            TEST_HOSTS_PREFIX=PREFIX,
            TEST_HOSTS_NETWORK=NETWORK,
        )
        # What readings announce and what roles then change is compared in every run.
        self.environment.update(
            ANSIBLE_CALLBACK_PLUGINS=str(REPOSITORY / "tests/callbacks"), ANSIBLE_CALLBACKS_ENABLED="announced"
        )
        # Molecule has its own wishes.
        self.environment.update(ANSIBLE_VERBOSE_TO_STDERR="false", ANSIBLE_FORCE_COLOR="false")

    def start(self, playbook, *options, announced=os.devnull, **settings):
        variables = json.dumps({**self.settings, **settings})
        command = [
            Path(sys.executable).with_name("ansible-playbook"),
            "-i",
            self._inventory,
            "-e",
            variables,
            *options,
            playbook,
        ]
        # In a session of its own, so that all of it can be killed.
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**self.environment, "ANNOUNCED_FILE": str(announced)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @staticmethod
    def kill(process):
        """End a playbook where it is, with its workers.

        They have process groups of their own, and would wait for it for ever.
        """
        workers = subprocess.run(
            ["pgrep", "--parent", str(process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        for pid in (process.pid, *map(int, workers)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()

    def run(self, playbook, *options, **settings):
        with tempfile.TemporaryDirectory() as folder:
            announced = Path(folder) / "announced"
            process = self.start(playbook, *options, announced=announced, **settings)
            output, _nothing = process.communicate(timeout=600)
            if Path(playbook).name == "site.yml" and "PLAY RECAP" in output:
                assert announced.read_text() == "", output[-8000:]
        return Run(process.returncode, output)

    def passes(self, playbook, *options, **settings):
        done = self.run(playbook, *options, **settings)
        assert done.status == 0, done
        return done

    def fails(self, playbook, *options, **settings):
        done = self.run(playbook, *options, **settings)
        assert done.status != 0, done
        return done


def eventually(question, seconds=60):
    """The first true answer to a question that is asked again for a while."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.5)


@pytest.fixture(scope="session")
def server():
    """Get a server by its inventory name."""
    return Server


@pytest.fixture(scope="session")
def operator():
    """Get an operator of an inventory, by its path."""
    return Operator


@pytest.fixture(scope="session")
def minimal():
    """The host with nothing but the required variables."""
    return Server("minimal")


@pytest.fixture(scope="session")
def custom():
    """The host with every variable changed."""
    return Server("custom")


@pytest.fixture(scope="session")
def until():
    """Ask again for a while."""
    return eventually


@pytest.fixture(scope="session")
def version():
    """Version of the installed release."""
    return RELEASE["version"]


@pytest.fixture(scope="session")
def nats_version():
    """Version of the installed NATS server."""
    return RELEASE["nats"]["version"]
