# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory that is the tutorial word by word.

Preflight finds each of its faults, and none of them in inventories/tutorial.
"""

from __future__ import annotations

import copy
import json
import shlex
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.deployed import parse_programs
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import programs
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules import findings as _rules

ROOT = Path(__file__).parents[3]
TUTORIAL = ROOT / "tests" / "fixtures" / "tutorial"

NODES, PLOTTERS, STORAGES = (
    [f"{kind}-{number}" for number in range(1, 1 + count)]
    for kind, count in (("node", 3), ("plotter", 2), ("storage", 2))
)

# What the tutorial says → the rules that find it, and on which hosts.
FAULTS = {
    "the third --nats-server repeats 192.168.1.2": (["NATS009"], NODES + PLOTTERS + STORAGES),
    "NATS routes in 192.168.0.x": (["NATS013"], NODES),
    "the controller connects to ws://10.30.1.2:9944": (["NODE001"], NODES),
    "one nats-server.conf, with one server_name, for all": (["NATS005"], NODES),
    "GPU1 and GPU2 both -C 96-127": (["NUMA010"], PLOTTERS),
    "GPU2's mask is on the other socket": (["NUMA009"], PLOTTERS),
    "GPU0 -C 0-31 and GPU1 -C 96-127 are threads of the same cores": (["NUMA011"], PLOTTERS),
    "path=/mnt/nvme1n0 is not in the host table": (["DISK001"], STORAGES),
    "sectors=8000 on a disk of 8 TB": (["DISK006"], STORAGES),
    "full-piece-sharded-cache --tmp": (["CACHE001"], PLOTTERS),
    "--chain taurus": (["REL007"], NODES + PLOTTERS + STORAGES),
    "the export needs archive pruning too": (["NODE007"], NODES),
    "20 GiB of SSD for a plotter": (["DISK011"], PLOTTERS),
    "no --record-encoding-concurrency": (["PLOT001"], PLOTTERS),
    "no stopwaitsecs": (["PROG001"], NODES + PLOTTERS + STORAGES),
    "user=root": (["PROG006"], NODES + PLOTTERS + STORAGES),
    "unsafe RPC on 0.0.0.0:9944": (["NODE005", "NODE006"], NODES),
    "nats-server v2.10.22": (["NATS007", "NATS019"], NODES),
    "--reward-address stBR..S8V": (["FARM001"], STORAGES),
}

# What an inventory cannot hold, and why.
NOT_IN_AN_INVENTORY = {
    "the sample of nvidia-smi topo -m names two GPUs and has four rows": (
        "an output, not an input; tests/unit/plugins/module_utils/_gpu reads all four"
    ),
    "-C masks of plot servers": (
        "they are computed; those that somebody wrote are found in the definitions that "
        "stand on a host, as FAULTS has it"
    ),
    "autorestart=true": "every program has it, with enough startretries to outlive a power cut",
}

# What inventories/tutorial keeps, because its releases are those of November 2024, and preflight says so.
KEPT = {
    "NATS007": ("nats_version", "2.14.5"),
    "NATS019": ("nats_version", "2.14.5"),
    "REL007": ("cluster_chain", "mainnet"),
}

# Programs of the tutorial: component, host, file.
FILES = [
    ("node", "node-1", "autonomys-node"),
    ("controller", "node-1", "autonomys-controller"),
    ("proof_server", "node-1", "autonomys-proof-server"),
    ("caches", "plotter-1", "autonomys-sharded-cache"),
    ("caches", "plotter-1", "autonomys-full-piece"),
    ("plot_server", "plotter-1", "autonomys-plot-server"),
    ("plot_client", "storage-1", "autonomys-plot-client"),
]


@pytest.fixture(scope="module")
def topology():
    """The tutorial's plotter."""
    machine = json.loads((ROOT / "tests/fixtures/machines/seed-2x48c-4gpu.json").read_text(encoding="utf-8"))[
        "topology"
    ]
    for gpu in machine["gpus"]:
        gpu.update(driver_version="525.60.13", memory_mib=24564)
    return machine


def deployed(*names):
    """The tutorial's own files as they stand on a host."""
    return [
        dict(program, state="RUNNING", reason=None)
        for name in names
        for program in parse_programs(
            (TUTORIAL / (name + ".conf")).read_text(encoding="utf-8"), f"/etc/supervisor/conf.d/{name}.conf"
        )
    ]


def space(path, total, **more):
    """A folder on a filesystem of so many bytes, with nothing in it."""
    disk = {
        "exists": True,
        "mountpoint": path,
        "is_mountpoint": True,
        "device": "/dev" + path,
        "fstype": "ext4",
        "options": ["rw"],
        "read_only": False,
    }
    return dict(disk, size=total, available=total, error=None, **more)


def read(model, topology, ssd, programs_there, packet_filter):
    """What preflight reads on hosts as the tutorial asks for."""
    facts = {}
    for host in model["hosts"]:
        address = model["hosts"][host]["address"]
        there = {
            "architecture": "x86_64",
            "addresses": [address + "/24"],
            "interfaces": [{"name": "eth0", "addresses": [address + "/24"], "speed_mbps": 20000}],
            "memory_mib": 4 * 64 * 1024,
            "cpus": 192,
            "clock_synchronized": True,
            "limits": {"service": 1048576, "kernel": 1048576},
            "packet_filter": packet_filter,
            "files": {},
            "disks": {},
            "programs": deployed(*programs_there.get(host, [])),
        }
        facts[host] = {"reachable": True, "error": None, "host": there, "gpus": None, "disks": None}
    for host in NODES:
        there = facts[host]["host"]["disks"]
        there.update(
            {path: space(path, 500 * 2**30, used=0, empty=True) for path in ("/var/nats-data", "/var/autonomys-node")}
        )
        facts[host]["gpus"] = {
            "topology": dict(topology, gpus=topology["gpus"][:1]),
            "gpu_error": None,
            "warnings": [],
            "processes": [],
        }
    for host in PLOTTERS:
        paths = ("/var/autonomys-sharded-cache", "/var/autonomys-full-piece")
        facts[host]["host"]["disks"] = {
            path: dict(space("/var", ssd, used=0, empty=True), is_mountpoint=False) for path in paths
        }
        facts[host]["gpus"] = {"topology": topology, "gpu_error": None, "warnings": [], "processes": []}
    for host in STORAGES:
        # As measured on a disk of 8.0e12 bytes with an ext4 by default, for root.
        farm = {"existing_plot_bytes": 0, "max_sectors": 7507, "farm": None, "direct_io": None}
        facts[host]["disks"] = {
            f"/mnt/{name}/": space("/mnt/" + name, 7_936_000_000_000, **farm)
            for name in ("nvme0n1", "nvme0n2", "nvme1n1", "nvme1n2")
        }
        missing = dict(space("/", 50 * 10**9, **farm), exists=False, is_mountpoint=False)
        facts[host]["disks"]["/mnt/nvme1n0/"] = missing
    control = {
        "specs": {role: role_files.options(role) for role in role_files.ROLES},
        "nats_checksums": role_files.nats_checksums(),
    }
    return dict(facts, **{_rules.CONTROL: dict(control, groups=model["components"])})


@pytest.fixture(scope="module")
def literal_findings(literal_model, topology):
    """What preflight finds where somebody followed the tutorial to the letter."""
    files = {
        host: [name for _component, there, name in FILES if there[:-1] == host[:-1]] for host in literal_model["hosts"]
    }
    return _rules.findings(literal_model, read(literal_model, topology, 20 * 2**30, files, False))


@pytest.mark.parametrize("component, host, name", FILES, ids=[case[2] for case in FILES])
def test_the_inventory_is_the_tutorial(literal_model, topology, component, host, name):
    facts = {"gpus": {"topology": topology}, "disks": {}}
    ours = {
        program["name"]: program["command"]
        for program in programs(component, literal_model["hosts"][host]["settings"], facts)
    }
    for program in deployed(name):
        command = [
            word.replace("/root/autonomys/releases/v0.1.0/", "/root/autonomys/") for word in ours[program["name"]]
        ]
        assert command == program["command"]


def test_the_inventory_has_the_tutorials_nats_server(literal_model):
    settings = literal_model["hosts"]["node-1"]["settings"]
    assert (settings["nats_server_name"], settings["nats_cluster_name"], settings["nats_store_dir"]) == (
        "n1-cluster",
        "c1-cluster",
        "/var/nats-data",
    )
    assert sorted(settings["nats_peers"].values()) == ["192.168.0.1", "192.168.0.2"]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_the_tutorial_is_found(literal_findings, fault):
    rules, hosts = FAULTS[fault]
    for rule in rules:
        found = [item for item in literal_findings if item["rule"] == rule]
        assert sorted({host for item in found for host in item["hosts"]}) == sorted(hosts), fault


def test_the_hand_made_masks_are_named(literal_findings):
    said = "\n".join(item["message"] for item in literal_findings)
    assert "Plot server 1 and plot server 2 both have the CPUs 96-127" in said
    assert (
        "Plot server 2 has the CPUs 96-127; its GPU 0000:21:00.0 is on NUMA node 1 (CPUs "
        "48-95,144-191), so 96-127 are on other nodes"
    ) in said
    assert "Plot server 0 and plot server 1 have different threads of the same 32 cores (CPUs 0-31,96-127)" in said


def test_masks_are_the_tutorials():
    text = (TUTORIAL / "autonomys-plot-server.conf").read_text(encoding="utf-8")
    masks = [shlex.split(line.partition("=")[2])[2] for line in text.splitlines() if line.startswith("command=")]
    assert masks == ["0-31", "96-127", "96-127", "144-175"]


def left(model, facts):
    judged = _rules.judge(model, _rules.findings(model, facts), strict=True)
    assert judged["stopping"] == []
    return {item["rule"] for item in judged["findings"] if not item["accepted"]}


def test_none_is_left_in_the_mended_inventory(tutorial_model, topology):
    facts = read(tutorial_model, topology, 2**40, {}, True)
    assert left(tutorial_model, facts) == set(KEPT)
    newer = copy.deepcopy(tutorial_model)
    for host in newer["hosts"].values():
        host["settings"].update({name: value for name, value in KEPT.values() if name in host["settings"]})
    assert left(newer, facts) == set()
