# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of /proc: recorded trees for the formats, this process for the real thing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._host import processes as process


def make_process(root, pid, parent, name="x", masks=("0-3",), **files):
    folder = root / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} ({name}) S {parent} {pid} {pid} 0\n")
    for index, mask in enumerate(masks):
        task = folder / "task" / str(pid + index)
        task.mkdir(parents=True)
        (task / "status").write_text(f"Name:\tx\nCpus_allowed:\tf\nCpus_allowed_list:\t{mask}\nMems_allowed_list:\t0\n")
    for file, content in files.items():
        path = folder / file.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", errors="surrogateescape")
    return folder


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:26D8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0200000A:A0F2 0100000A:107E 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1
   2: 0200000A:A0F4 0100000A:107E 06 00000000:00000000 00:00000000 00000000     0        0 333 1 0 20 4 30 10 -1
   3: 0200000A:A0F6 0900000A:107E 01 00000000:00000000 00:00000000 00000000     0        0 999 1 0 20 4 30 10 -1
"""
TCP6 = """\
  sl local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
  0: 00000000000000000000000000000000:26D9 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 444
  1: 0000000000000000FFFF00000200000A:A0F2 0000000000000000FFFF00000300000A:107E 01 0:0 0:0 0 0 0 555
  2: B80D0120000000000000000001000000:A0F2 B80D0120000000000000000002000000:107E 01 0:0 0:0 0 0 0 666
"""


@pytest.fixture
def tree(tmp_path):
    make_process(tmp_path, 1, 0)
    main = make_process(
        tmp_path,
        10,
        1,
        name="a) R (b",
        masks=("0-3", "0-3", "8"),
        net__tcp=TCP,
        net__tcp6=TCP6,
        numa_maps="00400000 local file=/x mapped=1\n7f0000 bind:0 anon=1\n",
        environ="CUDA_VISIBLE_DEVICES=0\0PATH=/bin\0GPU_CONCURRENCY=12\0CUDA_\udcff=\0",
        limits="Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n",
    )
    child = make_process(tmp_path, 11, 10, masks=("9",), numa_maps="00400000 default file=/x\n")
    make_process(tmp_path, 12, 11, masks=("10-11",))
    make_process(tmp_path, 20, 1, masks=("31",))
    data = tmp_path / "plot.bin"
    data.write_text("x")
    (main / "exe").symlink_to("/opt/farmer (deleted)")
    (main / "fd" / "0").symlink_to("/dev/null")
    (main / "fd" / "1").symlink_to("socket:[111]")
    (main / "fd" / "2").symlink_to("socket:[222]")
    (main / "fd" / "3").symlink_to("socket:[333]")
    (main / "fd" / "4").symlink_to(data)
    (main / "fd" / "5").symlink_to(f"{data} (deleted)")
    for number in (444, 555, 666):
        (child / "fd" / str(number)).symlink_to(f"socket:[{number}]")
    return tmp_path


def test_evidence_covers_all_threads_of_all_descendants(tree):
    parent_of = process.parents(str(tree))
    assert parent_of == {1: 0, 10: 1, 11: 10, 12: 11, 20: 1}
    found = process.evidence(10, parent_of, {}, root=str(tree))
    assert found == {
        "pids": [10, 11, 12],
        "cpus_allowed": "0-3,8-11",
        "memory_policy": "default,local",
        "environment": {"CUDA_VISIBLE_DEVICES": "0", "GPU_CONCURRENCY": "12", "CUDA_\ufffd": ""},
        "listening": [9944, 9945],
        "connected": ["10.0.0.1:4222", "10.0.0.3:4222", "[2001:db8::2]:4222"],
        "open_files": [str(tree / "plot.bin")],
        "open_file_limit": 1024,
        "fd_count": 6,
        "executable": "/opt/farmer",
        "executable_deleted": True,
    }


def test_a_process_that_ends_while_we_look_is_not_there(tree):
    found = process.evidence(4711, process.parents(str(tree)), {}, root=str(tree))
    assert found["pids"] == []
    assert found["cpus_allowed"] is None
    assert found["memory_policy"] is None
    assert found["executable"] is None
    assert found["open_file_limit"] is None


def test_the_sockets_of_a_namespace_are_read_once(tree):
    tables = {}
    process.evidence(10, process.parents(str(tree)), tables, root=str(tree))
    (tree / "10" / "net" / "tcp").unlink()
    assert process.evidence(10, process.parents(str(tree)), tables, root=str(tree))["listening"] == [9944, 9945]


def test_a_real_process():
    script = (
        "import os, socket, sys, threading, time\n"
        "s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname())\n"
        "f = open(sys.argv[1])\n"
        "os.sched_setaffinity(0, {int(sys.argv[2])})\n"
        "def wide():\n    os.sched_setaffinity(0, {int(sys.argv[3])})"
        "; print(s.getsockname()[1], flush=True); time.sleep(60)\n"
        "threading.Thread(target=wide, daemon=True).start(); time.sleep(60)\n"
    )
    allowed = sorted(os.sched_getaffinity(0))
    child = subprocess.Popen(
        [sys.executable, "-c", script, __file__, str(allowed[0]), str(allowed[-1])],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CUDA_X": "1"},
    )
    try:
        port = int(child.stdout.readline())
        found = process.evidence(child.pid, process.parents(), {})
        assert found["pids"] == [child.pid]
        assert found["listening"] == [port]
        assert f"127.0.0.1:{port}" in found["connected"]
        assert os.path.realpath(__file__) in found["open_files"]
        assert found["environment"]["CUDA_X"] == "1"
        assert os.path.realpath(found["executable"]) == os.path.realpath(sys.executable)
        assert not found["executable_deleted"]
        assert found["fd_count"] >= 6
        # one thread has left the mask of its program
        assert parse_cpu_list(found["cpus_allowed"]) == {allowed[0], allowed[-1]}
    finally:
        child.kill()
        child.wait()


def test_a_killed_child_leaves_no_trace():
    child = subprocess.Popen(["/bin/sleep", "60"])
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    # a zombie: it still has a number but nothing else
    assert process.evidence(child.pid, process.parents(), {})["open_files"] == []
    child.wait()


def test_little_endian_addresses_are_decoded():
    assert sys.byteorder == "little"
    assert process.connections(["222"], {"222": ("01", "x", "0100007F:0050")}) == ([], ["127.0.0.1:80"])
    assert socket.inet_aton("127.0.0.1")[::-1].hex().upper() == "0100007F"


def test_processes_in_a_container_are_another_machines(tmp_path):
    def add(pid, space, name):
        folder = tmp_path / pid
        (folder / "ns").mkdir(parents=True)
        (folder / "comm").write_text(name + "\n")
        (folder / "cmdline").write_text(f"/opt/a/{name}\0run\0")
        if space:
            (folder / "ns/pid").symlink_to(space)

    add("self", "pid:[1]", "python3")
    add("7", "pid:[1]", "own")
    add("8", "pid:[2]", "contained")
    add("9", None, "hidden")
    assert sorted(process.own_processes(str(tmp_path))) == [
        ("hidden\n", "/opt/a/hidden\0run\0"),
        ("own\n", "/opt/a/own\0run\0"),
    ]


def test_the_supervised_program_of_a_process(tmp_path):
    ours, foreign = "A=1\0SUPERVISOR_PROCESS_NAME=autonomys-node\0", "A=1\0"
    for pid, environ, command in (
        ("7", ours, "/x/node\0run\0"),
        ("8", foreign, "./miner\0--all\0x\0y\0"),
        ("9", "", "init\0"),
    ):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "environ").write_text(environ)
        (tmp_path / pid / "cmdline").write_text(command)
    assert process.owner(7, str(tmp_path)) == {"program": "autonomys-node", "command": "/x/node run"}
    assert process.owner(8, str(tmp_path)) == {"program": None, "command": "./miner --all x"}
    assert process.owner(9, str(tmp_path)) is None  # not ours to look at
    assert process.owner(10, str(tmp_path)) is None
