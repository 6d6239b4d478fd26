# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes use which GPUs."""

from __future__ import annotations

import os

from ansible_collections.autonomys.cluster.plugins.module_utils._gpu import users
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_smi import parse_compute_apps


def test_processes_on_gpus(monkeypatch):
    listed = f"{os.getpid()}, GPU-a\n{os.getpid()}, GPU-b\n999999999, GPU-a\n"
    monkeypatch.setattr(users, "gpu_processes", lambda timeout: parse_compute_apps(listed))
    # The second process is gone already: nothing is said about it.
    [process] = users.read_users(5)
    assert (process["pid"], process["gpu_uuids"], process["program"]) == (
        os.getpid(),
        ["GPU-a", "GPU-b"],
        os.environ.get("SUPERVISOR_PROCESS_NAME"),
    )
    assert "py" in process["command"]


def test_nobody_is_told_when_nvidia_smi_does_not_tell(monkeypatch):
    monkeypatch.setattr(users, "gpu_processes", lambda timeout: None)
    assert users.read_users(5) == []


def test_a_driver_that_hung_is_not_asked_again(monkeypatch):
    monkeypatch.setattr(users, "read_topology", lambda root, timeout: {"gpu_error": "it hangs", "warnings": []})
    monkeypatch.setattr(users, "gpu_processes", None)
    assert users.read_gpus(processes=True) == {"gpu_error": "it hangs", "warnings": [], "processes": []}
    assert "processes" not in users.read_gpus()
