# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import read
from ansible_collections.autonomys.cluster.plugins.module_utils._host.files import MAX_FILE

ADDRESSES = """[
 {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
 {"ifname": "eth0", "flags": ["UP"],
  "addr_info": [{"local": "10.0.0.1", "prefixlen": 24}, {"local": "fe80::1", "prefixlen": 64}]},
 {"ifname": "eth1", "flags": [], "addr_info": []},
 {}
]"""


@pytest.mark.skipif(not shutil.which("timedatectl"), reason="needs timedatectl to compare with")
def test_the_clock_is_judged_as_timedatectl_does():
    assert read.clock_synchronized() in (True, False)
    said = subprocess.run(
        ["timedatectl", "show", "-p", "NTPSynchronized", "--value"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if said:
        assert read.clock_synchronized() == (said == "yes")


def test_a_file_and_what_is_none(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"text \xff\n")
    path.chmod(0o640)
    result = read.read_file(str(path))
    assert (result["content"], result["mode"]) == ("text \ufffd\n", "0640")
    assert read.read_file(str(tmp_path / "nope")) is None
    assert read.read_file(str(tmp_path))["content"] is None
    path.write_bytes(b"x" * (MAX_FILE + 1))
    assert read.read_file(str(path))["content"] is None


def test_an_owner_without_a_name_is_a_number(tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root to give a file away")
    path = tmp_path / "file"
    path.write_text("")
    os.chown(path, 54321, 54322)
    result = read.read_file(str(path))
    assert (result["owner"], result["group"]) == ("54321", "54322")


def test_users():
    root = read.read_user("root")
    assert (root["uid"], root["gid"], root["group"], root["home"]) == (0, 0, "root", "/root")
    assert read.read_user("nobody-of-that-name") is None


class Programs:
    """Stands for the programs of a machine, with their outputs; ``commands`` are what was run."""

    def __init__(self, **outputs):
        self.outputs = {name.replace("_", "-"): output for name, output in outputs.items()}
        self.commands = []

    def __call__(self, command):
        if command[0] not in self.outputs:
            return read.NO_ANSWER, ""
        self.commands.append(list(command))
        return 0, self.outputs[command[0]]


REQUEST = {"packages": ["numactl"], "user": None, "files": ["/nope"], "service": "supervisor", "paths": []}


def test_a_host_without_any_of_the_programs():
    host = read.read_host(**REQUEST, ask=Programs())
    assert host["packages"] == {"numactl": None}
    assert host["service"] == {"installed": False, "enabled": False, "active": False}
    assert host["addresses"] == [] == host["interfaces"]
    assert host["files"] == {"/nope": None}
    assert host["user"] is None
    assert host["cpus"] >= 1 and host["memory_mib"] > 0 and host["hostname"] and host["architecture"]


def test_each_program_is_run_once():
    ask = Programs(dpkg_query="numactl\tinstalled\t1\n", systemctl="LoadState=loaded\n", ip=ADDRESSES, nft="")
    host = read.read_host(**REQUEST, ask=ask)
    assert [command[0] for command in ask.commands] == ["dpkg-query", "systemctl", "ip", "nft"]
    assert host["packages"] == {"numactl": "1"}
    assert host["addresses"] == ["10.0.0.1/24", "fe80::1/64"]
    assert [interface["name"] for interface in host["interfaces"]] == ["eth0", "eth1"]
    assert host["service"]["installed"]


def test_it_is_fast():
    ask = Programs(ip=ADDRESSES)
    costs = []
    for _attempt in range(4):
        start = time.process_time()
        read.read_host(user="root", files=["/etc/hosts"], paths=["/etc"], ask=ask)
        costs.append(time.process_time() - start)
    # The CPU's time, and the best of some: the machine may be busy with other things.
    assert min(costs) < 0.3


def test_a_filter_that_cannot_be_told_is_unknown():
    assert read.read_packet_filter(Programs()) is None
    assert read.read_packet_filter(lambda command: (1, "Operation not permitted")) is None


def test_a_command_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(read, "PATIENCE_S", 0.2)
    assert read.ask(["sleep", "5"]) == (read.NO_ANSWER, "")
    assert read.ask(["no-such-program"]) == (read.NO_ANSWER, "")
    assert read.ask(["false"]) == (1, "")


def test_the_limits_of_a_service():
    assert read.service_limit(f"LoadState=loaded\nMainPID={os.getpid()}\n") > 0
    assert read.service_limit("MainPID=0\n") is None and read.service_limit("") is None
    assert read.read_host(ask=Programs())["limits"]["kernel"] >= 1024


def test_folders_with_data(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "empty").mkdir()
    paths = [str(tmp_path), str(tmp_path / "empty"), str(tmp_path / "nope")]
    disks = read.read_host(paths=paths, ask=Programs())["disks"]
    assert [disks[path]["empty"] for path in paths] == [False, True, True]
    assert [disks[path]["exists"] for path in paths] == [True, True, False]
    assert disks[paths[0]]["used"] >= 100_000 and disks[paths[2]]["used"] == 0
    assert disks[paths[0]]["size"] > disks[paths[0]]["available"] and disks[paths[0]]["error"] is None


def test_speeds_of_virtual_interfaces_are_not_believed(tmp_path):
    for folder in ("eth0/device", "bond0/lower_eth0", "bond0.7/lower_bond0", "veth1", "br0/lower_veth1"):
        (tmp_path / folder).mkdir(parents=True)
    names = ("eth0", "bond0", "bond0.7", "veth1", "br0", "nope")
    assert [read.is_real(name, base=str(tmp_path)) for name in names] == [True, True, True, False, False, False]


def test_what_cannot_be_read_is_told_apart_from_what_is_not_there(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    opened = os.open

    def refuse(path, *more, **others):
        if str(path).endswith("/file"):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *more, **others)

    monkeypatch.setattr(os, "open", refuse)
    paths = [str(tmp_path / name) for name in ("file", "nope")]
    host = read.read_host(files=paths, ask=Programs())
    assert host["unreadable"] == {paths[0]: "Permission denied"}
    assert host["running_as"] == read.user_name(os.geteuid())
