# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import read_topology
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._gpu.machines import (
    CPU,
    PCI,
    write_tree,
)


def test_nics(tmp_path):
    files = {f"{CPU}/online": "0\n"}
    for bus_id, node in (("0000:e1:00.0", "1"), ("0000:e1:00.1", "-1"), ("0000:a1:00.0", "0")):
        files[f"{PCI}/{bus_id}/numa_node"] = node + "\n"
    files["/sys/class/net/eth0/speed"] = "25000\n"
    files["/sys/class/net/eth1/speed"] = "-1\n"
    files["/sys/class/net/lo/speed"] = "\n"
    root = Path(write_tree(tmp_path, files))
    for kind, name, bus_id in (
        ("net", "eth0", "0000:e1:00.0"),
        ("net", "eth1", "0000:e1:00.1"),
        ("infiniband", "mlx5_0", "0000:e1:00.0"),
        ("infiniband", "mlx5_1", "0000:a1:00.0"),
    ):
        folder = root / f"sys/class/{kind}/{name}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "device").symlink_to(f"../../../bus/pci/devices/{bus_id}")
    assert read_topology(str(root))["topology"]["nics"] == [
        {"name": "eth0", "bus_id": "0000:e1:00.0", "numa_node": 1, "speed_mbps": 25000},
        {"name": "eth1", "bus_id": "0000:e1:00.1", "numa_node": None, "speed_mbps": None},
        {"name": "mlx5_1", "bus_id": "0000:a1:00.0", "numa_node": 0, "speed_mbps": None},
    ]
