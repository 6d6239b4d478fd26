# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests under AWX need: jobs as AWX starts them."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests/awx"))

SECRET = "hunter2-0815"


@pytest.fixture(scope="session")
def awx(tmp_path_factory):
    """Jobs of this project, with an inventory of two hosts that are this machine."""
    from runner import Awx

    folder = tmp_path_factory.mktemp("awx")
    (folder / "farmer").write_bytes(b"a program")
    digest = hashlib.sha256(b"a program").hexdigest()
    inventory = {
        "all": {
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                # Nothing is wrong with this machine; these are about what stands in for a cluster.
                "cluster_accept": ["DISK014", "HOST004"],
                "cluster_version": "v1.0.0",
                "cluster_install_dir": str(folder / "opt"),
                "cluster_binaries": {
                    "autonomys-farmer": {"src": str(folder / "farmer"), "checksum": f"sha256:{digest}"}
                },
            }
        },
        "nats": {"hosts": ["node-1"]},
        "plot_client": {"hosts": ["storage-1"]},
        "_meta": {
            "hostvars": {
                "node-1": {"ansible_host": "10.0.0.1", "nats_store_dir": str(folder / "nats")},
                "storage-1": {
                    "ansible_host": "10.0.0.6",
                    "plot_client_reward_address": "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1",
                    "plot_client_farms": [],
                    "plot_client_environment": {"SOME_API_TOKEN": SECRET},
                    "plot_client_extra_args": ["--password", SECRET],
                },
            }
        },
    }
    return Awx(folder, inventory)


@pytest.fixture
def secret():
    """A secret of the inventory."""
    return SECRET
