# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/plan.yml as a user runs it, on hosts that are this machine: what is wrong is shown and does not stop it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def test_errors_are_part_of_the_plan_and_nothing_is_written_but_the_plan(tmp_path):
    (tmp_path / "farmer").write_bytes(b"a program")
    storage = {"plot_client_reward_address": "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1"}
    inventory = {
        "all": {
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "cluster_version": "v1.0.0",
                "cluster_install_dir": str(tmp_path / "opt"),
                "cluster_binaries": {
                    "autonomys-farmer": {
                        "src": str(tmp_path / "farmer"),
                        "checksum": "sha256:" + hashlib.sha256(b"a program").hexdigest(),
                    }
                },
                "nats_max_paylod": "4MB",
            },
            "children": {
                "nats": {"hosts": {"node-1": {"ansible_host": "10.0.0.1", "nats_store_dir": str(tmp_path / "nats")}}},
                "plot_client": {
                    "hosts": {
                        "storage-1": dict(
                            storage, ansible_host="10.0.0.6", plot_client_farms=[{"path": "/nonexistent/farm"}]
                        ),
                        "storage-2": dict(
                            storage,
                            ansible_connection="ssh",
                            ansible_host="127.0.0.1",
                            ansible_port=9,
                            plot_client_farms=[{"path": "/mnt"}],
                        ),
                    }
                },
            },
        }
    }
    path, plan_file, report_file = tmp_path / "inventory.yml", tmp_path / "plan.json", tmp_path / "report.html"
    path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    # By the name under which an installed collection has it.
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", path, "autonomys.cluster.plan"]
    command += ["-e", f"cluster_plan_file={plan_file}", "-e", f"cluster_report_file={report_file}"]
    environment = dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"))
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    plan = json.loads(plan_file.read_text(encoding="utf-8"))
    assert "VAR003" in plan["stopping"] and "site.yml would stop before it changes anything" in done.stdout
    states = {name: host["state"] for name, host in plan["hosts"].items()}
    assert states == {"node-1": "ready", "storage-1": "left out", "storage-2": "unreachable"}
    [server] = plan["hosts"]["node-1"]["programs"]
    assert (server["name"], server["change"]) == ("nats-server", "start")
    assert plan["hosts"]["node-1"]["install"] == [str(tmp_path / "opt/nats/2.14.5/nats-server")]
    page = report_file.read_text(encoding="utf-8")
    assert "<svg" in page and "storage-2" in page and "VAR003" in page
    assert sorted(item.name for item in tmp_path.iterdir()) == ["farmer", "inventory.yml", "plan.json", "report.html"]
