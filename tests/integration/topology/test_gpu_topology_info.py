# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""gpu_topology_info as ansible runs it, on this machine and on a recorded one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import parse_cpu_list

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "fixtures" / "machines" / "sysfs-qemu-4node-mless-cless.json"


def run(arguments, path=None):
    """Run the module as ansible does on the target, in check mode, and return its result."""
    shown = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible")),
            "localhost",
            "-c",
            "local",
            "-m",
            "autonomys.cluster.gpu_topology_info",
            "--check",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            "-a",
            json.dumps(arguments),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={
            "PATH": path or "/usr/bin:/bin",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "HOME": "/tmp",
        },
    )
    head, arrow, body = shown.stdout.partition(" => ")
    assert arrow, shown.stdout + shown.stderr
    return head, json.loads(body)


def test_this_machine():
    head, result = run({"plan": {"reserve_cores": 0}})
    assert "SUCCESS" in head and not result["changed"]
    cpus = result["topology"]["cpus"]
    online = Path("/sys/devices/system/cpu/online").read_text(encoding="utf-8").strip()
    assert cpus["online"] == online
    assert parse_cpu_list(cpus["usable"]) <= parse_cpu_list(online)
    assert set(result["plan"]) == {"gpus", "pool", "score", "warnings"}


def test_recorded_machine_with_a_plan(tmp_path):
    for name, content in json.loads(RECORDED.read_text(encoding="utf-8"))["files"].items():
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    head, result = run({"root": str(tmp_path), "plan": {"reserve_cores": 1, "min_cpus": 0}})
    assert "SUCCESS" in head
    assert [(gpu["cpus"], gpu["placement"]) for gpu in result["plan"]["gpus"]] == [
        ("2-7", "local"),
        ("10-11", "local"),
        ("12-13", "remote"),
    ]
    head, result = run({"root": str(tmp_path), "plan": {"gpu_numa_nodes": {"GPU-x": 0}}})
    assert "FAILED" in head
    assert (
        result["msg"] == "The CPUs cannot be planned: gpu_numa_nodes names the GPU GPU-x, which is not in this machine."
    )


def test_hanging_nvidia_smi_does_not_hang_the_module(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nsleep 100\n", encoding="utf-8")
    program.chmod(0o755)
    started = time.monotonic()
    head, result = run({"timeout": 1}, path=f"{tmp_path}:/usr/bin:/bin")
    assert "SUCCESS" in head and result["topology"]["gpus"] == []
    assert "did not end within 1 s" in result["gpu_error"]
    # The program itself would take a hundred seconds, and ansible some.
    assert time.monotonic() - started < 60
