# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule: what triggers it, with the sentence that the user reads, and what does not."""

from __future__ import annotations

import copy
import datetime
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.deployed import parse_programs
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, programs
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import build_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules import findings as _rules
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules.nats import vulnerabilities
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._rules.sample import disk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BAD_SHA = "sha256:" + "cd" * 32
SHA = "sha256:" + "ab" * 32


def unset(cluster, name, *hosts):
    for host in hosts or cluster.hosts:
        cluster.variables[host].pop(name, None)


def move(cluster, group, new):
    cluster.groups[new] = cluster.groups.pop(group)


def binary(**values):
    return {"autonomys-farmer": dict({"src": "farmer", "checksum": SHA}, **values)}


def local(cluster, **file):
    cluster.set("storage-1", cluster_binaries=binary())
    cluster.control["files"]["farmer"] = file


def gpu(cluster, host="plotter-1", index=0):
    return cluster.gpus(host)[index]["uuid"]


def lose_gpu(cluster, host="plotter-1", index=0, **variables):
    """A GPU of a host whose plot servers run is no longer there."""
    gpus = cluster.gpus(host)
    sets = ["1-23,97-119", "25-47,121-143", "49-71,145-167", "73-95,169-191"]
    programs = [
        {"name": f"autonomys-plot-server-{n}", "file": "f", "cpus": sets[n], "gpu": gpus[n]["uuid"]} for n in range(4)
    ]
    cluster.set(host, **variables)
    cluster.facts[host]["host"]["programs"] = programs
    del gpus[index]


NODE = "/opt/autonomys/releases/v1.0.0/autonomys-node"
FARMER = "/opt/autonomys/releases/v1.0.0/autonomys-farmer"


def node_runs(cluster, *options, base_path="/var/autonomys-node"):
    """A node that was deployed with these options."""
    cluster.program("node-1", "autonomys-node", NODE, "run", "--base-path", base_path, "--chain", "mainnet", *options)


def nats_runs(cluster, text, **folder):
    """A NATS server that was deployed with this file."""
    cluster.program(
        "node-1", "nats-server", "/opt/autonomys/nats/2.12.8/nats-server", "--config", "/etc/nats-server.conf"
    )
    cluster.host(
        "node-1", files={"/etc/nats-server.conf": {"content": text, "mode": "0644", "owner": "root", "group": "root"}}
    )
    cluster.folder("node-1", "/var/lib/nats", **folder)


def farm(cluster, host, path="/mnt/nvme0", **files):
    """A farm that lies on a disk."""
    cluster.facts[host]["disks"][path].update(
        farm=dict({"id": None, "genesis_hash": None, "identity": None}, **files), existing_plot_bytes=2**30
    )


def bound(cluster, slot, cpus, host="plotter-1", gpu=None):
    """A plot server that was bound by hand."""
    cluster.program(
        host,
        f"autonomys-plot-server-{slot}",
        FARMER,
        file="autonomys-plot-server",
        cpus=cpus,
        gpu=str(slot) if gpu is None else gpu,
    )


MAINNET = "66455a580aabff303720aa83adbe6c44502922251c03ba73686d5245da9e21bd"
TAURUS = "295aeafca762a304d92ee1505548695091f6082d3f0aa4d092ac3cd6397a6c5e"


def nats_by_options(cluster, *options, file=None, text=None):
    """A NATS server that somebody started with options, or with a file of their own."""
    cluster.program("node-1", "nats-server", "/root/nats-server", *options, *(["-c", file] if file else []))
    if text is not None:
        cluster.host("node-1", files={file: {"content": text}})


def l3_as_numa(cluster):
    """Two sockets whose nodes are halved, as an EPYC cuts itself into nodes: two GPUs on one of the halves."""
    topology = cluster.facts["plotter-1"]["gpus"]["topology"]
    nodes = topology["cpus"]["nodes"]
    nodes["0"]["cpus"], nodes["1"]["cpus"] = "0-7,96-103", "8-47,104-143"
    nodes["1"]["package"] = nodes["0"]["package"]
    for gpu in topology["gpus"]:
        gpu["numa_node"] = 0


# rule, severity, hosts, part of message or remedy, what breaks the cluster
TRIGGERS = [
    # Variables
    ("VAR001", "error", "all", "cluster_version is not set", lambda c: unset(c, "cluster_version")),
    (
        "VAR001",
        "error",
        "storage-1",
        "plot_client_reward_address is not set",
        lambda c: unset(c, "plot_client_reward_address", "storage-1"),
    ),
    (
        "VAR001",
        "error",
        "storage-1",
        "plot_client_farms is not set",
        lambda c: c.set("storage-1", plot_client_farms=None),
    ),
    (
        "VAR002",
        "error",
        "nats",
        "nats_client_port is 'abc'; it must be a whole number",
        lambda c: c.set("nats", nats_client_port="abc"),
    ),
    (
        "VAR002",
        "error",
        "nats",
        "nats_state is 'off'; it must be one of started, stopped",
        lambda c: c.set("nats", nats_state="off"),
    ),
    (
        "VAR002",
        "error",
        "node",
        "node_rpc_cors is false; it must be text, written in quotes",
        lambda c: c.set("node", node_rpc_cors=False),
    ),
    (
        "VAR002",
        "error",
        "node-1",
        "node_base_path is 'data/node'; it must be an absolute path",
        lambda c: c.set("node-1", node_base_path="data/node"),
    ),
    ("VAR002", "error", "node-1", "nats_max_payload is empty", lambda c: c.set("node-1", nats_max_payload=None)),
    (
        "VAR002",
        "error",
        "storage-1",
        "plot_client_farms is '/mnt/a'; it must be a list",
        lambda c: c.set("storage-1", plot_client_farms="/mnt/a"),
    ),
    (
        "VAR002",
        "error",
        "storage-1",
        "plot_client_farms[0] is '/mnt/a'; it must be a map",
        lambda c: c.set("storage-1", plot_client_farms=["/mnt/a"]),
    ),
    (
        "VAR002",
        "error",
        "storage-1",
        "unknown key sector; did you mean sectors?",
        lambda c: c.farm("storage-1", sector=5),
    ),
    (
        "VAR002",
        "error",
        "storage-1",
        "plot_client_farms[0] has no path",
        lambda c: c.set("storage-1", plot_client_farms=[{"sectors": 5}]),
    ),
    (
        "VAR002",
        "error",
        "storage-1",
        "plot_client_farms[0].state is 'gone'",
        lambda c: c.farm("storage-1", state="gone"),
    ),
    (
        "VAR002",
        "error",
        "plotter-1",
        "caches_extra_args[0] is {'a': 1}; it must be text",
        lambda c: c.set("plotter-1", caches_extra_args=[{"a": 1}]),
    ),
    ("VAR003", "error", "nats", "Did you mean nats_max_payload?", lambda c: c.set("nats", nats_max_paylod="3MB")),
    (
        "VAR003",
        "error",
        "storage-1",
        "Did you mean plot_client_farms?",
        lambda c: c.control["other_variables"].update(plt_client_farms=["storage-1"]),
    ),
    (
        "VAR003",
        "warning",
        "node-1",
        "No role knows the variable node_colour_of_case",
        lambda c: c.set("node-1", node_colour_of_case="red"),
    ),
    (
        "VAR004",
        "error",
        "node-1",
        "cluster_chain has no value: 'x' is undefined",
        lambda c: c.unresolved.update({"node-1": {"cluster_chain": "'x' is undefined"}}),
    ),
    (
        "VAR004",
        "error",
        "node-1",
        "cluster_version has no value",
        lambda c: c.set("node-1", cluster_version="{{ nope }}"),
    ),
    (
        "VAR005",
        "error",
        "all",
        "cluster_version is the number 1.1",
        lambda c: [c.set(host, cluster_version=1.1) for host in c.hosts],
    ),
    ("VAR006", "warning", "node-1", "NATS0002", lambda c: c.set("node-1", cluster_accept=["NATS0002"])),
    # Groups, addresses, ports
    ("INV001", "error", "", "The group nats is missing or has no hosts", lambda c: c.groups.pop("nats")),
    ("INV001", "error", "", "The group node is missing or has no hosts", lambda c: c.groups.update(node=[])),
    ("INV001", "error", "", "there is no cluster", lambda c: c.groups.clear()),
    ("INV001", "warning", "", "nothing is plotted", lambda c: c.groups.pop("plot_server")),
    ("INV002", "error", "plotter_hosts", "Rename it to plot_server.", lambda c: move(c, "plot_server", "plot_servers")),
    ("INV002", "error", "node_hosts", "Rename it to node.", lambda c: move(c, "node", "nodes")),
    (
        "INV002",
        "error",
        "storage-1",
        "Did you mean the group plot_client?",
        lambda c: (c.groups["plot_client"].remove("storage-1"), c.groups.update(plot_cilent=["storage-1"])),
    ),
    ("INV003", "warning", "storage-1", "nothing runs on it", lambda c: c.groups["plot_client"].remove("storage-1")),
    (
        "INV004",
        "error",
        "node-1",
        "cluster_address is 'node-1.example.org', which is not an IP address",
        lambda c: c.set("node-1", ansible_host="node-1.example.org"),
    ),
    (
        "INV004",
        "error",
        "node-1",
        "cluster_address is '10.0.0.256', which is not an IP address",
        lambda c: c.set("node-1", cluster_address="10.0.0.256"),
    ),
    (
        "INV004",
        "error",
        "node-1",
        "cluster_address is 42, which is not an IP address",
        lambda c: c.set("node-1", cluster_address=42),
    ),
    ("INV004", "error", "node-1", "IPv6", lambda c: c.set("node-1", cluster_address="fd00::1")),
    (
        "INV005",
        "error",
        "node_hosts",
        "node-1, node-2 and node-3 share the address 10.0.0.9",
        lambda c: c.set("nats", cluster_address="10.0.0.9"),
    ),
    (
        "INV006",
        "error",
        "storage-1",
        "cluster_address is 127.0.0.1",
        lambda c: c.set("storage-1", cluster_address="127.0.0.1"),
    ),
    (
        "INV007",
        "warning",
        "plotter_hosts",
        "caches_roll differs: 25% on plotter-2, 3 on plotter-1; 3 is used",
        lambda c: c.set("plotter-1", caches_roll="3"),
    ),
    ("INV007", "error", "node_hosts", "nats_roll is 'all'", lambda c: c.set("nats", nats_roll="all")),
    (
        "PORT001",
        "error",
        "node-1",
        "Port 9944 is wanted by nats_client_port and node_rpc_port",
        lambda c: c.set("node-1", nats_client_port=9944),
    ),
    ("PORT001", "error", "node-1", "Port 30333", lambda c: c.set("node-1", node_rpc_port=30333)),
    ("PORT002", "error", "node-1", "node_rpc_port is 99440", lambda c: c.set("node-1", node_rpc_port=99440)),
    ("PORT002", "error", "plotter-1", "plot server 3 is 65537", lambda c: c.set("plotter-1", plot_server_port=65534)),
    # Versions and binaries
    ("REL001", "error", "all", "v1.0.0 on node-2", lambda c: c.set("node-1", cluster_version="v1.0.1")),
    (
        "REL002",
        "error",
        "storage-1",
        "cluster_binaries has no autonomys-farmer",
        lambda c: c.set("storage-1", cluster_binaries={}),
    ),
    (
        "REL002",
        "error",
        "storage-1",
        "has the src 'ftp://x'",
        lambda c: c.set("storage-1", cluster_binaries=binary(src="ftp://x")),
    ),
    (
        "REL003",
        "error",
        "storage-1",
        "has the checksum null",
        lambda c: c.set("storage-1", cluster_binaries=binary(checksum=None)),
    ),
    (
        "REL003",
        "error",
        "node-1",
        "nats_binary has the checksum 'md5:1'",
        lambda c: c.set("node-1", nats_binary={"src": "https://x", "checksum": "md5:1"}),
    ),
    (
        "REL004",
        "error",
        "storage-1",
        "looked for /a/farmer, /b/farmer",
        lambda c: local(c, path=None, tried=["/a/farmer", "/b/farmer"], checksum=None),
    ),
    (
        "REL005",
        "error",
        "storage-1",
        "which has " + BAD_SHA,
        lambda c: local(c, path="/a/farmer", tried=[], checksum=BAD_SHA),
    ),
    ("REL006", "error", "all", "chronos on node-1", lambda c: c.set("node-1", cluster_chain="chronos")),
    ("REL007", "warning", "all", "taurus", lambda c: [c.set(host, cluster_chain="taurus") for host in c.hosts]),
    # NATS
    (
        "NATS001",
        "error",
        "nats",
        "nats_max_payload is 1MB, 1,048,576 bytes",
        lambda c: c.set("nats", nats_max_payload="1MB"),
    ),
    ("NATS001", "error", "nats", "M counts in powers of 1000", lambda c: c.set("nats", nats_max_payload="2M")),
    ("NATS002", "warning", "node-1", "There is one NATS server", lambda c: c.groups.update(nats=["node-1"])),
    (
        "NATS002",
        "warning",
        "node-1,node-2",
        "There are 2 NATS servers",
        lambda c: c.groups.update(nats=["node-1", "node-2"]),
    ),
    (
        "NATS003",
        "error",
        "nats",
        "nats_max_payload differs: 3MB on node-2 and node-3, 4MB on node-1",
        lambda c: c.set("node-1", nats_max_payload="4MB"),
    ),
    ("NATS004", "warning", "nats", "Write 3MB.", lambda c: c.set("nats", nats_max_payload="3M")),
    (
        "NATS005",
        "error",
        "nats",
        "node-1, node-2 and node-3 have the nats_server_name 'n1'",
        lambda c: c.set("nats", nats_server_name="n1"),
    ),
    (
        "NATS006",
        "error",
        "nats",
        "nats_jetstream_max_file is '20 GB'",
        lambda c: c.set("nats", nats_jetstream_max_file="20 GB"),
    ),
    (
        "NATS007",
        "warning",
        "nats",
        "CVE-2025-30215, CVE-2026-33222, secnote-2026-16 and secnote-2026-26",
        lambda c: c.set("nats", nats_version="2.10.22"),
    ),
    (
        "NATS008",
        "error",
        "nats",
        "nats_version 2.12.99 has no pinned checksum for amd64",
        lambda c: c.set("nats", nats_version="2.12.99"),
    ),
    (
        "NATS009",
        "error",
        "storage-1",
        "has 10.0.0.12:4222 twice; 10.0.0.13:4222 is in no entry",
        lambda c: c.set(
            "storage-1",
            plot_client_nats_servers=["nats://10.0.0.11:4222", "nats://10.0.0.12:4222", "nats://10.0.0.12:4222"],
        ),
    ),
    (
        "NATS010",
        "error",
        "storage-1",
        "has 192.168.0.1:4222",
        lambda c: c.set("storage-1", plot_client_nats_servers=["nats://192.168.0.1:4222"]),
    ),
    (
        "NATS011",
        "error",
        "storage-1",
        "'nats://u:p@10.0.0.11:4222'",
        lambda c: c.set("storage-1", plot_client_nats_servers=["nats://u:p@10.0.0.11:4222"]),
    ),
    (
        "NATS012",
        "warning",
        "storage-1",
        "lacks node-3 (10.0.0.13:4222)",
        lambda c: c.set("storage-1", plot_client_nats_servers=["nats://10.0.0.11:4222", "nats://10.0.0.12:4222"]),
    ),
    # Nodes
    (
        "NODE001",
        "error",
        "node-1",
        "controller_node_rpc_url is ws://10.30.1.2:9944",
        lambda c: c.set("node-1", controller_node_rpc_url="ws://10.30.1.2:9944"),
    ),
    (
        "NODE002",
        "error",
        "node-1",
        "'http://10.0.0.11:9944'",
        lambda c: c.set("node-1", controller_node_rpc_url="http://10.0.0.11:9944"),
    ),
    (
        "NODE003",
        "error",
        "node-1",
        "but node-1 listens on port 9944",
        lambda c: c.set("node-1", controller_node_rpc_url="ws://10.0.0.11:9945"),
    ),
    (
        "NODE003",
        "error",
        "node-1",
        "node_rpc_address 127.0.0.1",
        lambda c: c.set("node-1", node_rpc_address="127.0.0.1"),
    ),
    (
        "NODE004",
        "warning",
        "node-2",
        "node_rpc_methods of node-3 is safe",
        lambda c: (c.set("node-3", node_rpc_methods="safe"), c.groups.update(node=["node-1", "node-3"])),
    ),
    ("NODE005", "info", "node", "whoever reaches port 9944 controls the node", lambda c: None),
    (
        "NODE005",
        "warning",
        "node-1",
        "8.8.4.4 is a public address",
        lambda c: c.set("node-1", cluster_address="8.8.4.4"),
    ),
    # Farms and disks
    (
        "FARM001",
        "error",
        "plot_client",
        "its checksum is wrong",
        lambda c: c.set("plot_client", plot_client_reward_address="st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn2"),
    ),
    ("FARM002", "error", "storage-1", "'/mnt/a,b'", lambda c: c.farm("storage-1", path="/mnt/a,b")),
    ("FARM002", "error", "storage-1", "without commas and spaces", lambda c: c.farm("storage-1", path="/mnt/a\nb")),
    ("FARM003", "error", "storage-1", "sectors of /mnt/nvme0 is '1k'", lambda c: c.farm("storage-1", sectors="1k")),
    ("FARM003", "error", "storage-1", "sectors of /mnt/nvme0 is '0'", lambda c: c.farm("storage-1", sectors=0)),
    (
        "FARM004",
        "error",
        "storage-1",
        "is 65535; a farm has 65534 at most",
        lambda c: c.farm("storage-1", sectors=65535),
    ),
    ("FARM005", "error", "storage-1", "has /mnt/nvme1 2 times", lambda c: c.farm("storage-1", path="/mnt/nvme1/")),
    (
        "FARM006",
        "error",
        "storage-1",
        "has 257 farms",
        lambda c: c.set("storage-1", plot_client_farms=[{"path": f"/mnt/{number}"} for number in range(257)]),
    ),
    (
        "FARM011",
        "error",
        "storage-1",
        "is 0; a sector has 1 to 65535 pieces",
        lambda c: c.set("storage-1", plot_client_pieces_in_sector=0),
    ),
    ("FARM007", "warning", "storage-1", "no farm", lambda c: c.set("storage-1", plot_client_farms=[])),
    (
        "DISK001",
        "error",
        "storage-1",
        "/mnt/nvme0 does not exist",
        lambda c: c.disk("storage-1", exists=False, is_mountpoint=False, mountpoint="/"),
    ),
    (
        "DISK002",
        "error",
        "storage-1",
        "/mnt/nvme0 is not a mountpoint",
        lambda c: c.disk("storage-1", is_mountpoint=False, mountpoint="/", device="/dev/sda1"),
    ),
    (
        "DISK002",
        "warning",
        "storage-1",
        "/mnt/nvme0 is not a mountpoint",
        lambda c: c.disk("storage-1", is_mountpoint=False, mountpoint="/mnt"),
    ),
    (
        "DISK003",
        "error",
        "storage-1",
        "/mnt/nvme0 and /mnt/nvme1 are all on /dev/nvme1",
        lambda c: c.disk("storage-1", device="/dev/nvme1"),
    ),
    (
        "DISK004",
        "error",
        "storage-1",
        "/mnt/nvme0 is on btrfs, which is unfit for plots",
        lambda c: c.disk("storage-1", fstype="btrfs"),
    ),
    (
        "DISK004",
        "warning",
        "storage-1",
        "/mnt/nvme0 is on f2fs, which is untested",
        lambda c: c.disk("storage-1", fstype="f2fs"),
    ),
    ("DISK005", "error", "storage-1", "/mnt/nvme0 is mounted read-only", lambda c: c.disk("storage-1", read_only=True)),
    (
        "DISK006",
        "error",
        "storage-1",
        "is 8000 (8,456,217,440,000 bytes); the disk holds 6845",
        lambda c: c.farm("storage-1", sectors=8000),
    ),
    (
        "DISK007",
        "error",
        "storage-1",
        "100 plotted sectors would be cut off",
        lambda c: (
            c.farm("storage-1", sectors=900),
            c.disk("storage-1", existing_plot_bytes=1000 * 1_057_027_180 + 2**20),
        ),
    ),
    (
        "DISK008",
        "error",
        "storage-1",
        "/mnt/nvme0 has 100 bytes left",
        lambda c: c.disk("storage-1", available=100, max_sectors=0),
    ),
    # GPUs and CPUs
    (
        "GPU001",
        "error",
        "plotter-1",
        "nvidia-smi was not found",
        lambda c: c.facts["plotter-1"]["gpus"].update(gpu_error="nvidia-smi was not found"),
    ),
    (
        "GPU001",
        "error",
        "node-1",
        "nvidia-smi lists none",
        lambda c: c.facts["node-1"]["gpus"]["topology"].update(gpus=[]),
    ),
    (
        "GPU002",
        "error",
        "plotter-1",
        "525.60.2; the farmer needs 525.60.13",
        lambda c: c.gpus("plotter-1")[2].update(driver_version="525.60.2"),
    ),
    (
        "GPU003",
        "warning",
        "plotter-1",
        "plot_server_gpus has GPU-0",
        lambda c: c.set("plotter-1", plot_server_gpus=["GPU-00000000-0000-0000-0000-000000000000", gpu(c)]),
    ),
    (
        "GPU003",
        "error",
        "plotter-1",
        "plot_server_gpus has GPU-0",
        lambda c: c.set("plotter-1", plot_server_gpus=["GPU-00000000-0000-0000-0000-000000000000"]),
    ),
    (
        "GPU004",
        "warning",
        "plotter-1",
        "Both the proof server and a plot server",
        lambda c: c.groups["proof_server"].append("plotter-1"),
    ),
    (
        "GPU005",
        "error",
        "node-1",
        "proof_server_gpu is '1'; the host has 0 (GPU-",
        lambda c: c.set("node-1", proof_server_gpu="1"),
    ),
    ("GPU006", "error", "plotter-1", "2 times", lambda c: c.set("plotter-1", plot_server_gpus=[gpu(c), gpu(c)])),
    (
        "GPU007",
        "error",
        "plotter-1",
        "'GPU0', which is not a UUID",
        lambda c: c.set("plotter-1", plot_server_gpus=["GPU0", gpu(c)]),
    ),
    ("GPU007", "error", "node-1", "proof_server_gpu is 'first'", lambda c: c.set("node-1", proof_server_gpu="first")),
    (
        "NUMA001",
        "warning",
        "plotter-1",
        "share the CPUs 0-1",
        lambda c: c.facts["plotter-1"]["gpus"]["topology"]["cpus"].update(usable="0-1"),
    ),
    (
        "NUMA002",
        "warning",
        "plotter-1",
        "gets 46 CPUs of NUMA node 0; 64 are recommended",
        lambda c: c.set("plotter-1", plot_server_min_cpus=64),
    ),
    (
        "NUMA003",
        "warning",
        "plotter-1",
        "The CPUs of plot server 0 (GPU 0000:01:00.0) are on NUMA node 1",
        lambda c: c.facts["plotter-1"]["gpus"]["topology"]["cpus"].update(usable="48-95,144-191"),
    ),
    (
        "NUMA004",
        "warning",
        "plotter-1",
        "does not report the NUMA node of plot server 0",
        lambda c: c.gpus("plotter-1")[0].update(numa_node=None),
    ),
    ("NUMA005", "error", "plotter-1", "", lambda c: c.set("plotter-1", plot_server_reserve_cores=-1)),
    (
        "NUMA006",
        "info",
        "plotter-1",
        "cut after six",
        lambda c: c.facts["plotter-1"]["gpus"].update(warnings=["nvidia-smi's list is cut after six ranges"]),
    ),
    (
        "GPU003",
        "warning",
        "plotter-1",
        "its slot free: 0 (CPUs 1-23,97-119)",
        lambda c: lose_gpu(c, plot_server_gpus=[gpu(c, index=n) for n in range(4)]),
    ),
    ("GPU008", "error", "plotter-1", "GPU GPU-0b0356b2-0000-0000-0000-000000000001 from 1 to 0", lose_gpu),
    (
        "GPU008",
        "error",
        "plotter-1",
        "plot_server_gpus: [GPU-2bab36a3-0000-0000-0000-000000000000, GPU-0b0356b2-0000-0000-0000-000000000001, ",
        lose_gpu,
    ),
    (
        "NUMA007",
        "warning",
        "plotter-1",
        'Set proof_server_cpus: "0,24,96,120"',
        lambda c: (
            c.groups["proof_server"].append("plotter-1"),
            c.set("plotter-1", plot_server_gpus=[gpu(c, index=1), gpu(c)]),
        ),
    ),
    (
        "NUMA008",
        "error",
        "node-1",
        "proof_server_cpus must be node, all or a CPU list",
        lambda c: c.set("node-1", proof_server_cpus="first"),
    ),
    ("NUMA008", "error", "node-1", "has the CPUs 4000", lambda c: c.set("node-1", proof_server_cpus="0,4000")),
    # Hosts
    (
        "HOST001",
        "error",
        "plotter-1",
        "cannot be reached: Connection refused",
        lambda c: c.facts.update(
            {
                "plotter-1": {
                    "reachable": False,
                    "error": "Connection refused",
                    "host": None,
                    "gpus": None,
                    "disks": None,
                }
            }
        ),
    ),
    (
        "HOST002",
        "error",
        "plotter-1",
        "could not be read: no python",
        lambda c: c.facts["plotter-1"].update(error="no python", gpus=None),
    ),
    (
        "HOST003",
        "error",
        "plotter-1",
        "The host is ppc64le; programs exist for aarch64 and x86_64",
        lambda c: c.facts["plotter-1"]["host"].update(architecture="ppc64le"),
    ),
    (
        "HOST004",
        "error",
        "plotter-1",
        "the host's interfaces have 10.9.9.9",
        lambda c: c.facts["plotter-1"]["host"].update(addresses=["10.9.9.9/8", "fe80::1/64"]),
    ),
    (
        "HOST005",
        "warning",
        "plotter-1",
        "The clock is not synchronized",
        lambda c: c.facts["plotter-1"]["host"].update(clock_synchronized=False),
    ),
    (
        "HOST004",
        "error",
        "node-1",
        "node_rpc_address is 10.9.9.9; the host's interfaces have 10.0.0.11",
        lambda c: c.set("node-1", node_rpc_address="10.9.9.9"),
    ),
    (
        "HOST006",
        "warning",
        "plotter-1",
        "268.4 GB of memory; 64 GB for each of 5 GPUs are recommended",
        lambda c: (
            c.host("plotter-1", memory_mib=256_000),
            c.gpus("plotter-1").append(dict(c.gpus("plotter-1")[0], uuid="GPU-x", bus_id="0000:f1:00.0")),
        ),
    ),
    (
        "HOST006",
        "warning",
        "node-1",
        "33.6 GB of memory; 64 GB for the node are recommended",
        lambda c: c.host("node-1", memory_mib=32_000),
    ),
    ("HOST007", "info", "node-1", "The host has 32 CPUs; 64 are recommended", lambda c: c.host("node-1", cpus=32)),
    (
        "HOST008",
        "warning",
        "plotter-1",
        "eth0 has 10000 Mbit/s; 4 plotting GPUs need about 12000 Mbit/s each way",
        lambda c: slow(c, "plotter-1", 10000),
    ),
    (
        "HOST008",
        "warning",
        "storage-1",
        "with 8 plotting GPUs, each of 2 storage hosts needs about 12000 Mbit/s",
        lambda c: slow(c, "storage-1", 10000),
    ),
    ("HOST008", "warning", "node-1", "eth0 has 100 Mbit/s; a node needs about 1000", lambda c: slow(c, "node-1", 100)),
    (
        "DISK011",
        "warning",
        "node-1",
        "/var (/dev/sda1) has 93.1 GiB; recommended are 20.0 GiB for nats (/var/lib/nats) and 450.0 GiB for node",
        lambda c: [
            c.folder("node-1", path, available=60 * 10**9, used=20 * 10**9)
            for path in ("/var/lib/nats", "/var/autonomys-node")
        ],
    ),
    (
        "DISK011",
        "warning",
        "plotter-1",
        "has 20.0 GiB; recommended are 460.8 GiB for caches",
        lambda c: [
            c.folder("plotter-1", path, available=20 * 2**30, used=0)
            for path in ("/var/autonomys-sharded-cache", "/var/autonomys-full-piece")
        ],
    ),
    (
        "DISK012",
        "error",
        "node-1",
        "/var/autonomys-node (node_base_path) is on a filesystem that is mounted read-only",
        lambda c: c.folder("node-1", "/var/autonomys-node", read_only=True),
    ),
    (
        "DISK012",
        "warning",
        "node-1",
        "is on tmpfs: its data is lost",
        lambda c: c.folder("node-1", "/var/lib/nats", fstype="tmpfs"),
    ),
    (
        "DISK010",
        "error",
        "node-1",
        "/var/lib/nats (nats_store_dir, /dev/sda1) cannot be read: Input/output error",
        lambda c: c.folder("node-1", "/var/lib/nats", error="Input/output error", size=None),
    ),
    (
        "DISK010",
        "error",
        "storage-1",
        "/mnt/nvme0 (/dev/nvme0) cannot be read: it does not answer within 20 s",
        lambda c: c.disk(
            "storage-1",
            error="it does not answer within 20 s",
            exists=None,
            available=None,
            max_sectors=None,
            existing_plot_bytes=None,
        ),
    ),
    (
        "DISK009",
        "error",
        "storage-1",
        "refuses to open the farm's files with O_DIRECT",
        lambda c: c.disk("storage-1", direct_io=False),
    ),
    (
        "DISK009",
        "error",
        "storage-1",
        "is mounted with data=journal",
        lambda c: c.disk("storage-1", options=["rw", "data=journal"]),
    ),
    # What changes would lose
    (
        "NODE008",
        "error",
        "node-1",
        "node_blocks_pruning is archive, but the database in /var/autonomys-node was made with the node's own default",
        node_runs,
    ),
    (
        "NODE008",
        "error",
        "node-1",
        "node_state_pruning is empty, but the database in /var/autonomys-node was made with archive",
        lambda c: node_runs(c, "--blocks-pruning", "archive", "--state-pruning=archive"),
    ),
    (
        "NODE009",
        "error",
        "node-1",
        "cluster_chain is chronos, but the database in /var/autonomys-node is of mainnet",
        lambda c: (node_runs(c), [c.set(host, cluster_chain="chronos") for host in c.hosts]),
    ),
    (
        "NATS014",
        "error",
        "node-1",
        "nats_server_name is n1, but JetStream knows this server and its data in /var/lib/nats as node-1",
        lambda c: (nats_runs(c, 'server_name: "node-1"\n'), c.set("node-1", nats_server_name="n1")),
    ),
    (
        "NATS015",
        "error",
        "node-1",
        "nats_store_dir is /var/lib/nats, but the server keeps its data in /var/nats-data",
        lambda c: nats_runs(c, "server_name=n1\njetstream {\n   store_dir=/var/nats-data\n}\n"),
    ),
    (
        "FARM008",
        "error",
        "storage-1",
        "cluster_chain is mainnet, but /mnt/nvme0 was plotted for taurus",
        lambda c: farm(c, "storage-1", genesis_hash=TAURUS),
    ),
    (
        "FARM008",
        "error",
        "storage-1",
        "cluster_chain is mainnet, but /mnt/nvme0 was plotted while the nodes were on gemini-3h",
        lambda c: (
            farm(c, "storage-1", genesis_hash="ab" * 32),
            c.program("node-1", "autonomys-node", NODE, "run", "--chain", "gemini-3h"),
        ),
    ),
    (
        "FARM008",
        "warning",
        "storage-1,storage-2",
        "abababab… (/mnt/nvme0 on storage-1); cdcdcdcd… (/mnt/nvme0 on storage-2)",
        lambda c: (farm(c, "storage-1", genesis_hash="ab" * 32), farm(c, "storage-2", genesis_hash="cd" * 32)),
    ),
    (
        "FARM009",
        "error",
        "storage-1",
        "plot_client_farms lacks /mnt/nvme9, which is deployed with 8000 sectors",
        lambda c: c.program(
            "storage-1",
            "autonomys-plot-client",
            FARMER,
            "cluster",
            "path=/mnt/nvme0/,sectors=6000",
            "path=/mnt/nvme9/,sectors=8000",
        ),
    ),
    (
        "FARM010",
        "error",
        "storage-1,storage-2",
        "identity.bin is the same at /mnt/nvme0 on storage-1 and /mnt/nvme1 on storage-2",
        lambda c: (
            farm(c, "storage-1", identity="9f86d081", id="1"),
            farm(c, "storage-2", "/mnt/nvme1", identity="9f86d081", id="1"),
        ),
    ),
    (
        "FARM010",
        "error",
        "storage-1",
        "single_disk_farm.json is the same at /mnt/nvme0 on storage-1 and /mnt/nvme1 on storage-1",
        lambda c: (farm(c, "storage-1", identity="9f86d081", id="1"), farm(c, "storage-1", "/mnt/nvme1", id="1")),
    ),
    # Programs
    (
        "PROG001",
        "warning",
        "storage-1",
        "plot_client_stopwaitsecs is 10: the program is killed after that",
        lambda c: c.set("storage-1", plot_client_stopwaitsecs=10),
    ),
    ("PROG001", "warning", "nats", "Use 130 or more", lambda c: c.set("nats", nats_lame_duck_duration="2m")),
    (
        "PROG002",
        "warning",
        "plotter-1",
        "autonomys-plot-server-0 is in the state BACKOFF: Exited too quickly; its log ends with: no GPU",
        lambda c: c.program(
            "plotter-1",
            "autonomys-plot-server-0",
            file="autonomys-plot-server",
            state="BACKOFF",
            reason="Exited too quickly; its log ends with: no GPU",
        ),
    ),
    (
        "PROG003",
        "warning",
        "storage-1",
        (
            "not in the group caches, but it has autonomys-full-piece and "
            "autonomys-sharded-cache in /etc/supervisor/conf.d/autonomys-caches.conf"
        ),
        lambda c: [
            c.program("storage-1", name, file="autonomys-caches")
            for name in ("autonomys-full-piece", "autonomys-sharded-cache")
        ],
    ),
    (
        "PROG003",
        "warning",
        "storage-1",
        "Because of cluster_remove_orphans, site.yml stops and removes this.",
        lambda c: (c.program("storage-1", "autonomys-node"), c.set("storage-1", cluster_remove_orphans=True)),
    ),
    (
        "PROG003",
        "warning",
        "storage-1",
        "Stop it and remove that file",
        lambda c: c.program("storage-1", "autonomys-node", file="my-node"),
    ),
    (
        "PROG003",
        "warning",
        "storage-1",
        "The host is not in the group plot_client",
        lambda c: (c.groups["plot_client"].remove("storage-1"), c.program("storage-1", "autonomys-plot-client")),
    ),
    (
        "PROG004",
        "error",
        "plotter-1",
        "autonomys-full-piece is defined in /etc/supervisor/conf.d/autonomys-full-piece.conf",
        lambda c: c.program("plotter-1", "autonomys-full-piece"),
    ),
    (
        "PROG005",
        "warning",
        "node-1",
        "supervisord runs with a limit of 1024 open files",
        lambda c: c.host("node-1", limits={"service": 1024, "kernel": 2**30}),
    ),
    (
        "PROG005",
        "warning",
        "node-1",
        "The kernel lets a process open 65536 files",
        lambda c: c.host("node-1", limits={"service": None, "kernel": 65536}),
    ),
    (
        "PROG005",
        "warning",
        "node-1",
        "cluster_open_files is 4096; nodes and farmers open",
        lambda c: c.set("node-1", cluster_open_files=4096),
    ),
    ("PROG006", "info", "storage-1", "cluster_user is root", lambda c: c.set("storage-1", cluster_user="root")),
    (
        "CACHE001",
        "warning",
        "plotter-1",
        "caches_full_piece_extra_args has --tmp",
        lambda c: c.set("plotter-1", caches_full_piece_extra_args=["--tmp"]),
    ),
    (
        "PLOT001",
        "info",
        "plotter-1",
        'plot_server_extra_args: [--record-encoding-concurrency, "32"]',
        lambda c: c.set("plotter-1", plot_server_extra_args=[]),
    ),
    (
        "REL008",
        "warning",
        "node-1,storage-1",
        "v0.9.0 on storage-1, v1.0.0 on node-1",
        lambda c: (
            c.program("node-1", "autonomys-node", NODE),
            c.program("storage-1", "autonomys-plot-client", FARMER.replace("v1.0.0", "v0.9.0")),
        ),
    ),
    (
        "VAR007",
        "warning",
        "node-1",
        "ansible_password holds a secret",
        lambda c: c.control.update(clear_secrets={"ansible_password": ["node-1"]}),
    ),
    # Routes, RPC, export
    (
        "NATS013",
        "error",
        "nats",
        (
            "nats_peers has 192.168.0.1, which no NATS server of the inventory has and lacks "
            "node-1 (10.0.0.11), node-2 (10.0.0.12) and node-3"
        ),
        lambda c: c.set("nats", nats_peers={"n1": "192.168.0.1"}),
    ),
    (
        "NATS013",
        "error",
        "node-1",
        "nats_peers calls servers n1, which have other names",
        lambda c: c.set("node-1", nats_peers={"n1": "10.0.0.11", "node-2": "10.0.0.12", "node-3": "10.0.0.13"}),
    ),
    (
        "NODE006",
        "warning",
        "node-1",
        "and the host has no packet filter",
        lambda c: c.host("node-1", packet_filter=False),
    ),
    (
        "NODE007",
        "info",
        "node",
        "here: node_sync full and node_blocks_pruning empty",
        lambda c: c.set("node", node_blocks_pruning=""),
    ),
    # CPUs chosen by hand
    (
        "NUMA009",
        "warning",
        "plotter-1",
        (
            "Plot server 2 has the CPUs 96-127; its GPU 0000:21:00.0 is on NUMA node 1 (CPUs "
            "48-95,144-191), so 96-127 are on other nodes"
        ),
        lambda c: bound(c, 2, "96-127"),
    ),
    (
        "NUMA009",
        "warning",
        "node-1",
        "The proof server (proof_server_cpus) has the CPUs 0-1",
        lambda c: (
            c.set("node-1", proof_server_cpus="0-1"),
            c.facts["node-1"].update(gpus=copy.deepcopy(c.facts["plotter-1"]["gpus"])),
            c.set("node-1", proof_server_gpu="3"),
        ),
    ),
    (
        "NUMA010",
        "warning",
        "plotter-1",
        "Plot server 1 and plot server 2 both have the CPUs 96-127",
        lambda c: (bound(c, 1, "96-127"), bound(c, 2, "96-127")),
    ),
    (
        "NUMA011",
        "warning",
        "plotter-1",
        "Plot server 0 and plot server 1 have different threads of the same 32 cores (CPUs 0-31,96-127)",
        lambda c: (bound(c, 0, "0-31"), bound(c, 1, "96-127")),
    ),
    (
        "NUMA011",
        "warning",
        "plotter-1",
        "The proof server (proof_server_cpus) and plot server 0 have different threads of the same 1 cores (CPUs 1,97)",
        lambda c: (
            c.groups["proof_server"].append("plotter-1"),
            c.set("plotter-1", proof_server_cpus="1,2"),
            masked(c),
        ),
    ),
    ("GPU009", "warning", "plotter-1", "is used by ./miner --all (pid 4711)", lambda c: busy(c, None)),
    ("VERS001", "error", "node-1", "nats-server 2.15.1 runs", lambda c: c.runs("node-1", "nats/2.15.1/nats-server")),
    (
        "VERS002",
        "error",
        "node-1",
        "autonomys-node v1.1.0 runs",
        lambda c: c.runs("node-1", "releases/v1.1.0/autonomys-node"),
    ),
    (
        "VERS003",
        "info",
        "plotter-1",
        "v0.9.0 runs and becomes v1.0.0",
        lambda c: c.runs("plotter-1", "releases/v0.9.0/autonomys-farmer"),
    ),
    (
        "ROLL001",
        "warning",
        "nats",
        "keeps node-2 stopped; of the 3 NATS servers no other can be spared",
        lambda c: c.set("node-2", nats_state="stopped"),
    ),
    ("ROLL002", "info", "node-1", "Only node-1 has proof_server", lambda c: c.groups.update(proof_server=["node-1"])),
    (
        "ROLL003",
        "warning",
        "node-1",
        "uses the node of node-1, which node_state keeps stopped",
        lambda c: c.set("node-1", node_state="stopped"),
    ),
    # What people reported
    ("VAR003", "warning", "node-1", "If you meant node_roll, correct it.", lambda c: c.set("node-1", node_rol=3)),
    (
        "VAR003",
        "warning",
        "node-1",
        "If you meant node_state, correct it.",
        lambda c: c.set("node-1", node_stats={"enabled": True}),
    ),
    (
        "VAR003",
        "error",
        "node-1",
        "Did you mean node_base_path?",
        lambda c: c.set("node-1", node_bsae_path="/data/node"),
    ),
    (
        "VAR004",
        "error",
        "node-1",
        "--vault-password-file",
        lambda c: c.unresolved.update(
            {"node-1": {"node_environment": "Attempt to use undecryptable variable: no vault secrets found."}}
        ),
    ),
    (
        "VAR005",
        "error",
        "all",
        "cluster_version is a date for YAML, 2024-11-18",
        lambda c: [c.set(host, cluster_version=datetime.date(2024, 11, 18)) for host in c.hosts],
    ),
    (
        "VAR005",
        "error",
        "node-1",
        "nats_server_name is the number 101",
        lambda c: c.set("node-1", nats_server_name=101),
    ),
    (
        "REL009",
        "error",
        "all",
        "cluster_version is 'v1.0 rc1', which cannot be the name of a folder",
        lambda c: [c.set(host, cluster_version="v1.0 rc1") for host in c.hosts],
    ),
    ("REL009", "error", "nats", "nats_version is '', which", lambda c: c.set("nats", nats_version="")),
    (
        "REL009",
        "error",
        "storage-1",
        "'../farmer', which cannot be the name of a file",
        lambda c: c.variables["storage-1"]["cluster_binaries"].update(
            {"../farmer": {"src": "https://x", "checksum": SHA}}
        ),
    ),
    (
        "REL009",
        "error",
        "node-1",
        "nats_binary: extract '../x'",
        lambda c: c.set("node-1", nats_binary={"src": "https://x", "checksum": SHA, "extract": "../x"}),
    ),
    ("NATS006", "error", "node-1", "nats_max_pending is '-1'", lambda c: c.set("node-1", nats_max_pending="-1")),
    (
        "NATS007",
        "warning",
        "nats",
        "Use 2.12.12 or newer.",
        lambda c: c.set("nats", nats_version="2.12.8"),
    ),
    (
        "NATS015",
        "error",
        "node-1",
        "but the server keeps its data in /var/nats-server",
        lambda c: nats_by_options(c, "--jetstream", "--store_dir", "/var/nats-server"),
    ),
    ("NATS015", "error", "node-1", "keeps its data in /tmp/nats", lambda c: nats_by_options(c, "-js")),
    (
        "NATS015",
        "error",
        "node-1",
        "keeps its data in /data/js",
        lambda c: nats_by_options(c, file="/opt/n.conf", text="jetstream {store_dir: /data/js}"),
    ),
    (
        "NATS015",
        "warning",
        "node-1",
        "is not known: its configuration /opt/n.conf was not read",
        lambda c: nats_by_options(c, file="/opt/n.conf"),
    ),
    ("NATS015", "warning", "node-1", "cannot be read", lambda c: c.program("node-1", "nats-server")),
    (
        "NATS014",
        "error",
        "node-1",
        "as old-name",
        lambda c: nats_by_options(c, "-js", "-sd=/var/lib/nats", "--name", "old-name"),
    ),
    (
        "NATS016",
        "error",
        "node-1",
        "nats_server_name is 'node 1', which nats-server refuses",
        lambda c: c.set("node-1", nats_server_name="node 1"),
    ),
    (
        "NATS016",
        "error",
        "nats",
        "nats_cluster_name is 'my cluster'",
        lambda c: c.set("nats", nats_cluster_name="my cluster"),
    ),
    (
        "NATS017",
        "error",
        "nats",
        "more than nats_max_pending with 2,097,152",
        lambda c: c.set("nats", nats_max_pending="2MB"),
    ),
    (
        "NATS017",
        "error",
        "nats",
        "2,147,483,647 at most",
        lambda c: c.set("nats", nats_max_payload="3GB", nats_max_pending="4GB"),
    ),
    (
        "NATS018",
        "error",
        "nats",
        "does not start with less than 30s",
        lambda c: c.set("nats", nats_lame_duck_duration="10s"),
    ),
    ("NATS018", "error", "nats", "nats_write_deadline is '10'", lambda c: c.set("nats", nats_write_deadline="10")),
    ("NATS019", "warning", "nats", "gets no fixes any more", lambda c: c.set("nats", nats_version="2.11.16")),
    (
        "NODE010",
        "error",
        "node-1",
        "autonomys-node keeps its database in /var/subspace-node",
        lambda c: node_runs(c, base_path="/var/subspace-node"),
    ),
    (
        "NODE010",
        "error",
        "node-1",
        "subspace-node keeps its database in /data/node",
        lambda c: c.program("node-1", "subspace-node", "/root/subspace-node-ubuntu-x86_64", "run", "-d", "/data/node"),
    ),
    (
        "NODE010",
        "error",
        "node-1",
        "the default folder of the user",
        lambda c: c.program("node-1", "autonomys-node", NODE, "run", "--chain", "mainnet"),
    ),
    ("NODE010", "warning", "node-1", "cannot be read", lambda c: c.program("node-1", "autonomys-node")),
    (
        "NODE010",
        "warning",
        "node-1",
        "is not known: $DATA is a variable",
        lambda c: c.program("node-1", "autonomys-node", NODE, "run", "--base-path", "$DATA"),
    ),
    (
        "PROG004",
        "error",
        "node-1",
        "systemd/system/node.service, which this collection does not manage Run systemctl disable --now node.service,",
        lambda c: (
            c.program("node-1", "node", NODE, "run", "--base-path", "/var/autonomys-node"),
            c.facts["node-1"]["host"]["programs"][-1].update(file="/etc/systemd/system/node.service"),
        ),
    ),
    (
        "PROG003",
        "warning",
        "storage-1",
        "Run systemctl disable --now nats-server.service, or put the host back",
        lambda c: (
            c.program("storage-1", "nats-server", "/usr/bin/nats-server"),
            c.facts["storage-1"]["host"]["programs"][-1].update(file="/usr/lib/systemd/system/nats-server.service"),
        ),
    ),
    (
        "CACHE002",
        "warning",
        "plotter-1",
        "autonomys-full-piece keeps its pieces in /old",
        lambda c: (
            c.program("plotter-1", "autonomys-full-piece", FARMER, "cluster", "full-piece-sharded-cache", "path=/old"),
            c.folder("plotter-1", "/var/autonomys-full-piece", empty=True),
        ),
    ),
    (
        "FARM009",
        "error",
        "storage-1",
        "lacks /mnt/old, which is deployed with size 8TiB",
        lambda c: c.program(
            "storage-1", "autonomys-plot-client", FARMER, "cluster", "farmer", "size=8TiB,path=/mnt/old/"
        ),
    ),
    ("FARM009", "warning", "storage-1", "cannot be read", lambda c: c.program("storage-1", "autonomys-plot-client")),
    (
        "PROG004",
        "error",
        "node-1",
        "subspace-node is defined in /etc/supervisor/conf.d/subspace-node.conf",
        lambda c: c.program("node-1", "subspace-node", "/root/subspace-node", "run", "--base-path", "/data/node"),
    ),
    (
        "PROG007",
        "error",
        "node-1",
        "node_environment: RUST_LOG: supervisord reads a ; or # after white space as a comment",
        lambda c: c.set("node-1", node_environment={"RUST_LOG": "info ; debug"}),
    ),
    (
        "PROG007",
        "error",
        "plotter-1",
        "plot_server_extra_args: its character 2 (U+000A) is a line break",
        lambda c: c.variables["plotter-1"]["plot_server_extra_args"].append("a\nb"),
    ),
    (
        "PROG007",
        "error",
        "node-1",
        "node_stopwaitsecs: -1 is negative",
        lambda c: c.set("node-1", node_stopwaitsecs=-1),
    ),
    (
        "PROG008",
        "warning",
        "plotter-1",
        'Make two items of it: ["--record-encoding-concurrency", "32"].',
        lambda c: c.set("plotter-1", plot_server_extra_args=["--record-encoding-concurrency 32"]),
    ),
    (
        "DISK002",
        "error",
        "storage-1",
        "shows /srv/farm, a folder of the root",
        lambda c: c.disk("storage-1", bound_from_root="/srv/farm"),
    ),
    (
        "PROG009",
        "warning",
        "node-1",
        "node_extra_args gives the value of --node-key and --api-token as an argument",
        lambda c: c.set("node-1", node_extra_args=["--node-key", "s3cr3t", "--name=x", "--api-token=s3cr3t"]),
    ),
    ("DISK013", "error", "node-1", "node_base_path has /, which", lambda c: c.set("node-1", node_base_path="/")),
    ("DISK013", "error", "node-1", "the home of operator", lambda c: c.set("node-1", nats_store_dir="/home/operator/")),
    ("DISK013", "error", "storage-1", "plot_client_farms has /mnt", lambda c: c.farm("storage-1", path="/mnt")),
    (
        "DISK014",
        "error",
        "node-1",
        "is below /root, which autonomys may not enter",
        lambda c: c.folder("node-1", "/var/autonomys-node", closed="/root"),
    ),
    (
        "HOST009",
        "error",
        "node-1",
        "Modules run as deploy and not as root, and could not read /etc/supervisor/conf.d (Permission denied)",
        lambda c: c.host("node-1", running_as="deploy", unreadable={"/etc/supervisor/conf.d": "Permission denied"}),
    ),
    (
        "HOST009",
        "error",
        "node-1",
        "Not even root can read /etc/nats-server.conf",
        lambda c: c.host("node-1", running_as="root", unreadable={"/etc/nats-server.conf": "Input/output error"}),
    ),
    (
        "HOST010",
        "error",
        "storage-1",
        "plot_client",
        lambda c: c.facts["storage-1"].update(refused={"plot_client": "the plot_client's folder cannot be made ready"}),
    ),
    (
        "HOST010",
        "error",
        "node-1",
        "supervisord runs as nobody",
        lambda c: c.facts["node-1"].update(refused=dict.fromkeys(COMPONENTS, "supervisord runs as nobody")),
    ),
    ("HOST011", "error", "node-1", "'*:9001' without a password", lambda c: controlled(c, address="*:9001")),
    ("HOST011", "warning", "node-1", "without a password", lambda c: controlled(c, address="127.0.0.1:9001")),
    (
        "HOST011",
        "warning",
        "node-1",
        "goes in clear",
        lambda c: controlled(c, address="10.0.0.11:9001", address_password=True),
    ),
    (
        "HOST011",
        "warning",
        "node-1",
        "is open to the user autonomys, the group adm and everybody on the host",
        lambda c: controlled(c, mode="0777", owner="autonomys", group="adm"),
    ),
    (
        "FARM012",
        "warning",
        "storage-1",
        "another network (its number is 0)",
        lambda c: c.set("storage-1", plot_client_reward_address="15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"),
    ),
    (
        "GPU010",
        "error",
        "plotter-1",
        "has '[Unknown Error]' for a UUID",
        lambda c: c.gpus("plotter-1")[3].update(uuid="[Unknown Error]"),
    ),
    ("NUMA002", "warning", "plotter-1", "Set plot_server_numa_scope: package", l3_as_numa),
    (
        "VERS004",
        "info",
        "node-1",
        "2.12.8 runs and becomes 2.14.5",
        lambda c: c.runs("node-1", "nats/2.12.8/nats-server"),
    ),
]


def slow(cluster, host, speed):
    cluster.facts[host]["host"]["interfaces"][0]["speed_mbps"] = speed


def busy(cluster, program):
    """A process that holds a GPU."""
    uuid = gpu(cluster)
    cluster.facts["plotter-1"]["gpus"]["processes"] = [
        {"pid": 4711, "gpu_uuids": [uuid], "program": program, "command": "./miner --all"}
    ]


def masked(cluster):
    """Leave CPU 1 to no plot server, while its sibling belongs to one."""
    cluster.facts["plotter-1"]["gpus"]["topology"]["cpus"]["usable"] = "0,2-191"


def controlled(cluster, **changes):
    """Let supervisord on a host be open to others than root; by default it is open to root alone."""
    root = {"socket": "/run/supervisor.sock", "mode": "0700", "owner": "root", "group": "root", "address": None}
    cluster.host("node-1", control={**root, "socket_password": False, "address_password": False, **changes})


# rule, what looks like its fault and is none
NEAR_MISSES = [
    (
        "VAR001",
        lambda c: (
            c.groups["plot_client"].remove("storage-1"),
            c.groups["nats"].append("storage-1"),
            unset(c, "cluster_version", "storage-1"),
        ),
    ),
    ("VAR002", lambda c: c.set("nats", nats_client_port="4222", nats_stopwaitsecs=90)),
    ("VAR002", lambda c: c.set("plotter-1", plot_server_max_cpus=None, plot_server_gpu_concurrency={"RTX 3080": 12})),
    (
        "VAR003",
        lambda c: c.set(
            "node-1", node_exporter_version="1.8", cluster_findings_file="x", plot_client_farms=[], test_host_gpus=4
        ),
    ),
    ("VAR005", lambda c: c.set("node-1", cluster_version="1.10")),
    ("VAR006", lambda c: c.set("node-1", cluster_accept=["NATS002"])),
    ("INV001", lambda c: (c.groups.pop("node"), c.set("controller", controller_node_rpc_url="ws://192.168.0.1:9944"))),
    ("INV002", lambda c: c.groups.update(nodes=["node-1", "plotter-1"], plot_clients=["storage-1", "storage-2"])),
    (
        "INV005",
        lambda c: (c.groups["plot_client"].remove("storage-1"), c.set("storage-1", cluster_address="10.0.0.11")),
    ),
    ("INV007", lambda c: c.set("nats", nats_roll=2)),
    ("PORT001", lambda c: c.set("plotter-1", plot_server_port=9944)),
    ("REL001", lambda c: (c.groups["plot_client"].remove("storage-1"), c.set("storage-1", cluster_version="v0"))),
    ("REL003", lambda c: c.set("storage-1", cluster_binaries=binary(checksum=SHA.upper().replace("SHA", "sha")))),
    ("REL005", lambda c: local(c, path="/a/farmer", tried=[], checksum=SHA)),
    ("NATS001", lambda c: c.set("nats", nats_max_payload="2MB")),
    ("NATS002", lambda c: c.groups["nats"].extend(["plotter-1", "plotter-2"])),
    ("NATS004", lambda c: c.set("nats", nats_max_payload=3145728)),
    ("NATS008", lambda c: c.set("nats", nats_version="2.12.99", nats_binary={"src": "https://x", "checksum": SHA})),
    (
        "NATS010",
        lambda c: (c.groups.pop("nats"), c.set("plot_client", plot_client_nats_servers=["nats://192.168.0.1:4222"])),
    ),
    (
        "NATS012",
        lambda c: c.set(
            "storage-1", plot_client_nats_servers=[f"nats://10.0.0.{number}:4222" for number in (13, 12, 11)]
        ),
    ),
    ("NODE003", lambda c: c.set("node-1", node_rpc_address="10.0.0.11")),
    ("NODE005", lambda c: c.set("node", node_rpc_methods="safe")),
    (
        "FARM005",
        lambda c: c.set("storage-1", plot_client_farms=[{"path": "/mnt/a"}, {"path": "/mnt/a", "state": "absent"}]),
    ),
    ("DISK003", lambda c: [c.disk(host, device="/dev/sdx") for host in ("storage-1", "storage-2")]),
    ("DISK006", lambda c: c.farm("storage-1", sectors=6845)),
    (
        "DISK007",
        lambda c: (
            c.farm("storage-1", sectors=1000),
            c.disk("storage-1", existing_plot_bytes=1000 * 1_057_027_180 + 2**20),
        ),
    ),
    (
        "DISK008",
        lambda c: c.disk("storage-1", available=100, max_sectors=0, existing_plot_bytes=1000 * 1_057_027_180 + 2**20),
    ),
    ("GPU002", lambda c: c.gpus("plotter-1")[0].update(driver_version="525.60.13")),
    (
        "GPU004",
        lambda c: (
            c.groups["proof_server"].append("plotter-1"),
            c.set("plotter-1", plot_server_gpus=[gpu(c, index=1)]),
        ),
    ),
    ("GPU005", lambda c: c.set("node-1", proof_server_gpu=gpu(c, "node-1"))),
    ("NUMA002", lambda c: c.set("plotter-1", plot_server_min_cpus=46)),
    ("GPU008", lambda c: lose_gpu(c, plot_server_gpus=[gpu(c, index=n) for n in range(4)])),
    ("GPU008", lambda c: lose_gpu(c, index=3)),
    ("GPU008", lambda c: lose_gpu(c, plot_server_state="stopped")),
    (
        "NUMA007",
        lambda c: (c.groups["proof_server"].append("plotter-1"), c.set("plotter-1", proof_server_cpus="0,24,96,120")),
    ),
    ("HOST004", lambda c: c.facts["plotter-1"]["host"].update(addresses=[])),
    ("HOST005", lambda c: c.facts["plotter-1"]["host"].update(clock_synchronized=None)),
    ("HOST004", lambda c: c.set("node-1", node_rpc_address="127.0.0.1")),
    ("HOST006", lambda c: c.host("plotter-1", memory_mib=257_000)),
    ("HOST006", lambda c: c.host("plotter-1", memory_mib=None)),
    ("HOST006", lambda c: (c.host("plotter-1", memory_mib=64_000), c.facts["plotter-1"].update(gpus=None))),
    ("HOST007", lambda c: c.host("storage-1", cpus=2)),
    ("HOST008", lambda c: slow(c, "plotter-1", 12000)),
    ("HOST008", lambda c: slow(c, "plotter-1", None)),
    ("HOST008", lambda c: (slow(c, "storage-1", 100), c.facts.pop("plotter-2"))),
    ("DISK009", lambda c: c.disk("storage-1", direct_io=True)),
    ("DISK010", lambda c: c.facts.pop("storage-1")),
    ("DISK011", lambda c: c.folder("plotter-1", "/var/autonomys-full-piece", available=0, used=None)),
    ("DISK011", lambda c: c.folder("node-1", "/var/autonomys-node", available=10**9, used=3 * 10**12)),
    ("DISK012", lambda c: c.folder("node-1", "/var/autonomys-node", fstype="btrfs")),
    ("NODE008", lambda c: node_runs(c, "--blocks-pruning", "archive")),
    ("NODE008", lambda c: (node_runs(c), c.folder("node-1", "/var/autonomys-node", empty=True))),
    ("NODE008", lambda c: node_runs(c, base_path="/var/other")),
    (
        "NODE008",
        lambda c: (node_runs(c, "--blocks-pruning", "256"), c.set("node-1", node_extra_args=["--blocks-pruning=256"])),
    ),
    ("NODE009", node_runs),
    ("NATS014", lambda c: nats_runs(c, 'server_name: "node-1"\n')),
    ("NATS014", lambda c: nats_runs(c, 'server_name: "n1"\n', empty=True)),
    ("NATS015", lambda c: nats_runs(c, 'jetstream {\n  store_dir: "/var/lib/nats/"\n}\n')),
    ("NATS015", lambda c: c.host("node-1", files={"/etc/nats-server.conf": {"content": "store_dir: /x\n"}})),
    (
        "FARM008",
        lambda c: (
            farm(c, "storage-1", genesis_hash="0x" + MAINNET.upper()),
            farm(c, "storage-2", genesis_hash=MAINNET),
        ),
    ),
    ("FARM008", lambda c: (farm(c, "storage-1", genesis_hash="ab" * 32), node_runs(c, "--blocks-pruning", "archive"))),
    (
        "FARM009",
        lambda c: (
            c.program("storage-1", "autonomys-plot-client", FARMER, "path=/mnt/nvme0/,sectors=6000"),
            c.farm("storage-1", state="absent"),
        ),
    ),
    ("FARM011", lambda c: c.set("storage-1", plot_client_pieces_in_sector=1)),
    ("FARM010", lambda c: (farm(c, "storage-1", identity="a", id="1"), farm(c, "storage-2", identity="b", id="2"))),
    (
        "FARM010",
        lambda c: (
            farm(c, "storage-1", identity="a"),
            farm(c, "storage-2", identity="a"),
            c.farm("storage-2", state="absent"),
        ),
    ),
    ("PROG001", lambda c: c.set("controller", controller_stopwaitsecs=5)),
    ("PROG001", lambda c: c.set("nats", nats_lame_duck_duration="80s")),
    (
        "PROG002",
        lambda c: c.program("plotter-1", "autonomys-plot-server-0", file="autonomys-plot-server", state="STARTING"),
    ),
    ("PROG003", lambda c: c.program("storage-1", "autonomys-monitor")),
    ("PROG004", lambda c: c.program("plotter-1", "autonomys-full-piece", file="autonomys-caches")),
    ("PROG005", lambda c: c.host("node-1", limits={"service": None, "kernel": None})),
    ("PROG006", lambda c: (c.groups["plot_client"].remove("storage-1"), c.set("storage-1", cluster_user="root"))),
    ("CACHE001", lambda c: c.set("plotter-1", caches_sharded_extra_args=["--mem-cache"])),
    ("PLOT001", lambda c: c.set("plotter-1", plot_server_extra_args=["--record-encoding-concurrency=16"])),
    (
        "REL008",
        lambda c: (
            c.program("node-1", "autonomys-node", NODE),
            c.program("storage-1", "autonomys-plot-client", FARMER),
        ),
    ),
    ("VAR007", lambda c: c.control.update(clear_secrets={})),
    (
        "NATS013",
        lambda c: c.set("nats", nats_peers={f"node-{number}": f"10.0.0.{10 + number}" for number in (1, 2, 3)}),
    ),
    ("NODE006", lambda c: c.host("node-1", packet_filter=None)),
    ("NODE006", lambda c: (c.host("node-1", packet_filter=False), c.set("node-1", node_rpc_methods="safe"))),
    ("NODE007", lambda c: [c.set(host, node_blocks_pruning="") for host in ("node-2", "node-3")]),
    ("NUMA009", lambda c: bound(c, 2, "48-71")),
    ("NUMA009", lambda c: (bound(c, 2, "96-127"), c.gpus("plotter-1")[2].update(numa_node=None))),
    ("NUMA010", lambda c: (bound(c, 1, "0-31"), bound(c, 2, "48-71"))),
    (
        "NUMA010",
        lambda c: (
            c.facts["plotter-1"]["gpus"]["topology"]["cpus"].update(usable="0-1"),
            [bound(c, slot, "0-1") for slot in range(4)],
        ),
    ),
    ("NUMA011", lambda c: (bound(c, 0, "0-15,96-111"), bound(c, 1, "16-31,112-127"))),
    ("GPU009", lambda c: busy(c, "autonomys-plot-server-0")),
    ("VERS001", lambda c: c.runs("node-1", "nats/2.14.9/nats-server")),
    ("VERS001", lambda c: c.runs("node-1", "nats/2.10.26/nats-server")),
    ("VERS002", lambda c: c.runs("node-1", "releases/v0.9.0/autonomys-node")),
    ("VERS002", lambda c: c.runs("node-1", "releases/nightly/autonomys-node")),
    ("VERS003", lambda c: c.runs("plotter-1", "releases/v1.0.0/autonomys-farmer")),
    ("ROLL003", lambda c: c.set("node-1", node_state="stopped", controller_state="stopped")),
    # What people reported
    ("VAR003", lambda c: c.set("nats", cluster_name="cluster.local", controller_host="x", node_exporter_port=9100)),
    ("VAR005", lambda c: c.set("node-1", nats_server_name="101")),
    ("REL009", lambda c: [c.set(host, cluster_version="mainnet-2024-nov-18+1") for host in c.hosts]),
    ("NATS015", lambda c: nats_by_options(c, "-p", "4222")),
    ("NATS015", lambda c: nats_by_options(c, "-js", "-sd", "/var/lib/nats/")),
    ("NATS016", lambda c: c.set("node-1", nats_server_name="node_1.example")),
    ("NATS017", lambda c: c.set("nats", nats_max_payload="8MB", nats_max_pending="8MB")),
    ("NATS018", lambda c: c.set("nats", nats_lame_duck_duration="1m30s", nats_stopwaitsecs=120)),
    ("NATS019", lambda c: c.set("nats", nats_version="2.12.15")),
    ("NATS007", lambda c: c.set("nats", nats_version="2.12.15")),
    ("NODE010", lambda c: node_runs(c, base_path="/var/autonomys-node/")),
    ("NODE010", lambda c: c.program("node-1", "autonomys-node", NODE, "run", "-d/var/autonomys-node")),
    ("NODE010", lambda c: c.program("node-1", "autonomys-node", NODE, "run", "--tmp")),
    (
        "CACHE002",
        lambda c: c.program(
            "plotter-1", "autonomys-full-piece", FARMER, "cluster", "full-piece-sharded-cache", "path=/old"
        ),
    ),
    ("PROG004", lambda c: c.program("storage-1", "subspace-node", "/root/subspace-node", "run")),
    ("PROG007", lambda c: c.set("node-1", node_environment={"RUST_LOG": "info;debug", "A": "it's 100 %"})),
    ("PROG008", lambda c: c.set("node-1", node_extra_args=["--name", "my node", "--title=my node", "-"])),
    ("PLOT001", lambda c: c.set("plotter-1", plot_server_extra_args=["--record-encoding-concurrency 32"])),
    ("DISK013", lambda c: c.set("node-1", node_base_path="/var/lib/autonomys", nats_store_dir="/home/operator/nats")),
    ("DISK013", lambda c: c.set("node-1", cluster_user="operator", node_base_path="/home/operator")),
    (
        "DISK013",
        lambda c: (c.farm("storage-1", path="/mnt"), c.facts["storage-1"]["disks"].update({"/mnt": disk("/mnt")})),
    ),
    ("DISK014", lambda c: c.folder("node-1", "/var/autonomys-node", closed=None)),
    ("HOST009", lambda c: c.host("node-1", running_as="root", unreadable={})),
    ("PROG009", lambda c: c.set("node-1", node_extra_args=["--node-key-file", "/etc/key", "--name", "token"])),
    ("HOST010", lambda c: c.facts["node-1"].update(refused={"caches": "a component that the host does not have"})),
    ("HOST011", controlled),
    ("HOST011", lambda c: controlled(c, mode="0777", owner="op", socket_password=True)),
    ("HOST011", lambda c: controlled(c, address="127.0.0.1:9001", address_password=True)),
    ("HOST011", lambda c: c.host("node-1", control=None)),
    (
        "FARM012",
        lambda c: c.set("storage-1", plot_client_reward_address="5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
    ),
    ("VERS004", lambda c: c.runs("node-1", "nats/2.14.1/nats-server")),
]


def hosts_of(cluster, text):
    if text == "all":
        return cluster.hosts
    return cluster.groups[text] if text in cluster.groups else [host for host in text.split(",") if host]


def names(cases):
    return [f"{case[0]}-{number}" for number, case in enumerate(cases)]


def test_a_faultless_cluster_has_only_the_note_about_rpc(cluster):
    assert [item["rule"] for item in cluster.findings()] == ["NODE005"]


# What supervisor_program fills in.
DEFAULTS = {"autorestart": True, "startretries": 1000000, "stopsignal": "TERM"}


def test_a_cluster_that_was_deployed_from_its_inventory_has_no_further_findings(cluster):
    """What site.yml wrote is no change, no hand-made set of CPUs, nothing left over."""
    model = cluster.model()
    for host in cluster.hosts:
        facts = cluster.facts[host]
        for component in model["hosts"][host]["components"]:
            rendered = render(
                [dict(DEFAULTS, **program) for program in programs(component, model["hosts"][host]["settings"], facts)]
            )
            there = parse_programs(rendered, f"/etc/supervisor/conf.d/{COMPONENTS[component].file}.conf")
            facts["host"]["programs"] += [dict(program, state="RUNNING", reason=None) for program in there]
    assert len(cluster.facts["plotter-1"]["host"]["programs"]) == 6
    for host in cluster.groups["nats"]:
        text = f'server_name: "{host}"\njetstream {{\n  store_dir: "/var/lib/nats"\n}}\n'
        cluster.host(host, files={"/etc/nats-server.conf": {"content": text}})
    assert [item["rule"] for item in cluster.findings()] == ["NODE005"]


@pytest.mark.parametrize("rule, severity, hosts, text, fault", TRIGGERS, ids=names(TRIGGERS))
def test_a_fault_is_found(cluster, rule, severity, hosts, text, fault):
    expected = sorted(hosts_of(cluster, hosts))
    fault(cluster)
    found = [
        item for item in cluster.findings() if item["rule"] == rule and text in item["message"] + " " + item["remedy"]
    ]
    assert [(item["severity"], item["hosts"]) for item in found] == [(severity, expected)], cluster.findings()
    assert list(found[0]) == ["rule", "severity", "hosts", "component", "message", "remedy"]
    assert "\n" not in found[0]["message"] and found[0]["message"] and found[0]["remedy"].endswith((".", "?", '"'))


def test_the_sentence_about_two_arguments_in_one_has_no_secret(cluster):
    cluster.set("node-1", node_extra_args=["--api-token s3cr3t"])
    [found] = [item for item in cluster.findings() if item["rule"] == "PROG008"]
    assert "--api-token" in found["message"] and "s3cr3t" not in str(found)


def test_infinity_is_no_number(cluster):
    cluster.set("node-1", node_rpc_port=float("inf"))
    assert "VAR002" in [item["rule"] for item in cluster.judge()["findings"]]


@pytest.mark.parametrize("rule, change", NEAR_MISSES, ids=names(NEAR_MISSES))
def test_what_is_no_fault_is_not_found(cluster, rule, change):
    change(cluster)
    assert [item for item in cluster.findings() if item["rule"] == rule] == []


LIES = [None, 0, -1, 10**30, "", "x", [], {}, [None], {"x": None}, True, 1.5]


def places(value, place=()):
    """Where something is in a host's answer."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


def test_one_host_that_tells_what_cannot_be_leaves_all_others_judged(cluster):
    cluster.runs("node-1", "releases/v0.9.0/autonomys-node")
    cluster.host("node-2", clock_synchronized=False)
    model = cluster.model()
    where = [
        (host, place)
        for host in ("node-1", "plotter-1", "storage-1")
        for place in places(cluster.facts[host])
        if place and place[0] not in ("reachable", "error")
    ]

    @settings(max_examples=200, deadline=None)
    @given(where=st.sampled_from(where), lie=st.sampled_from(LIES))
    def check(where, lie):
        host, place = where
        told = at = copy.deepcopy(cluster.facts[host])
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] = lie
        found = _rules.findings(model, {**cluster.facts, host: told, _rules.CONTROL: cluster.control})
        assert "HOST005" in [item["rule"] for item in found if item["hosts"] == ["node-2"]]
        assert {name for item in found if item["rule"] == "HOST002" for name in item["hosts"]} <= {host}

    check()


def test_a_fault_of_the_rules_themselves_is_not_blamed_on_a_host(cluster, monkeypatch):
    def breaks(view):
        raise ZeroDivisionError

    monkeypatch.setattr(_rules.rolling, "check", breaks)
    with pytest.raises(ZeroDivisionError):
        cluster.findings()


def test_every_rule_has_a_trigger():
    assert sorted({case[0] for case in TRIGGERS}) == sorted(_rules.RULES)


def test_one_mistake_is_not_reported_by_other_rules_too(cluster):
    cluster.set("plot_client", plot_client_farms="/mnt/nvme0", plot_client_pieces_in_sector="many")
    cluster.set("node", node_rpc_port="http")
    assert sorted({item["rule"] for item in cluster.findings()}) == ["NODE005", "VAR002"]


def test_the_order_is_by_severity_and_host_whatever_the_order_of_the_inventory(cluster):
    for _rule, _severity, _hosts, _text, fault in TRIGGERS[30:34] + TRIGGERS[55:60]:
        fault(cluster)
    found = cluster.findings()
    keys = [(("error", "warning", "info").index(item["severity"]), item["hosts"]) for item in found]
    assert keys == sorted(keys)
    shuffled = copy.deepcopy(cluster)
    shuffled.hosts.reverse()
    for hosts in shuffled.groups.values():
        hosts.reverse()
    assert shuffled.findings() == found


def test_facts_are_not_needed(cluster):
    cluster.facts = {}
    cluster.control = {}
    assert [item["rule"] for item in cluster.findings()] == ["NODE005"]


@pytest.mark.parametrize(
    "version, known",
    [
        ("2.10.22", ["CVE-2025-30215", "CVE-2026-33222", "secnote-2026-16", "secnote-2026-26"]),
        ("2.10.27", ["CVE-2026-33222", "secnote-2026-16", "secnote-2026-26"]),
        ("2.11.1", ["CVE-2026-33222", "secnote-2026-16", "secnote-2026-26"]),
        ("2.11.15", ["secnote-2026-16", "secnote-2026-26"]),
        ("2.11.16", ["secnote-2026-26"]),
        ("2.12.5", ["CVE-2026-33222", "secnote-2026-16", "secnote-2026-26"]),
        ("2.12.8", ["secnote-2026-26"]),
        ("2.12.12", []),
        ("2.13.0", ["secnote-2026-16", "secnote-2026-26"]),
        ("2.14.0", ["secnote-2026-26"]),
        ("2.14.3", []),
        ("2.15.0", []),
        ("main", []),
    ],
)
def test_vulnerabilities(version, known):
    assert vulnerabilities(version) == known


def test_orphans_are_told_by_their_files(cluster):
    for name, file in (
        ("autonomys-sharded-cache", "autonomys-caches"),
        ("autonomys-full-piece", "autonomys-caches"),
        ("autonomys-node", "my-node"),
    ):
        cluster.program("storage-1", name, file=file)
    cluster.program("plotter-1", "autonomys-full-piece", file="autonomys-caches")
    assert _rules.orphans(cluster.model(), cluster.facts) == {"storage-1": ["autonomys-caches"]}


# judge


def test_errors_of_storage_hosts_leave_them_out(cluster):
    cluster.disk("storage-1", exists=False)
    judged = cluster.judge()
    assert (judged["stopping"], judged["left_out"]) == ([], {"storage-1": ["DISK001"]})


def test_strict_stops_for_every_error(cluster):
    cluster.disk("storage-1", exists=False)
    judged = cluster.judge(strict=True)
    assert [item["rule"] for item in judged["stopping"]] == ["DISK001"]


@pytest.mark.parametrize("host, stops", [("node-1", True), ("plotter-1", False), ("storage-1", False)])
def test_an_unreachable_host(cluster, host, stops):
    cluster.facts[host] = {"reachable": False, "error": "timed out", "host": None, "gpus": None, "disks": None}
    judged = cluster.judge()
    assert [bool(judged["stopping"]), host in judged["left_out"]] == [stops, not stops]


def test_an_error_of_the_inventory_stops_even_on_a_storage_host(cluster):
    unset(cluster, "plot_client_reward_address", "storage-1")
    assert [item["rule"] for item in cluster.judge()["stopping"]] == ["VAR001"]


def test_accepted_findings_stay_visible_and_stop_nothing(cluster):
    cluster.disk("storage-1", exists=False)
    cluster.set("storage-1", cluster_accept=["DISK001"])
    judged = cluster.judge(strict=True)
    assert [(item["rule"], item["accepted"]) for item in judged["findings"]] == [("DISK001", True), ("NODE005", False)]
    assert (judged["stopping"], judged["left_out"]) == ([], {})


def test_a_finding_is_accepted_only_where_all_its_hosts_accept_it(cluster):
    cluster.set("node-1", cluster_accept=["NODE005"])
    assert [item["accepted"] for item in cluster.judge()["findings"]] == [False]
    cluster.set("nats", cluster_accept=["NODE005"])
    assert [item["accepted"] for item in cluster.judge()["findings"]] == [True]


def test_an_inventory_that_cannot_work_is_not_accepted(cluster):
    unset(cluster, "cluster_version")
    for host in cluster.hosts:
        cluster.set(host, cluster_accept=["VAR001"])
    assert [item["rule"] for item in cluster.judge()["stopping"]] == ["VAR001"]


# Whatever an inventory holds


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["auto", "nats://x", "GPU-1", "/mnt/a", "{{ x }}", "3 MB"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "sectors", "state", "src", "checksum", "autonomys-farmer"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_value_of_any_variable_breaks_the_rules(cluster, data):
    # Each example begins with a faultless one.
    cluster = copy.deepcopy(cluster)
    names = sorted({name for options in cluster.control["specs"].values() for name in options} - {"cluster_components"})
    for host in ("node-1", "plotter-1", "storage-1"):
        for name in data.draw(st.lists(st.sampled_from(names), max_size=8)):
            cluster.variables[host][name] = data.draw(JUNK)
    judged = cluster.judge()
    assert {item["rule"] for item in judged["findings"]} <= set(_rules.RULES)


def seconds(question):
    """Time that a question costs the processor, the best of two, and its answer."""
    times = []
    for _attempt in range(2):
        started = time.process_time()
        answer = question()
        times.append(time.process_time() - started)
    return min(times), answer


def test_a_thousand_hosts_take_less_than_two_seconds_each_and_cost_grows_with_the_hosts(large_cluster):
    for number, host in enumerate(large_cluster.hosts):
        large_cluster.set(host, cluster_version=f"v{number % 3}")
        large_cluster.program(host, "autonomys-old", f"/opt/autonomys/releases/v{number % 2}/autonomys-farmer")
    costs = {}
    for share in (0.25, 1):
        hosts = [host for number, host in enumerate(large_cluster.hosts) if share == 1 or number % 4 == 0]
        part = copy.copy(large_cluster)
        part.hosts, part.groups = (
            hosts,
            {name: [host for host in members if host in hosts] for name, members in large_cluster.groups.items()},
        )
        groups, variables, defaults = part.inventory()
        build, model = seconds(
            lambda groups=groups, variables=variables, defaults=defaults: build_model(groups, variables, defaults)
        )
        facts = dict(part.facts, **{_rules.CONTROL: dict(part.control, groups=part.groups)})
        judge, found = seconds(lambda model=model, facts=facts: _rules.findings(model, facts))
        costs[len(hosts)] = (build, judge)
        assert "REL001" in [item["rule"] for item in found]
    print("; ".join(f"{count} hosts: model {cost[0]:.2f} s, findings {cost[1]:.2f} s" for count, cost in costs.items()))
    small, (count, large) = costs[min(costs)], max(costs.items())
    assert count == 1000 and max(large) < 2
    # Four times the hosts: linear cost is four times as much, quadratic sixteen.
    assert all(after < 8 * before + 0.05 for before, after in zip(small, large))
