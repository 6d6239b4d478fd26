# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines for tests: recorded ones as trees of files, and what nvidia-smi says on them."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_smi import QUERY_FIELDS

MACHINES = Path(__file__).parents[4] / "fixtures" / "machines"


CPU = "/sys/devices/system/cpu"


NODE = "/sys/devices/system/node"


PCI = "/sys/bus/pci/devices"


def write_tree(root, files):
    for name, content in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return str(root)


def recorded(name):
    return json.loads((MACHINES / f"{name}.json").read_text(encoding="utf-8"))


def files_of(topology, masks=False):
    """Return the sysfs files of a machine; with ``masks`` as older kernels write them."""

    def cpu_files(folder, cpus, list_name, mask_name):
        if not masks:
            return {f"{folder}/{list_name}": cpus + "\n"}
        digits = f"{sum(1 << cpu for cpu in parse_cpu_list(cpus)):x}"
        digits = digits.zfill(-(-len(digits) // 8) * 8)
        return {f"{folder}/{mask_name}": ",".join(digits[i : i + 8] for i in range(0, len(digits), 8)) + "\n"}

    cpus = topology["cpus"]
    package_of = {cpu: node["package"] for node in cpus["nodes"].values() for cpu in parse_cpu_list(node["cpus"])}
    files = {f"{CPU}/online": cpus["online"] + "\n", f"{CPU}/isolated": cpus["isolated"] + "\n"}
    for core in cpus["cores"]:
        for cpu in parse_cpu_list(core):
            files.update(cpu_files(f"{CPU}/cpu{cpu}/topology", core, "thread_siblings_list", "thread_siblings"))
            files[f"{CPU}/cpu{cpu}/topology/physical_package_id"] = f"{package_of[cpu]}\n"
    for group in cpus["l3"]:
        for cpu in parse_cpu_list(group):
            for index, level, kind in ((0, 1, "Data"), (2, 2, "Unified"), (3, 3, "Unified")):
                folder = f"{CPU}/cpu{cpu}/cache/index{index}"
                files.update(cpu_files(folder, group if level == 3 else str(cpu), "shared_cpu_list", "shared_cpu_map"))
                files.update({f"{folder}/level": f"{level}\n", f"{folder}/type": f"{kind}\n"})
    for number, node in cpus["nodes"].items():
        folder = f"{NODE}/node{number}"
        files.update(cpu_files(folder, node["cpus"], "cpulist", "cpumap"))
        files[f"{folder}/meminfo"] = f"Node {number} MemTotal:       {node['memory_mib'] * 1024} kB\n"
        files[f"{folder}/distance"] = (
            " ".join(str(node["distance"][other]) for other in sorted(cpus["nodes"], key=int)) + "\n"
        )
    for gpu in topology["gpus"]:
        folder = f"{PCI}/{gpu['bus_id']}"
        files.update({f"{folder}/vendor": "0x10de\n", f"{folder}/class": "0x030200\n"})
        files[f"{folder}/numa_node"] = f"{-1 if gpu['numa_node'] is None else gpu['numa_node']}\n"
        files.update(cpu_files(folder, gpu["cpus"], "local_cpulist", "local_cpus"))
    files["/proc/1/status"] = f"Name:\tsystemd\nCpus_allowed_list:\t{cpus['usable']}\n"
    return files


def fake_nvidia(topology, topo="", topo_status=0, query=None, status=0, name="NVIDIA Test"):
    """Return a runner that answers as nvidia-smi does."""

    def run(argv, timeout):
        if argv[1:] == ["topo", "-m"]:
            return topo_status, topo, ""
        assert argv[1:] == ["--query-gpu=" + ",".join(QUERY_FIELDS), "--format=csv,noheader,nounits"]
        if query is not None:
            return status, query, ""
        lines = [
            f"{gpu['index']}, {gpu['uuid']}, {name}, 0000{gpu['bus_id'].upper()}, 24564, 550.54.14"
            for gpu in topology["gpus"]
        ]
        return status, "\n".join(lines) + "\n", ""

    return run


def matrix(topology, cpus=None, numa=None):
    names = [f"GPU{gpu['index']}" for gpu in topology["gpus"]]
    lines = ["\t" + "\t".join([*names, "CPU Affinity", "NUMA Affinity", "GPU NUMA ID"])]
    for number, gpu in enumerate(topology["gpus"]):
        links = [" X " if name == names[number] else "SYS" for name in names]
        node = "N/A" if gpu["numa_node"] is None else gpu["numa_node"]
        lines.append(
            "\t".join(
                [
                    names[number],
                    *links,
                    (cpus or {}).get(number, gpu["cpus"]),
                    "",
                    str((numa or {}).get(number, node)),
                    "",
                    "N/A",
                ]
            )
        )
    return "\n".join(lines) + "\n"
