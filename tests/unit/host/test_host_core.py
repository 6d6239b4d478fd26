# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils import _host
from ansible_collections.autonomys.cluster.plugins.modules import host_info

OS_RELEASE = """\
PRETTY_NAME="Ubuntu 22.04.5 LTS"
# a comment = no
VERSION_ID="22.04"
ID=ubuntu
ID_LIKE=debian
"""

ADDRESSES = """[
 {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
 {"ifname": "eth0", "flags": ["UP"], "addr_info": [{"local": "10.0.0.1", "prefixlen": 24}, {"local": "fe80::1", "prefixlen": 64}]},
 {"ifname": "eth1", "flags": [], "addr_info": []},
 {}
]"""


def test_os_release():
    assert _host.parse_os_release(OS_RELEASE) == {"id": "ubuntu", "version": "22.04"}
    assert _host.parse_os_release("ID='debian'\n") == {"id": "debian", "version": None}
    assert _host.parse_os_release("") == {"id": None, "version": None}


def test_memory():
    assert _host.parse_memory_mib("MemTotal:       24682496 kB\nMemFree: 1 kB\n") == 24104
    assert _host.parse_memory_mib("") is None


def test_packages():
    output = "numactl\tinstalled\t2.0.14-3ubuntu2\nsupervisor\tconfig-files\t4.2.1-1\nother\tinstalled\t1\n"
    assert _host.parse_packages(output, ["numactl", "supervisor", "nats"]) == {
        "numactl": "2.0.14-3ubuntu2",
        "supervisor": None,
        "nats": None,
    }


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("LoadState=loaded\nUnitFileState=enabled\nActiveState=active\n", (True, True, True)),
        ("LoadState=loaded\nUnitFileState=disabled\nActiveState=failed\n", (True, False, False)),
        ("LoadState=not-found\nUnitFileState=\nActiveState=inactive\n", (False, False, False)),
        ("LoadState=masked\nUnitFileState=masked\nActiveState=inactive\n", (False, False, False)),
        ("", (False, False, False)),
    ],
)
def test_service(output, expected):
    assert tuple(_host.parse_service(output).values()) == expected


def test_addresses():
    assert _host.parse_addresses(ADDRESSES) == {"eth0": ["10.0.0.1/24", "fe80::1/64"], "eth1": []}
    assert _host.parse_addresses("") == {}


def test_programs():
    text = (
        "[program:nats-server]\ncommand=x\n[program: autonomys-node ]\n; [program:autonomys-old]\n"
        "[group:autonomys-plot-server]\n[program:other]\n[program:autonomys-plot-server-0]\n"
    )
    names = ("nats-server", "autonomys-node", "autonomys-plot-server-0")
    assert _host.parse_programs(text, "/f") == [{"name": name, "file": "/f", "cpus": None, "gpu": None} for name in names]


def test_programs_tell_their_cpus_and_gpu():
    text = '[program:autonomys-plot-server-0]\ncommand=numactl -C 1-23,97-119 -l /x/farmer\nenvironment=CUDA_VISIBLE_DEVICES="GPU-a",X="1"\n'
    assert _host.parse_programs(text, "/f") == [{"name": "autonomys-plot-server-0", "file": "/f", "cpus": "1-23,97-119", "gpu": "GPU-a"}]


@pytest.mark.parametrize("damage", ["command=numactl -C\n", "command='\n", "command=x\nenvironment=A\n", "no option\n"])
def test_a_program_damaged_by_hand_is_named_without_the_rest(damage):
    assert _host.parse_programs("[program:autonomys-node]\n" + damage, "/f") == [{"name": "autonomys-node", "file": "/f", "cpus": None, "gpu": None}]


@pytest.mark.skipif(not shutil.which("timedatectl"), reason="needs timedatectl to compare with")
def test_the_clock_is_judged_as_timedatectl_does():
    assert _host.clock_synchronized() in (True, False)
    said = subprocess.run(["timedatectl", "show", "-p", "NTPSynchronized", "--value"], capture_output=True, text=True, check=False).stdout.strip()
    if said:
        assert _host.clock_synchronized() == (said == "yes")


def test_a_file_and_what_is_none(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"text \xff\n")
    path.chmod(0o640)
    result = host_info.read_file(str(path))
    assert (result["content"], result["mode"]) == ("text \ufffd\n", "0640")
    assert host_info.read_file(str(tmp_path / "nope")) is None
    assert host_info.read_file(str(tmp_path))["content"] is None
    path.write_bytes(b"x" * (_host.MAX_FILE + 1))
    assert host_info.read_file(str(path))["content"] is None


def test_an_owner_without_a_name_is_a_number(tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root to give a file away")
    path = tmp_path / "file"
    path.write_text("")
    os.chown(path, 54321, 54322)
    result = host_info.read_file(str(path))
    assert (result["owner"], result["group"]) == ("54321", "54322")


def test_users():
    root = host_info.read_user("root")
    assert (root["uid"], root["gid"], root["group"], root["home"]) == (0, 0, "root", "/root")
    assert host_info.read_user("nobody-of-that-name") is None


class Host:
    """Stands for AnsibleModule on a machine with these programs and outputs."""

    def __init__(self, params, outputs):
        self.params = params
        self.outputs = outputs
        self.commands = []

    def get_bin_path(self, name):
        return f"/bin/{name}" if name in self.outputs else None

    def run_command(self, command):
        self.commands.append(command)
        name = os.path.basename(command[0])
        return 0, self.outputs[name], ""


PARAMS = {"packages": ["numactl"], "user": None, "files": ["/nope"], "service": "supervisor"}


def test_a_host_without_any_of_the_programs():
    host = host_info.read_host(Host(PARAMS, {}))
    assert host["packages"] == {"numactl": None}
    assert host["service"] == {"installed": False, "enabled": False, "active": False}
    assert host["addresses"] == [] == host["interfaces"]
    assert host["files"] == {"/nope": None}
    assert host["user"] is None
    assert host["cpus"] >= 1 and host["memory_mib"] > 0 and host["hostname"] and host["architecture"]


def test_each_program_is_run_once():
    module = Host(PARAMS, {"dpkg-query": "numactl\tinstalled\t1\n", "systemctl": "LoadState=loaded\n", "ip": ADDRESSES})
    host = host_info.read_host(module)
    assert [command[0] for command in module.commands] == ["/bin/dpkg-query", "/bin/systemctl", "/bin/ip"]
    assert host["packages"] == {"numactl": "1"}
    assert host["addresses"] == ["10.0.0.1/24", "fe80::1/64"]
    assert [interface["name"] for interface in host["interfaces"]] == ["eth0", "eth1"]
    assert host["service"]["installed"]


def test_it_is_fast():
    module = Host(dict(PARAMS, user="root", files=["/etc/hosts"]), {"ip": ADDRESSES})
    host_info.read_host(module)
    start = time.perf_counter()
    host_info.read_host(module)
    assert time.perf_counter() - start < 0.15
