# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads a host's CPUs, NUMA nodes, caches, NICs and GPUs.

Files are read below a root folder and commands go through a runner, so that a recorded tree is read by the same code as a live host.
sysfs is the authority; where nvidia-smi or NVML says something else, sysfs is used and a warning tells what differed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from .._cpuset import CpuSetError, format_cpu_list, parse_cpu_list, parse_cpu_mask
from .nvidia_smi import QUERY_FIELDS, NvidiaError, explain_error, normalize_bus_id, parse_query, parse_topo

NVIDIA_VENDOR = "0x10de"
PCI_DISPLAY = "0x03"
_PCI_RE = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\Z")

# pynvml runs in a process of its own: a hanging driver then costs the timeout instead of hanging the module.
_NVML_SCRIPT = """
import json, pynvml as n
n.nvmlInit()
def text(value):
    return value.decode() if isinstance(value, bytes) else value
gpus = []
for i in range(n.nvmlDeviceGetCount()):
    try:
        h = n.nvmlDeviceGetHandleByIndex(i)
    except n.NVMLError:
        continue
    try:
        affinity = [int(word) for word in n.nvmlDeviceGetCpuAffinity(h, 128)]
    except n.NVMLError:
        affinity = []
    gpus.append({"index": i, "uuid": text(n.nvmlDeviceGetUUID(h)), "name": text(n.nvmlDeviceGetName(h)),
                 "bus_id": text(n.nvmlDeviceGetPciInfo(h).busId), "memory_mib": n.nvmlDeviceGetMemoryInfo(h).total >> 20,
                 "driver_version": text(n.nvmlSystemGetDriverVersion()), "affinity": affinity})
print(json.dumps(gpus))
"""


# 14 stands for a warning, such as a corrupted infoROM, beside a good answer.
_GOOD_STATUSES = (0, 14)


class CommandError(Exception):
    """A command that could not be run to its end; the message says why."""


def run_command(argv, timeout):
    """Run a command and return (status, stdout, stderr); raises CommandError when it cannot start or does not end in time."""
    try:
        # A session of its own, so that children which the command leaves behind are ended with it.
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as exc:
        raise CommandError(f"{argv[0]} cannot be run: {exc.strerror or exc}") from exc
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as exc:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        # A process that waits for the driver inside the kernel does not even die of SIGKILL; do not wait for it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=1)
        command = " ".join(argv[:3])
        raise CommandError(
            f"{command} did not end within {timeout} s; the NVIDIA driver may hang (look at dmesg)"
        ) from exc
    return process.returncode, stdout, stderr


def find_nvidia_smi(path=None):
    """Return the path of nvidia-smi, None when it is not installed."""
    search = (os.environ.get("PATH", "") if path is None else path) + ":/usr/bin:/usr/local/bin"
    return shutil.which("nvidia-smi", path=search)


class Host:
    """The files below ``root``."""

    def __init__(self, root="/"):
        self.root = Path(root)

    def path(self, name):
        """Return where an absolute path of the host lies."""
        return self.root / name.lstrip("/")

    def read(self, name):
        """Return a file's content without surrounding blanks, None when it cannot be read."""
        try:
            return self.path(name).read_text(encoding="utf-8", errors="replace").strip()
        except (OSError, ValueError):
            return None

    def names(self, folder, pattern=""):
        """Return the sorted names in a folder that match a regular expression."""
        try:
            return sorted(entry.name for entry in self.path(folder).iterdir() if re.match(pattern, entry.name))
        except OSError:
            return []

    def integer(self, name):
        """Return a file's content as a number, None when it is none."""
        text = self.read(name)
        return int(text) if text is not None and re.match(r"-?[0-9]+\Z", text) else None

    def cpus(self, list_file, mask_file=None):
        """Return the CPUs of a list file or, on older kernels, of a mask file; None when neither can be read."""
        for name, parse in ((list_file, parse_cpu_list), (mask_file, parse_cpu_mask)):
            text = self.read(name) if name else None
            if text is None:
                continue
            try:
                return parse(text)
            except CpuSetError:
                continue
        return None


def read_topology(root="/", run=None, timeout=30):
    """Return ``{topology, gpu_error, warnings}`` of the host whose files lie below ``root``.

    ``run(argv, timeout)`` runs a command and returns (status, stdout, stderr) or raises CommandError. Without it commands are run for
    ``/`` only: for a recorded tree the GPUs are then the display devices of its PCI bus.
    """
    host = Host(root)
    warnings = []
    cpus, node_sets = _read_cpus(host, warnings)
    online = parse_cpu_list(cpus["online"])
    gpu_error = None
    if run is None and Path(root).resolve() != Path("/"):
        listed = [
            {"index": number, "uuid": None, "name": None, "bus_id": bus_id, "memory_mib": None, "driver_version": None}
            for number, bus_id in enumerate(_pci_gpus(host))
        ]
        topo = {}
        if not listed:
            gpu_error = "the recorded tree has no NVIDIA display device on its PCI bus"
    else:
        listed, topo, gpu_error = _ask_nvidia(run or run_command, timeout, warnings)
        if listed:
            _report_lost_gpus(host, listed, warnings)
    gpus = [_place_gpu(host, gpu, topo.get(f"GPU{gpu['index']}", {}), online, node_sets, warnings) for gpu in listed]
    return {
        "topology": {"gpus": gpus, "nics": _read_nics(host), "cpus": cpus},
        "gpu_error": gpu_error,
        "warnings": warnings,
    }


# CPUs, nodes and caches


def _read_cpus(host, warnings):
    """Return (the contract's ``cpus``, {node: online CPUs})."""
    base = "/sys/devices/system/cpu"
    present = sorted(int(name[3:]) for name in host.names(base, r"cpu[0-9]+\Z"))
    online = host.cpus(base + "/online")
    if online is None:
        online = frozenset(cpu for cpu in present if host.integer(f"{base}/cpu{cpu}/online") != 0)
    nodes, node_sets = _read_nodes(host, online, warnings)
    cores, l3, package_of = _read_cores(host, base, online)
    for number, node in nodes.items():
        packages = sorted({package_of[cpu] for cpu in node_sets[number] if package_of.get(cpu) is not None})
        node["package"] = packages[0] if packages else None
    isolated = _read_isolated(host, base) & online
    allowed = _read_allowed(host, online)
    return {
        "online": format_cpu_list(online),
        "usable": format_cpu_list((allowed & online) - isolated),
        "isolated": format_cpu_list(isolated),
        "cores": [format_cpu_list(core) for core in cores],
        "l3": [format_cpu_list(group) for group in l3],
        "nodes": nodes,
    }, node_sets


def _read_nodes(host, online, warnings):
    """Return ({node: its part of the contract}, {node: online CPUs})."""
    base = "/sys/devices/system/node"
    numbers = sorted(int(name[4:]) for name in host.names(base, r"node[0-9]+\Z"))
    if not numbers:
        # A kernel without NUMA support: one node with everything.
        memory = _memory_mib(host.read("/proc/meminfo"))
        return {"0": {"cpus": format_cpu_list(online), "memory_mib": memory, "package": None, "distance": {"0": 10}}}, {
            "0": online
        }
    nodes = {}
    node_sets = {}
    for number in numbers:
        folder = f"{base}/node{number}"
        # Some kernels list a node's possible CPUs, others its online ones.
        cpus = (host.cpus(folder + "/cpulist", folder + "/cpumap") or frozenset()) & online
        distances = [int(word) for word in (host.read(folder + "/distance") or "").split() if word.isdigit()]
        # One value for each online node; where a node's folder is missing, one for each number up to the largest.
        columns = (
            numbers
            if len(distances) == len(numbers)
            else list(range(len(distances)))
            if len(distances) == numbers[-1] + 1
            else []
        )
        node_sets[str(number)] = cpus
        nodes[str(number)] = {
            "cpus": format_cpu_list(cpus),
            "memory_mib": _memory_mib(host.read(folder + "/meminfo")),
            "package": None,
            "distance": {str(other): distance for other, distance in zip(columns, distances) if other in numbers}
            or {str(number): 10},
        }
    homeless = online.difference(*node_sets.values())
    if homeless:
        warnings.append(f"sysfs puts the CPUs {format_cpu_list(homeless)} on no NUMA node: no GPU gets them")
    return nodes, node_sets


def _memory_mib(meminfo):
    match = re.search(r"MemTotal:\s*([0-9]+) kB", meminfo or "")
    return int(match.group(1)) // 1024 if match else None


def _read_cores(host, base, online):
    """Return (physical cores, groups of the highest unified cache, {cpu: package}), as sets of online CPUs."""
    cores = []
    l3 = []
    package_of = {}
    seen_core = set()
    seen_l3 = set()
    for cpu in sorted(online):
        folder = f"{base}/cpu{cpu}"
        package = host.integer(folder + "/topology/physical_package_id")
        package_of[cpu] = package if package is not None and package >= 0 else None
        if cpu not in seen_core:
            siblings = (
                host.cpus(folder + "/topology/thread_siblings_list", folder + "/topology/thread_siblings")
                or frozenset()
            )
            core = ((siblings & online) | {cpu}) - seen_core
            seen_core |= core
            cores.append(core)
        if cpu not in seen_l3:
            group = _highest_unified_cache(host, folder + "/cache") & online - seen_l3
            if group:
                seen_l3 |= group | {cpu}
                l3.append(group | {cpu})
    return cores, l3, package_of


def _highest_unified_cache(host, folder):
    """Return the CPUs that share the highest unified cache of one CPU; usually that is level 3."""
    best = (0, frozenset())
    for index in host.names(folder, r"index[0-9]+\Z"):
        level = host.integer(f"{folder}/{index}/level")
        if level is None or level <= best[0] or host.read(f"{folder}/{index}/type") != "Unified":
            continue
        shared = host.cpus(f"{folder}/{index}/shared_cpu_list", f"{folder}/{index}/shared_cpu_map")
        if shared:
            best = (level, shared)
    return best[1]


def _read_isolated(host, base):
    """Return the CPUs that the scheduler leaves alone: isolcpus and isolated cpuset partitions."""
    isolated = host.cpus(base + "/isolated")
    if isolated is None:
        # Older kernels do not have the file. The flags come first: isolcpus=nohz,domain,2-5
        isolated = frozenset()
        for value in re.findall(r"(?:^|\s)isolcpus=(\S+)", host.read("/proc/cmdline") or ""):
            numbers = [part for part in value.split(",") if re.match(r"[0-9]+(?:-[0-9]+)?\Z", part)]
            isolated |= parse_cpu_list(",".join(numbers))
    return isolated | (host.cpus("/sys/fs/cgroup/cpuset.cpus.isolated") or frozenset())


def _read_allowed(host, online):
    """Return the CPUs that programs started by supervisord may use: its affinity and its cgroup's cpuset."""
    for pid in [_supervisord_pid(host), "1", "self"]:
        match = re.search(r"^Cpus_allowed_list:\s*(\S+)", host.read(f"/proc/{pid}/status") or "", re.M) if pid else None
        if match:
            return parse_cpu_list(match.group(1)) & _read_cpuset(host, pid, online)
    return online


def _supervisord_pid(host):
    """Return the pid of the running supervisord as text, None when there is none."""
    for name in ("/run/supervisord.pid", "/var/run/supervisord.pid"):
        pid = host.read(name)
        if pid and pid.isdigit() and _is_supervisord(host, pid):
            return pid
    namespace = _pid_namespace(host, "self")
    for pid in sorted(host.names("/proc", r"[0-9]+\Z"), key=int):
        # A supervisord inside a container of this host has a life of its own.
        if _is_supervisord(host, pid) and _pid_namespace(host, pid) == namespace:
            return pid
    return None


def _is_supervisord(host, pid):
    words = (host.read(f"/proc/{pid}/cmdline") or "").split("\0")
    return any(Path(word).name == "supervisord" for word in words[:3])


def _pid_namespace(host, pid):
    try:
        return os.readlink(str(host.path(f"/proc/{pid}/ns/pid")))
    except OSError:
        return None


def _read_cpuset(host, pid, online):
    """Return the CPUs of a process's cgroup, the online ones where cpusets are not in use."""
    for line in (host.read(f"/proc/{pid}/cgroup") or "").splitlines():
        parts = line.split(":", 2)
        if len(parts) != 3:
            continue
        if parts[1] == "":
            bases, names = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], ["cpuset.cpus.effective"]
        elif "cpuset" in parts[1].split(","):
            bases, names = ["/sys/fs/cgroup/cpuset"], ["cpuset.effective_cpus", "cpuset.cpus"]
        else:
            continue
        # The controller may be enabled only further up; in a container the path may not exist at all.
        folder = parts[2]
        while True:
            for base in bases:
                for name in names:
                    cpus = host.cpus(f"{base}{folder.rstrip('/')}/{name}")
                    if cpus:
                        return cpus
            if folder in ("", "/"):
                break
            folder = folder.rpartition("/")[0]
    return online


# GPUs


def _ask_nvidia(run, timeout, warnings):
    """Return (GPUs, rows of the matrix, why there is no GPU)."""
    program = find_nvidia_smi()
    if program is None:
        gpus = _ask_nvml(run, timeout)
        return (
            (gpus, {}, None)
            if gpus
            else (
                [],
                {},
                "nvidia-smi was not found on this host; a host without a GPU needs none, else install the NVIDIA driver and its utilities",
            )
        )
    try:
        query = run([program, "--query-gpu=" + ",".join(QUERY_FIELDS), "--format=csv,noheader,nounits"], timeout)
    except CommandError as exc:
        return [], {}, str(exc)
    try:
        gpus = parse_query(query[1])
    except NvidiaError:
        gpus = _ask_nvml(run, timeout)
        if not gpus:
            return [], {}, _explain(query)
        warnings.append(f"nvidia-smi did not list the GPUs, NVML did: {_explain(query)}")
    else:
        if query[0] not in _GOOD_STATUSES:
            warnings.append(f"nvidia-smi may not have listed all GPUs: {_explain((query[0], query[2], ''))}")
    try:
        topo = run([program, "topo", "-m"], timeout)
        rows = parse_topo(topo[1])
    except CommandError as exc:
        warnings.append(str(exc))
        rows = {}
    except NvidiaError:
        warnings.append(f"nvidia-smi topo -m gave no matrix: {_explain(topo)}")
        rows = {}
    listed = {f"GPU{gpu['index']}" for gpu in gpus}
    if rows and set(rows) != listed:
        warnings.append(
            f"nvidia-smi topo -m has rows for {', '.join(rows)}, nvidia-smi --query-gpu lists {', '.join(sorted(listed))}"
        )
    return gpus, rows, None


def _explain(answer):
    """Return what a command's (status, stdout, stderr) means."""
    status, stdout, stderr = answer
    return explain_error(stdout + "\n" + stderr, status)


def _ask_nvml(run, timeout):
    """Return the GPUs that pynvml lists, none when it is not installed or fails."""
    if importlib.util.find_spec("pynvml") is None:
        return []
    try:
        status, stdout, _stderr = run([sys.executable or "python3", "-c", _NVML_SCRIPT], timeout)
        gpus = json.loads(stdout) if status == 0 else []
    except (CommandError, ValueError):
        return []
    for gpu in gpus:
        gpu["bus_id"] = normalize_bus_id(gpu["bus_id"])
        gpu["nvml_cpus"] = frozenset(
            64 * number + bit for number, word in enumerate(gpu.pop("affinity")) for bit in range(64) if word >> bit & 1
        )
    return gpus


def _pci_gpus(host):
    """Return the PCI addresses of NVIDIA's display devices, in PCI order."""
    base = "/sys/bus/pci/devices"
    found = []
    for name in host.names(base, _PCI_RE.pattern):
        if not (host.read(f"{base}/{name}/class") or "").startswith(("0x0300", "0x0302")):
            continue
        # Every kernel has the vendor; recordings that left it out are taken at their word.
        if host.read(f"{base}/{name}/vendor") in (NVIDIA_VENDOR, None):
            found.append(name)
    return sorted(found, key=lambda name: [int(part, 16) for part in re.split("[:.]", name)])


def _report_lost_gpus(host, listed, warnings):
    """Warn of NVIDIA GPUs on the PCI bus that nvidia-smi does not list."""
    known = {gpu["bus_id"] for gpu in listed}
    present = _pci_gpus(host)
    for bus_id in present:
        # Without any of the listed ones on the bus this is a container that sees another machine's sysfs.
        if bus_id not in known and known & set(present):
            warnings.append(
                f"the NVIDIA device {bus_id} is on the PCI bus but nvidia-smi does not list it: look for Xid messages in dmesg"
            )


def _place_gpu(host, gpu, row, online, node_sets, warnings):
    """Return one GPU in the contract's shape: its node and local CPUs from sysfs, else from NVML, else from nvidia-smi."""
    label = f"GPU{gpu['index']} ({gpu['bus_id']})"
    folder = f"/sys/bus/pci/devices/{gpu['bus_id']}"
    smi_cpus = _affinity(row.get("cpu_affinity"))
    nvml_cpus = gpu.get("nvml_cpus")
    node = host.integer(folder + "/numa_node")
    cpus = host.cpus(folder + "/local_cpulist", folder + "/local_cpus")
    # The address is nvidia-smi's own. Where something else than a display device is there, the bus is not the one that nvidia-smi speaks of,
    # as in a container that sees another machine's sysfs. The maker does not matter: a bridge or an emulator may show its own.
    here = host.read(folder + "/vendor") in (NVIDIA_VENDOR, None) or (host.read(folder + "/class") or "").startswith(
        PCI_DISPLAY
    )
    if here and (cpus is not None or node is not None):
        source = "sysfs"
        cpus = (cpus if cpus is not None else node_sets.get(str(node), frozenset())) & online
        if node is None or node < 0:
            node = _node_of(cpus, node_sets)
        _compare(label, cpus, node, smi_cpus, row, online, warnings)
    elif nvml_cpus and nvml_cpus <= online:
        source, cpus, node = "nvml", nvml_cpus, _node_of(nvml_cpus, node_sets)
    elif smi_cpus and smi_cpus <= online:
        source, cpus, node = "nvidia-smi", smi_cpus, _node_of(smi_cpus, node_sets)
        if row["cpu_affinity"].count(",") == 5:
            warnings.append(
                f"{label} is not on this host's PCI bus; nvidia-smi's CPU list {row['cpu_affinity']} has six ranges and may be cut"
            )
    else:
        source, cpus, node = "all", online, None
        if smi_cpus:
            warnings.append(
                f"{label} is not on this host's PCI bus and nvidia-smi's CPUs {row['cpu_affinity']} are not all online here: its node is unknown"
            )
    if node is None and len(node_sets) > 1:
        source, cpus = "all", online
    return {
        "index": gpu["index"],
        "uuid": gpu["uuid"],
        "name": gpu["name"],
        "bus_id": gpu["bus_id"],
        "memory_mib": gpu["memory_mib"],
        "driver_version": gpu["driver_version"],
        "numa_node": node,
        "cpus": format_cpu_list(cpus),
        "cpus_source": source,
        "links": row.get("links", {}),
    }


def _affinity(text):
    """Return nvidia-smi's CPUs as a set, None where they are unknown."""
    try:
        return parse_cpu_list(text) if text else None
    except CpuSetError:
        return None


def _node_of(cpus, node_sets):
    """Return the number of the only node that holds these CPUs, None when there is none or no CPU."""
    holders = [number for number, node in node_sets.items() if cpus & node]
    return int(holders[0]) if len(holders) == 1 and cpus <= node_sets[holders[0]] else None


def _compare(label, cpus, node, smi_cpus, row, online, warnings):
    """Warn where nvidia-smi says something else than sysfs about a GPU."""
    if smi_cpus is not None and smi_cpus & online != cpus:
        text = row["cpu_affinity"]
        if text.count(",") == 5 and smi_cpus < cpus:
            warnings.append(
                f"nvidia-smi's CPU list of {label} is cut after six ranges ({text}): sysfs was used ({format_cpu_list(cpus)})"
            )
        else:
            warnings.append(
                f"nvidia-smi says that {label} is near the CPUs {text}, sysfs says {format_cpu_list(cpus) or 'none'}: sysfs was used"
            )
    numa = _affinity(row.get("numa_affinity"))
    if numa and node is not None and node not in numa:
        warnings.append(
            f"nvidia-smi says that {label} is on NUMA node {row['numa_affinity']}, sysfs says {node}: sysfs was used"
        )


# Network cards


def _read_nics(host):
    """Return the network and InfiniBand cards on the PCI bus as [{name, bus_id, numa_node, speed_mbps}], by name."""
    nics = {}
    for kind in ("net", "infiniband"):
        for name in host.names("/sys/class/" + kind):
            folder = f"/sys/class/{kind}/{name}"
            bus_id = _pci_parent(host, folder + "/device")
            if bus_id is None or (kind == "infiniband" and any(nic["bus_id"] == bus_id for nic in nics.values())):
                continue
            node = host.integer(f"/sys/bus/pci/devices/{bus_id}/numa_node")
            speed = host.integer(folder + "/speed")
            nics[name] = {
                "name": name,
                "bus_id": bus_id,
                "numa_node": node if node is not None and node >= 0 else None,
                "speed_mbps": speed if speed is not None and speed > 0 else None,
            }
    return [nics[name] for name in sorted(nics)]


def _pci_parent(host, device):
    """Return the PCI address of the device that a sysfs link points to or below, None when it is on no PCI bus."""
    path = host.path(device)
    if not path.exists():
        return None
    for part in reversed(path.resolve().parts):
        if _PCI_RE.match(part):
            return part
    return None
