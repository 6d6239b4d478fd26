# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A faultless cluster of the tutorial's size, for tests to break."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import PREFIXES, build_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules import findings as _rules

MACHINES = Path(__file__).parents[4] / "fixtures" / "machines"

DEFAULTS = {role: role_files.defaults(role) for role in role_files.ROLES}
SPECS = {role: role_files.options(role) for role in role_files.ROLES}
CHECKSUMS = role_files.nats_checksums()
SHA256 = "sha256:" + "ab" * 32
REWARD_ADDRESS = "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1"


def machine(name):
    """A recorded machine's topology, with what the recordings leave out."""
    topology = json.loads((MACHINES / (name + ".json")).read_text(encoding="utf-8"))["topology"]
    for gpu in topology["gpus"]:
        gpu.update(driver_version="550.54.14", memory_mib=24564)
    return topology


def disk(mountpoint, **changes):
    """What disk_info says of a good 7.68 TB disk."""
    good = {
        "exists": True,
        "mountpoint": mountpoint,
        "is_mountpoint": True,
        "device": "/dev/" + mountpoint.rsplit("/", 1)[-1],
        "fstype": "ext4",
        "options": ["rw"],
        "read_only": False,
        "size": 7_560_000_000_000,
        "available": 7_236_000_000_000,
        "existing_plot_bytes": 0,
        "max_sectors": 6845,
        "error": None,
        "farm": None,
        "direct_io": None,
    }
    return dict(good, **changes)


def folder(mountpoint, **changes):
    """What host_info says of a folder with data on a good disk of 3.8 TB."""
    good = {
        "exists": True,
        "mountpoint": mountpoint,
        "is_mountpoint": False,
        "device": "/dev/sda1",
        "fstype": "ext4",
        "options": ["rw"],
        "read_only": False,
        "size": 3_800_000_000_000,
        "available": 3_000_000_000_000,
        "used": 500_000_000_000,
        "empty": False,
        "error": None,
    }
    return dict(good, **changes)


FOLDERS = {
    "nats": ["/var/lib/nats"],
    "node": ["/var/autonomys-node"],
    "caches": ["/var/autonomys-sharded-cache", "/var/autonomys-full-piece"],
}


class Cluster:
    """A faultless cluster: the inventory's groups and variables, and what was read of the hosts."""

    def __init__(self):
        nodes, plotters, storages = ([f"{kind}-{number}" for number in numbers] for kind, numbers in self.MACHINES)
        self.groups = {
            "node_hosts": nodes,
            "plotter_hosts": plotters,
            "storage_hosts": storages,
            **dict.fromkeys(COMPONENTS, nodes),
            "caches": plotters,
            "plot_server": plotters,
            "plot_client": storages,
        }
        self.groups = {name: list(hosts) for name, hosts in self.groups.items()}
        self.hosts = nodes + plotters + storages
        self.variables = {}
        self.unresolved = {}
        self.facts = {}
        for number, host in enumerate(self.hosts, 11):
            address = f"10.0.{number // 256}.{number % 256}"
            self.variables[host] = {
                "ansible_host": address,
                "cluster_version": "v1.0.0",
                "cluster_binaries": {
                    "autonomys-farmer": {"src": "https://example.org/autonomys-farmer", "checksum": SHA256},
                    "autonomys-node": {"src": "https://example.org/autonomys-node", "checksum": SHA256},
                },
            }
            facts = {
                "architecture": "x86_64",
                "addresses": [address + "/16", "fe80::1/64"],
                "interfaces": [{"name": "eth0", "addresses": [address + "/16", "fe80::1/64"], "speed_mbps": 25000}],
                "memory_mib": 515_000,
                "cpus": 192,
                "clock_synchronized": True,
                "limits": {"service": 1048576, "kernel": 1073741816},
                "packet_filter": True,
                "files": {},
                "disks": {
                    path: folder("/var")
                    for component, paths in FOLDERS.items()
                    if host in self.groups[component]
                    for path in paths
                },
                "programs": [],
            }
            self.facts[host] = {"reachable": True, "error": None, "host": facts, "gpus": None, "disks": None}
        for host in nodes:
            self.variables[host]["node_blocks_pruning"] = "archive"
            self.facts[host]["gpus"] = {
                "topology": machine("single-gpu-single-node"),
                "gpu_error": None,
                "warnings": [],
            }
        for host in plotters:
            self.variables[host]["plot_server_extra_args"] = ["--record-encoding-concurrency", "32"]
            self.facts[host]["gpus"] = {"topology": machine("seed-2x48c-4gpu"), "gpu_error": None, "warnings": []}
        for host in storages:
            self.variables[host]["plot_client_reward_address"] = REWARD_ADDRESS
            self.variables[host]["plot_client_farms"] = [
                {"path": "/mnt/nvme0", "sectors": "auto"},
                {"path": "/mnt/nvme1", "sectors": 6000},
            ]
            self.facts[host]["disks"] = {path: disk(path) for path in ("/mnt/nvme0", "/mnt/nvme1")}
        self.control = {
            "specs": SPECS,
            "nats_checksums": CHECKSUMS,
            "groups": self.groups,
            "other_variables": {},
            "files": {},
        }

    MACHINES = (("node", range(1, 4)), ("plotter", range(1, 3)), ("storage", range(1, 3)))

    def set(self, hosts, **variables):
        """Set variables for a host, or for the hosts of a group."""
        for host in self.groups.get(hosts, [hosts]):
            self.variables[host].update(copy.deepcopy(variables))

    def farm(self, host, **changes):
        """Change the first farm of a host."""
        self.variables[host]["plot_client_farms"][0].update(changes)

    def disk(self, host, **changes):
        """Change the disk of the first farm of a host."""
        self.facts[host]["disks"]["/mnt/nvme0"].update(changes)

    def host(self, host, **changes):
        """Change what was read of a host."""
        self.facts[host]["host"].update(changes)

    def folder(self, host, path, **changes):
        """Change the disk of a folder with data."""
        self.facts[host]["host"]["disks"][path].update(changes)

    def program(self, host, name, *command, file=None, **more):
        """Define a program on a host."""
        program = {
            "name": name,
            "file": f"/etc/supervisor/conf.d/{file or name}.conf",
            "cpus": None,
            "gpu": None,
            "state": "RUNNING",
            "reason": None,
        }
        self.facts[host]["host"]["programs"].append(dict(program, command=list(command), **more))

    def gpus(self, host):
        """The GPUs of a host."""
        return self.facts[host]["gpus"]["topology"]["gpus"]

    def runs(self, host, binary):
        """Let a program of a host run, by its path below cluster_install_dir."""
        self.facts[host]["host"].setdefault("running", []).append("/opt/autonomys/" + binary)

    def inventory(self):
        """Groups, variables and defaults, as the action plugin cluster_model reads them."""
        variables, defaults = {}, {}
        for host in self.hosts:
            variables[host] = {name: value for name, value in self.variables[host].items() if name.startswith(PREFIXES)}
            roles = ["common"] + [component for component in COMPONENTS if host in self.groups.get(component, [])]
            defaults[host] = {name: value for role in roles for name, value in DEFAULTS[role].items()}
            defaults[host]["cluster_address"] = self.variables[host]["ansible_host"]
            if "nats" in roles:
                defaults[host]["nats_server_name"] = host
        return self.groups, variables, defaults

    def model(self):
        """The model as the action plugin cluster_model makes it."""
        model = build_model(*self.inventory())
        for host, messages in self.unresolved.items():
            model["hosts"][host]["unresolved"] = messages
        return model

    def findings(self):
        """What the rules find."""
        return _rules.findings(self.model(), dict(self.facts, **{_rules.CONTROL: self.control}))

    def judge(self, **arguments):
        """What follows."""
        return _rules.judge(self.model(), self.findings(), **arguments)
