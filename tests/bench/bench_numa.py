# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares ways to choose the CPUs of GPUs on all recorded machines: ``make bench-numa``.

Every machine is written out as a tree of /sys, which hwloc and PyTorch's own code then read as they would read the
machine. PyTorch's module comes
from its public wheel, unchanged, with a stand-in for the CUDA driver.
"""

from __future__ import annotations

import builtins
import json
import shutil
import subprocess
import sys
import types
import zipfile
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import (
    format_cpu_list,
    parse_cpu_list,
    parse_cpu_mask,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import (
    NumaPlanError,
    faults,
    numa_plan,
    pci_order,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import read_topology

ROOT = Path(__file__).parents[2]
MACHINES = ROOT / "tests/fixtures/machines"
BUILD = ROOT / "build/bench"
TORCH = "2.13.0"
# The masks of the tutorial's example, GPU by GPU.
TUTORIAL = ("0-31", "96-127", "96-127", "144-175")
COLUMNS = ("failed", "overlapping", "off_node", "split_cores", "shared_l3")


# Machines


def write_tree(folder, files):
    for name, content in files.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if content.endswith("\n") else content + "\n", encoding="utf-8")


def machines():
    """``(name, topology)`` of every recorded machine with a GPU."""
    for path in sorted(MACHINES.glob("*.json")):
        recorded = json.loads(path.read_text(encoding="utf-8"))
        topology = recorded.get("topology")
        if topology is None:
            folder = BUILD / "recorded" / path.stem
            write_tree(folder, recorded["files"])
            topology = read_topology(str(folder))["topology"]
        if topology["gpus"]:
            yield path.stem, topology


def mask(cpus):
    """A set of CPUs as the kernel writes a mask."""
    bits = sum(1 << cpu for cpu in cpus)
    groups = []
    while bits or not groups:
        groups.append(f"{bits & 0xFFFFFFFF:08x}")
        bits >>= 32
    return ",".join(reversed(groups))


def sysfs(topology):
    """The files of /sys that say the same as a topology."""
    cpus = topology["cpus"]
    online = parse_cpu_list(cpus["online"])
    nodes = {number: parse_cpu_list(node["cpus"]) for number, node in cpus["nodes"].items()}
    base = "/sys/devices/system/cpu"
    files = {f"{base}/{name}": cpus["online"] for name in ("online", "possible", "present")}
    packages = {}
    for number, node in cpus["nodes"].items():
        packages.setdefault(node["package"], set()).update(nodes[number])
    for package, members in packages.items():
        for cpu in members:
            files[f"{base}/cpu{cpu}/topology/physical_package_id"] = str(package if package is not None else 0)
            for name in ("core_siblings", "package_cpus"):
                files[f"{base}/cpu{cpu}/topology/{name}"] = mask(members)
    for number, core in enumerate(cpus["cores"]):
        for cpu in parse_cpu_list(core):
            files[f"{base}/cpu{cpu}/topology/core_id"] = str(number)
            files[f"{base}/cpu{cpu}/topology/thread_siblings_list"] = core
            for name in ("thread_siblings", "core_cpus"):
                files[f"{base}/cpu{cpu}/topology/{name}"] = mask(parse_cpu_list(core))
    for group in cpus["l3"]:
        for cpu in parse_cpu_list(group):
            cache = {
                "level": "3",
                "type": "Unified",
                "size": "16384K",
                "coherency_line_size": "64",
                "shared_cpu_list": group,
            }
            cache["shared_cpu_map"] = mask(parse_cpu_list(group))
            files.update({f"{base}/cpu{cpu}/cache/index3/{name}": value for name, value in cache.items()})
    for cpu in online:
        files[f"{base}/cpu{cpu}/online"] = "1"
    folder = "/sys/devices/system/node"
    numbers = sorted(cpus["nodes"], key=int)
    files[f"{folder}/online"] = files[f"{folder}/possible"] = format_cpu_list(int(number) for number in numbers)
    for number in numbers:
        node = cpus["nodes"][number]
        files[f"{folder}/node{number}/cpulist"] = node["cpus"]
        files[f"{folder}/node{number}/cpumap"] = mask(nodes[number])
        files[f"{folder}/node{number}/distance"] = " ".join(str(node["distance"].get(other, 20)) for other in numbers)
        files[f"{folder}/node{number}/meminfo"] = f"Node {number} MemTotal: {(node['memory_mib'] or 0) * 1024} kB"
    for gpu in topology["gpus"]:
        files[f"/sys/bus/pci/devices/{gpu['bus_id']}/numa_node"] = str(
            -1 if gpu["numa_node"] is None else gpu["numa_node"]
        )
    return files


def usable(topology):
    cpus = topology["cpus"]
    return (parse_cpu_list(cpus["usable"]) & parse_cpu_list(cpus["online"])) - parse_cpu_list(cpus["isolated"])


# Ways to choose: each gives the CPU lists of the GPUs in PCI order, None for a GPU that gets none


def tutorial(topology, _tree):
    return [TUTORIAL[number] if number < len(TUTORIAL) else None for number in range(len(topology["gpus"]))]


def affinity_column(topology, _tree):
    """What `nvidia-smi topo -m` prints as a GPU's CPU affinity, whole."""
    return [gpu["cpus"] for gpu in sorted(topology["gpus"], key=pci_order)]


def hwloc_set(text):
    """hwloc's notation, 0x3f,,0x1, as a CPU list: a group that is zero is empty."""
    return format_cpu_list(parse_cpu_mask(",".join((group or "0")[2:].zfill(8) for group in text.split(","))))


def hwloc_distrib(topology, tree):
    """hwloc-distrib among the usable CPUs of the node of these GPUs, or among all where it is unknown."""
    if not shutil.which("hwloc-distrib"):
        return None
    gpus = sorted(topology["gpus"], key=pci_order)
    sets = {}
    for node in sorted({str(gpu["numa_node"]) for gpu in gpus}):
        members = [gpu["bus_id"] for gpu in gpus if str(gpu["numa_node"]) == node]
        domain = usable(topology) & parse_cpu_list(
            topology["cpus"]["nodes"].get(node, {"cpus": topology["cpus"]["online"]})["cpus"]
        )
        restriction = ",".join("0x" + group for group in mask(domain).split(","))
        command = [
            "hwloc-distrib",
            "--input",
            str(tree),
            "--if",
            "fsroot",
            "--restrict",
            restriction,
            str(len(members)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60) if domain else None
        answers = done.stdout.split() if done and done.returncode == 0 else []
        for number, bus_id in enumerate(members):
            sets[bus_id] = hwloc_set(answers[number]) if number < len(answers) else None
    return [sets[gpu["bus_id"]] for gpu in gpus]


def torch_module():
    """PyTorch's module of NUMA bindings from its wheel, None where that cannot be had.

    Nothing of it is kept in this repository.
    """
    folder = BUILD / "torch"
    if not list(folder.glob("torch-*.whl")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            str(folder),
            f"torch=={TORCH}",
        ]
        # The wheels for CPUs only are a tenth of the others.
        for more in (["--index-url", "https://download.pytorch.org/whl/cpu"], []):
            if subprocess.run(command + more, capture_output=True, text=True, check=False, timeout=600).returncode == 0:
                break
    try:
        with zipfile.ZipFile(next(folder.glob("torch-*.whl"))) as wheel:
            source = wheel.read("torch/numa/binding.py")
    except (StopIteration, KeyError, zipfile.BadZipFile):
        return None
    stand_ins = {name: types.ModuleType(name) for name in ("torch", "torch._utils_internal")}
    stand_ins["torch._utils_internal"].signpost_event = lambda **_arguments: None
    module = types.ModuleType("binding")
    # Its data classes look their module up by name.
    sys.modules.update(stand_ins, binding=module)
    exec(compile(source, "torch/numa/binding.py", "exec"), module.__dict__)
    return module


def pytorch_exclusive(topology, tree, module):
    gpus = sorted(topology["gpus"], key=pci_order)

    def read(path, *arguments):
        return builtins.open(str(tree) + path if path.startswith("/sys") else path, *arguments)

    class Properties:
        def __init__(self, bus_id):
            domain, bus, rest = bus_id.split(":")
            self.pci_domain_id, self.pci_bus_id, self.pci_device_id = (
                int(domain, 16),
                int(bus, 16),
                int(rest.partition(".")[0], 16),
            )

    module.torch.cuda = types.SimpleNamespace(
        device_count=lambda: len(gpus), get_device_properties=lambda number: Properties(gpus[number]["bus_id"])
    )
    module.open = read
    module.os = types.SimpleNamespace(sched_getaffinity=lambda _pid: set(usable(topology)))
    options = module.NumaOptions(affinity_mode=module.AffinityMode.EXCLUSIVE)
    sets = []
    for number in range(len(gpus)):
        try:
            sets.append(
                format_cpu_list(module._get_logical_cpus_to_bind_to(gpu_index=number, numa_options=options)) or None
            )
        except (RuntimeError, OSError, ValueError):
            sets.append(None)
    return sets


def ours(reserve):
    def choose(topology, _tree):
        try:
            plan = {gpu["bus_id"]: gpu["cpus"] for gpu in numa_plan(topology, reserve_cores=reserve)["gpus"]}
        except NumaPlanError:
            plan = {}
        return [plan.get(gpu["bus_id"]) for gpu in sorted(topology["gpus"], key=pci_order)]

    return choose


# The table


def main():
    shutil.rmtree(BUILD / "recorded", ignore_errors=True)
    shutil.rmtree(BUILD / "trees", ignore_errors=True)
    module = torch_module()
    ways = {"tutorial's masks": tutorial, "whole CPU affinity": affinity_column, "hwloc-distrib": hwloc_distrib}
    if module:
        ways[f"PyTorch {TORCH} exclusive"] = lambda topology, tree: pytorch_exclusive(topology, tree, module)
    ways["numa_plan, none kept back"] = ours(0)
    ways["numa_plan, 2 cores per node"] = ours(2)
    sums = {way: dict.fromkeys(COLUMNS, 0) for way in ways}
    rows, gpus = [], 0
    for name, topology in machines():
        tree = BUILD / "trees" / name
        write_tree(tree, sysfs(topology))
        gpus += len(topology["gpus"])
        for way, choose in ways.items():
            sets = choose(topology, tree)
            if sets is None:
                continue
            counted = faults(topology, list(zip(sorted(topology["gpus"], key=pci_order), sets)))
            fewest = min((len(parse_cpu_list(cpus)) for cpus in sets if cpus), default=0)
            rows.append((name, len(topology["gpus"]), way, dict(counted, fewest=fewest)))
            for column in COLUMNS:
                sums[way][column] += counted[column]
    head = ["failed", "overlapping", "off their node", "split cores", "shared L3"]
    seen = {row[0] for row in rows}
    print(
        "| machine | GPUs | way | "
        + " | ".join(head)
        + " | fewest CPUs |\n| --- | --- | --- | --- |"
        + " --- |" * len(head)
    )
    for name, number, way, counted in rows:
        print(
            f"| {name} | {number} | {way} | "
            + " | ".join(str(counted[column]) for column in (*COLUMNS, "fewest"))
            + " |"
        )
    print(f"\n| all {len(seen)} machines, {gpus} GPUs | " + " | ".join(head) + " |\n| --- |" + " --- |" * len(head))
    for way in ways:
        if any(row[2] == way for row in rows):
            print(f"| {way} | " + " | ".join(str(sums[way][column]) for column in COLUMNS) + " |")
    print(
        "\nfailed, overlapping and off their node count GPUs. Failed: no set, or one "
        "that numactl refuses. Machines without a GPU are left out."
    )
    if not module:
        print(f"PyTorch is left out: the wheel torch {TORCH} could not be downloaded with pip.")
    if not shutil.which("hwloc-distrib"):
        print("hwloc is left out: hwloc-distrib is not installed (Debian's package hwloc-nox).")
    worst = sums["numa_plan, 2 cores per node"]
    return 1 if worst["failed"] or worst["off_node"] or worst["split_cores"] else 0


if __name__ == "__main__":
    sys.exit(main())
