# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""inventories/tutorial gives the tutorial's programs, argument for argument, except for the differences listed here."""

from __future__ import annotations

import configparser
import json
import shlex
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import programs
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import sector_bytes
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import parse_command, parse_environment
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render

ROOT = Path(__file__).parents[3]
TUTORIAL = ROOT / "tests" / "fixtures" / "tutorial"
RELEASE = "/root/autonomys/releases/v0.1.0/"

# Every way in which a command line differs from the tutorial's: what it says there, what we say, and why.
CORRECTIONS = {
    # The third --nats-server repeats the second, so the third server is never used; done in `corrected`.
    "/root/autonomys/autonomys-farmer": (
        RELEASE + "autonomys-farmer",
        "programs name the release they were verified with",
    ),
    "/root/autonomys/autonomys-node": (RELEASE + "autonomys-node", "programs name the release they were verified with"),
    "ws://10.30.1.2:9944": (
        "ws://192.168.1.1:9944",
        "an address of no host of the cluster; a controller uses the node of its own host",
    ),
    "--tmp path=/var/autonomys-full-piece": (
        "path=/var/autonomys-full-piece",
        "--tmp deletes the pieces when the program ends",
    ),
    "stBR..S8V": ("st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1", "shortened in the tutorial"),
    "path=/mnt/nvme1n0/": ("path=/mnt/nvme1n2/", "no such disk in the tutorial's host table"),
    "sectors=8000": ("sectors=7507", "8000 sectors do not fit on a disk of 8 TB"),
    "--rpc-cors all": (
        "--rpc-cors all --blocks-pruning archive --state-pruning archive",
        "the piece export from this node needs all blocks",
    ),
    " /var/plot-server/": (
        " --record-encoding-concurrency 32 /var/plot-server/",
        "as all releases after the tutorial's are run",
    ),
    "-C 0-31": ("-C 1-23,97-119", "shared 32 cores with GPU 1 and GPU 2: CPU 0 and CPU 96 are threads of one core"),
    "-C 96-127": (
        {"autonomys-plot-server-1": "-C 25-47,121-143", "autonomys-plot-server-2": "-C 49-71,145-167"},
        "given twice, and on the wrong socket for GPU 2",
    ),
    "-C 144-175": ("-C 73-95,169-191", "cores shared with GPU 2's node are dealt out whole"),
}

# The proof server runs beside its GPU. On a machine with one NUMA node, as the tutorial's node hosts may be, its
# command is the tutorial's.
BOUND = {"autonomys-proof-server": "numactl -C 0-47,96-143 -l "}

# Options that only our files have.
ADDED_OPTIONS = {
    "autostart": "the maintenance hold",
    "startsecs": "a program that dies within seconds did not start",
    "startretries": "three retries leave a cluster dead after a power cut",
    "stopsignal": "written down",
    "stopwaitsecs": "a farmer may take minutes to stop",
    "killasgroup": "nothing of a killed program may keep its port or GPU",
}

CPU_SETS = ["1-23,97-119", "25-47,121-143", "49-71,145-167", "73-95,169-191"]


@pytest.fixture(scope="module")
def topology():
    return json.loads((ROOT / "tests/fixtures/machines/seed-2x48c-4gpu.json").read_text())["topology"]


def tutorial_program(name):
    """The tutorial's section of a program, wherever its file."""
    for path in TUTORIAL.glob("*.conf"):
        parser = configparser.RawConfigParser()
        parser.read_string(path.read_text(encoding="utf-8"))
        if parser.has_section("program:" + name):
            return dict(parser.items("program:" + name))
    raise LookupError(name)


def corrected(name, command):
    """The tutorial's command line with the corrections that are listed above."""
    first, second, third = "192.168.1.1", "192.168.1.2", "192.168.1.3"
    servers = " ".join(f"--nats-server nats://{address}:4222" for address in (first, second, second))
    command = command.replace(
        servers, " ".join(f"--nats-server nats://{address}:4222" for address in (first, second, third))
    )
    for there, (here, _reason) in CORRECTIONS.items():
        command = command.replace(there, here.get(name, there) if isinstance(here, dict) else here)
    return shlex.split(BOUND.get(name, "") + command)


def ours(tutorial_model, host, component, topology=None):
    settings = tutorial_model["hosts"][host]["settings"]
    disk = {"existing_plot_bytes": 0, "max_sectors": 7507}
    facts = {
        "gpus": {"topology": topology},
        "disks": {f"/mnt/{name}/": disk for name in ("nvme0n1", "nvme0n2", "nvme1n1", "nvme1n2")},
    }
    parser = configparser.RawConfigParser()
    parser.read_string(render([dict(DEFAULTS, **program) for program in programs(component, settings, facts)]))
    return {section.split(":", 1)[1]: dict(parser.items(section)) for section in parser.sections()}


# What supervisor_program fills in.
DEFAULTS = {"autorestart": True, "startretries": 1000000, "stopsignal": "TERM"}

CASES = [
    ("node-1", "node", "autonomys-node"),
    ("node-1", "controller", "autonomys-controller"),
    ("node-1", "proof_server", "autonomys-proof-server"),
    ("plotter-1", "caches", "autonomys-sharded-cache"),
    ("plotter-1", "caches", "autonomys-full-piece"),
    ("plotter-1", "plot_server", "autonomys-plot-server-0"),
    ("plotter-1", "plot_server", "autonomys-plot-server-1"),
    ("plotter-1", "plot_server", "autonomys-plot-server-2"),
    ("plotter-1", "plot_server", "autonomys-plot-server-3"),
    ("storage-1", "plot_client", "autonomys-plot-client"),
]


@pytest.mark.parametrize("host, component, name", CASES, ids=[case[2] for case in CASES])
def test_program_equals_the_tutorials(tutorial_model, topology, host, component, name):
    there, here = tutorial_program(name), ours(tutorial_model, host, component, topology)[name]
    assert parse_command(here.pop("command")) == corrected(name, there.pop("command"))

    environment = parse_environment(here.pop("environment", ""))
    gpu = dict(part.split("=") for part in [there.pop("environment", None)] if part)
    if component == "proof_server":
        # CUDA's own order is fastest first; the tutorial counts as nvidia-smi does.
        assert environment == dict(gpu, CUDA_DEVICE_ORDER="PCI_BUS_ID")
    elif component == "plot_server":
        # A UUID names the GPU whatever the order and the other GPUs.
        assert environment == {"CUDA_VISIBLE_DEVICES": topology["gpus"][int(gpu["CUDA_VISIBLE_DEVICES"])]["uuid"]}
    else:
        assert environment == gpu == {}

    assert set(here) - set(there) == set(ADDED_OPTIONS)
    assert {key: here[key] for key in there} == there


def test_a_proof_server_on_one_numa_node_is_bound_as_in_the_tutorial(tutorial_model):
    one_node = json.loads((ROOT / "tests/fixtures/machines/single-gpu-single-node.json").read_text())["topology"]
    [here] = ours(tutorial_model, "node-1", "proof_server", one_node).values()
    assert parse_command(here["command"])[0] == RELEASE + "autonomys-farmer"


def test_programs_are_the_tutorials_and_no_others(tutorial_model, topology):
    names = {name for path in TUTORIAL.glob("*.conf") for name in sections(path)}
    rendered = {
        name
        for host, component in (
            ("node-1", "node"),
            ("node-1", "controller"),
            ("node-1", "proof_server"),
            ("plotter-1", "caches"),
            ("plotter-1", "plot_server"),
            ("storage-1", "plot_client"),
        )
        for name in ours(tutorial_model, host, component, topology)
    }
    assert rendered == names


def sections(path):
    parser = configparser.RawConfigParser()
    parser.read_string(path.read_text(encoding="utf-8"))
    return [section.split(":", 1)[1] for section in parser.sections() if section.startswith("program:")]


def test_every_listed_correction_is_one_of_the_tutorial():
    text = "\n".join(path.read_text(encoding="utf-8") for path in TUTORIAL.glob("*.conf"))
    assert [there for there in CORRECTIONS if there not in text] == []


def test_the_tutorials_sectors_are_more_than_its_disks():
    assert 8000 * sector_bytes() > 8e12


def test_every_controller_uses_its_own_node_and_all_nats_servers(tutorial_model):
    for host, address in (("node-1", "192.168.1.1"), ("node-2", "192.168.1.2"), ("node-3", "192.168.1.3")):
        settings = tutorial_model["hosts"][host]["settings"]
        assert settings["controller_node_rpc_url"] == f"ws://{address}:9944"
        assert settings["controller_nats_servers"] == [f"nats://192.168.1.{number}:4222" for number in (1, 2, 3)]
        assert settings["nats_peers"] == {f"node-{number}": f"192.168.1.{number}" for number in (1, 2, 3)}


def test_masks_are_the_planned_ones(tutorial_model, topology):
    rendered = ours(tutorial_model, "plotter-2", "plot_server", topology)
    assert [parse_command(rendered[f"autonomys-plot-server-{slot}"]["command"])[:4] for slot in range(4)] == [
        ["numactl", "-C", cpus, "-l"] for cpus in CPU_SETS
    ]
