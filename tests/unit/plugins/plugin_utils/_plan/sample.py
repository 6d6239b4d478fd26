# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters to plan: a model, what was read of the hosts, and what supervisor_program would answer on them."""

from __future__ import annotations

import copy
import json
import zlib
from pathlib import Path
from xml.etree import ElementTree

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, programs
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.masking import masked_texts
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import (
    full_command,
    quote_command,
    quote_environment,
)
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import PREFIXES, build_model
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan import build as _plan

MACHINES = Path(__file__).parents[4] / "fixtures" / "machines"
DEFAULTS = {role: role_files.defaults(role) for role in role_files.ROLES}
SHA256 = "sha256:" + "ab" * 32


def machine(name, host=""):
    """A recorded machine's topology; its GPUs' UUIDs are those of the host."""
    topology = json.loads((MACHINES / (name + ".json")).read_text(encoding="utf-8"))["topology"]
    for number, gpu in enumerate(topology["gpus"]):
        gpu.update(driver_version="550.54.14", memory_mib=24564, name="NVIDIA GeForce RTX 4090")
        gpu["uuid"] = (
            f"GPU-{zlib.crc32(host.encode()):08x}-{number:04d}-4000-8000-{number:012d}" if host else gpu["uuid"]
        )
    for number, nic in enumerate(topology["nics"]):
        nic.setdefault("speed_mbps", 25000 if number == 0 else 1000)
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
    }
    return dict(good, **changes)


def text_of(programs):
    """The part of a file of programs that the plan reads."""
    lines = []
    for program in programs:
        lines += [
            f"[program:{program['name']}]",
            "command=" + quote_command(full_command(dict(program, cpus=program.get("cpus")))),
        ]
        lines.append("environment=" + quote_environment(program["environment"]))
    return "\n".join(lines) + "\n"


class Cluster:
    """A cluster of nodes, plotters and storage hosts, ready to be changed by a test before it is planned."""

    def __init__(self, nodes=3, plotters=2, storages=2, plotter_machine="seed-2x48c-4gpu", disks=4):
        counts = {"node": nodes, "plotter": plotters, "storage": storages}
        names = {kind: [f"{kind}-{number}" for number in range(1, count + 1)] for kind, count in counts.items()}
        self.groups = {name: list(names["node"]) for name in ("nats", "node", "controller", "proof_server")}
        self.groups.update(
            caches=list(names["plotter"]), plot_server=list(names["plotter"]), plot_client=list(names["storage"])
        )
        self.hosts = names["node"] + names["plotter"] + names["storage"]
        self.variables, self.facts, self.answers = {}, {}, {}
        self.found, self.left_out, self.stopping, self.orphans, self.nats = [], {}, [], {}, {}
        for number, host in enumerate(self.hosts, 11):
            address = f"10.0.{number // 256}.{number % 256}"
            self.variables[host] = {
                "ansible_host": address,
                "cluster_version": "v1.0.0",
                "cluster_binaries": {
                    name: {"src": "https://example.org/" + name, "checksum": SHA256}
                    for name in ("autonomys-farmer", "autonomys-node")
                },
            }
            about = {
                "packages": {"supervisor": "4.2.5-1"},
                "user": {"name": "autonomys"},
                "service": {"active": True, "enabled": True},
                "programs": [],
            }
            self.facts[host] = {"reachable": True, "error": None, "host": about, "gpus": None, "disks": None}
        for host in names["node"]:
            self.facts[host]["gpus"] = {
                "topology": machine("single-gpu-single-node", host),
                "gpu_error": None,
                "warnings": [],
            }
        for host in names["plotter"]:
            self.facts[host]["gpus"] = {"topology": machine(plotter_machine, host), "gpu_error": None, "warnings": []}
        paths = [f"/mnt/nvme{number}" for number in range(disks)]
        for host in names["storage"]:
            self.variables[host]["plot_client_reward_address"] = "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1"
            self.variables[host]["plot_client_farms"] = [
                {"path": path, "sectors": "auto" if number else 6000} for number, path in enumerate(paths)
            ]
            self.facts[host]["disks"] = {path: disk(path) for path in paths}

    def set(self, hosts, **variables):
        """Set variables for a host, or for the hosts of a group."""
        for host in self.groups.get(hosts, [hosts]):
            self.variables[host].update(copy.deepcopy(variables))

    def model(self):
        """The model as the action plugin cluster_model makes it."""
        variables, defaults = {}, {}
        for host in self.hosts:
            variables[host] = {name: value for name, value in self.variables[host].items() if name.startswith(PREFIXES)}
            roles = ["common"] + [component for component in COMPONENTS if host in self.groups.get(component, [])]
            defaults[host] = {name: value for role in roles for name, value in DEFAULTS[role].items()}
            defaults[host]["cluster_address"] = self.variables[host]["ansible_host"]
            if "nats" in roles:
                defaults[host]["nats_server_name"] = host
        return build_model(self.groups, variables, defaults)

    def programs(self, host, component, model=None):
        """The programs that the role would make."""
        return programs(component, (model or self.model())["hosts"][host]["settings"], self.facts[host])

    def answer(self, host, component, wanted=None, state="RUNNING", before=None):
        """Let supervisor_program answer on a host.

        Every program in that state, or restarting when it differs from the programs of before.
        """
        wanted = self.programs(host, component) if wanted is None else wanted
        old = {program["name"]: program for program in before or []}
        changed = [program["name"] for program in wanted if old and old.get(program["name"]) != program]
        entries = [
            {"name": program["name"], "state": state, "restart_required": program["name"] in changed}
            for program in wanted
        ]
        gone = [name for name in old if name not in {program["name"] for program in wanted}]
        entries += [{"name": name, "state": "RUNNING", "restart_required": True} for name in gone]
        reasons = [f"{name} runs an older definition than its file (command)" for name in changed]
        reasons += [f"{name} runs but is no longer wanted" for name in gone]
        old_text, new_text = masked_texts(text_of(before or []), text_of(wanted))
        diff = [
            {
                "before_header": "/etc/supervisor/conf.d/x.conf",
                "after_header": "x",
                "before": old_text,
                "after": new_text,
            }
        ]
        result = {
            "changed": state != "RUNNING" or bool(reasons),
            "programs": entries,
            "restart_required": bool(reasons),
            "reasons": reasons,
            "diff": diff,
        }
        self.answers.setdefault(host, {})[component] = {"program": result}

    def everywhere(self, state="RUNNING"):
        """Let all hosts answer that all programs are in a state."""
        model = self.model()
        for component, hosts in self.groups.items():
            for host in hosts:
                self.answer(host, component, self.programs(host, component, model), state)
        return self

    def upgrade(self, version="v1.1.0"):
        """Let everything run, and another version be wanted."""
        old = {
            host: {name: self.programs(host, name) for name, hosts in self.groups.items() if host in hosts}
            for host in self.hosts
        }
        for host in self.hosts:
            self.set(host, cluster_version=version)
        model = self.model()
        for host, components in old.items():
            for component, before in components.items():
                self.answer(host, component, self.programs(host, component, model), before=before)
        return self

    def find(
        self, rule, severity, hosts, message="Something is wrong.", remedy="Fix it.", component="host", accepted=False
    ):
        """Add a finding."""
        item = {
            "rule": rule,
            "severity": severity,
            "hosts": hosts,
            "component": component,
            "message": message,
            "remedy": remedy,
            "accepted": accepted,
        }
        self.found.append(item)
        return item

    def plan(self):
        """The plan."""
        judged = {"findings": self.found, "stopping": self.stopping, "left_out": self.left_out, "orphans": self.orphans}
        return _plan.build_plan(self.model(), self.facts, self.answers, judged, self.nats)


def steps(plan):
    """What the plan's steps do, and where."""
    return [(step["component"], step["kind"], step["batches"]) for step in plan["steps"]]


def program(plan, host, name):
    """A program of the plan."""
    return next(item for item in plan["hosts"][host]["programs"] if item["name"] == name)


def boxes_within_the_page(svg):
    """Whether a picture, as a part of a page, is well formed and draws no box outside itself."""
    root = ElementTree.fromstring(svg)
    width, height = (float(number) for number in root.get("viewBox").split()[2:])
    return all(
        float(box.get("x")) + float(box.get("width")) <= width + 0.01
        and float(box.get("y")) + float(box.get("height")) <= height
        for box in root.iter("rect")
    )
