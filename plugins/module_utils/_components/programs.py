# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a component is on a host: its supervised programs, the evidence that they are healthy, and the binaries they need.

Pure functions of the roles' variables (``settings``, public names and values) and of what was read on the host (``facts``:
``topology`` as gpu_topology_info returns it, ``disks`` as disk_info does, ``programs`` as host_info tells
which stand on the host already). The roles and the model call the same functions, so
that a command line is written in one place.
"""

from __future__ import annotations

import hashlib
import json

from .._cpuset import CpuSetError, format_cpu_list, parse_cpu_list
from .._gpu.numa_plan import numa_plan, pci_order
from .._sectors import existing_sectors
from .._supervisor.write import environment_text

# Component → the file of supervised programs, in the order in which a cluster is started.
COMPONENTS = {
    "nats": "nats-server",
    "node": "autonomys-node",
    "controller": "autonomys-controller",
    "proof_server": "autonomys-proof-server",
    "caches": "autonomys-caches",
    "plot_server": "autonomys-plot-server",
    "plot_client": "autonomys-plot-client",
}

NATS_CONFIG = "/etc/nats-server.conf"
NATS_ARCHIVE = "https://github.com/nats-io/nats-server/releases/download/v{version}/nats-server-v{version}-linux-{architecture}.tar.gz"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

# Variables of a process's environment that the evidence has.
EVIDENT = ("CUDA_", "GPU_")

# What nats-server reads only when it starts; everything else of its file takes effect with a reload.
NATS_RESTART_SETTINGS = (
    "nats_server_name",
    "nats_cluster_name",
    "nats_client_port",
    "nats_cluster_port",
    "nats_monitor_port",
    "nats_store_dir",
    "nats_jetstream_max_memory",
    "nats_jetstream_max_file",
    "nats_lame_duck_duration",
    "cluster_address",
)


class SettingsError(ValueError):
    """A variable that no program can be made of; the message names variable, value and remedy."""


def programs(component, settings, facts=None):
    """The supervised programs of a component, each in the shape of ``supervisor_program``'s option ``programs``."""
    return [program for program, _expected in _BUILD[component](settings, facts or {})]


def expectations(component, settings, facts=None):
    """What evidence a healthy component shows, per program ``{name, cpus, memory_policy, environment, listening, connected_any, connected_all,
    gpus, gpu_count, open_under, stopped}``.

    ``environment`` has the variables that choose the GPU and its load, ``connected_any`` and ``connected_all`` are lists of
    ``address:port``, ``open_under`` of folders in which files are held open, ``stopped`` says why the program must not run; what a
    program need not show is left out.
    """
    return [_expectation(program, expected) for program, expected in _BUILD[component](settings, facts or {})]


def _expectation(program, expected):
    if "stopped" in expected:
        return {"name": program["name"], "stopped": expected["stopped"]}
    environment = {name: value for name, value in program["environment"].items() if name.startswith(EVIDENT)}
    # As numactl -l sets it.
    bound = {"cpus": program["cpus"], "memory_policy": "local"} if program.get("cpus") else {}
    return dict(expected, name=program["name"], **bound, **({"environment": environment} if environment else {}))


def releases(settings, machine, checksums):
    """The versions that a host needs, in the shape of the module ``release``.

    ``machine`` is the kernel's machine name (``x86_64``), ``checksums`` the pinned table ``{version: {amd64|arm64: sha256}}``.
    """
    wanted = []
    if set(settings["cluster_components"]) - {"nats"}:
        files = [
            dict(name=name, src=binary["src"], checksum=binary["checksum"])
            for name, binary in sorted(settings["cluster_binaries"].items())
        ]
        wanted.append(
            {
                "root": settings["cluster_install_dir"] + "/releases",
                "version": str(settings["cluster_version"]),
                "files": files,
            }
        )
    if "nats" in settings["cluster_components"]:
        archive = _nats_archive(settings, machine, checksums)
        wanted.append(
            {
                "root": settings["cluster_install_dir"] + "/nats",
                "version": str(settings["nats_version"]),
                "files": [archive],
            }
        )
    return wanted


def _nats_archive(s, machine, checksums):
    if s["nats_binary"]:
        return dict(s["nats_binary"], name="nats-server")
    architecture = ARCHITECTURES.get(machine, machine)
    version = str(s["nats_version"])
    try:
        checksum = checksums[version][architecture]
    except KeyError:
        raise SettingsError(
            f"nats_version {version} has no pinned checksum for {architecture}; choose a version of the table in roles/common/vars/main/nats_checksums.yml, or give nats_binary with src, checksum and extract"
        ) from None
    src = NATS_ARCHIVE.format(version=version, architecture=architecture)
    return {
        "name": "nats-server",
        "src": src,
        "checksum": "sha256:" + checksum,
        "extract": f"nats-server-v{version}-linux-{architecture}/nats-server",
    }


def _program(s, component, name, command, log=None, environment=None, log_max="100MB", **more):
    return dict(
        more,
        name=name,
        command=[str(argument) for argument in command],
        environment={
            key: environment_text(value)
            for key, value in dict(environment or {}, **s[component + "_environment"]).items()
        },
        user=s["cluster_user"],
        startsecs=s["cluster_program_startsecs"],
        stopwaitsecs=s[component + "_stopwaitsecs"],
        log={"path": f"{s['cluster_log_dir']}/{log or name}.log", "max_bytes": log_max, "backups": 2},
    )


def _binary(s, name):
    return f"{s['cluster_install_dir']}/releases/{s['cluster_version']}/{name}"


def _farmer(s, component, *arguments):
    """The farmer's command line: the NATS servers belong to ``cluster`` and stand before the component's own arguments."""
    servers = [part for server in s[component + "_nats_servers"] for part in ("--nats-server", server)]
    return [_binary(s, "autonomys-farmer"), "cluster"] + servers + list(arguments)


def endpoints(urls):
    """``address:port`` of URLs."""
    return [url.split("://", 1)[-1].rstrip("/") for url in urls]


def _connected(s, component):
    return {"connected_any": endpoints(s[component + "_nats_servers"])}


def _nats(s, facts):
    restart = json.dumps([str(s[name]) for name in NATS_RESTART_SETTINGS])
    yield (
        _program(
            s,
            "nats",
            "nats-server",
            [f"{s['cluster_install_dir']}/nats/{s['nats_version']}/nats-server", "--config", NATS_CONFIG]
            + s["nats_extra_args"],
            environment={"NATS_SETTINGS_DIGEST": hashlib.sha256(restart.encode()).hexdigest()[:16]},
            # Lame duck mode: clients leave one after another before the server ends. A TERM would cut all of them off at once.
            stopsignal="USR2",
            state_directories=[s["nats_store_dir"]],
        ),
        {"listening": [s["nats_client_port"], s["nats_monitor_port"]]},
    )


def _node(s, facts):
    command = [_binary(s, "autonomys-node"), "run", "--base-path", s["node_base_path"], "--farmer"]
    command += [
        "--rpc-listen-on",
        f"{s['node_rpc_address']}:{s['node_rpc_port']}",
        "--chain",
        s["cluster_chain"],
        "--sync",
        s["node_sync"],
    ]
    command += ["--rpc-methods", s["node_rpc_methods"], "--rpc-cors", s["node_rpc_cors"]]
    for option in ("blocks", "state"):
        pruning = s[f"node_{option}_pruning"]
        if pruning:
            command += [f"--{option}-pruning", pruning]
    yield (
        _program(s, "node", "autonomys-node", command + s["node_extra_args"], state_directories=[s["node_base_path"]]),
        {"listening": [s["node_rpc_port"]]},
    )


def _controller(s, facts):
    tmp = ["--tmp"] if s["controller_tmp"] else []
    command = (
        _farmer(s, "controller", "controller", *tmp)
        + ["--node-rpc-url", s["controller_node_rpc_url"]]
        + s["controller_extra_args"]
    )
    expected = dict(_connected(s, "controller"), connected_all=endpoints([s["controller_node_rpc_url"]]))
    yield _program(s, "controller", "autonomys-controller", command), expected


def proof_gpu(gpus, wanted):
    """The GPU of a topology that ``proof_server_gpu`` names by index in PCI order or by UUID, None when there is none such."""
    ordered = sorted(gpus, key=pci_order)
    if wanted.isdigit():
        return ordered[int(wanted)] if int(wanted) < len(ordered) else None
    return next((gpu for gpu in ordered if gpu["uuid"] == wanted), None)


def proof_server_cpus(s, topology):
    """The CPUs that the proof server is bound to, None when to none: where the machine has one NUMA node, or the GPU's is unknown."""
    choice = str(s["proof_server_cpus"])
    if choice == "all":
        return None
    if choice != "node":
        try:
            return format_cpu_list(parse_cpu_list(choice)) or None
        except CpuSetError as error:
            raise SettingsError(f"proof_server_cpus must be node, all or a CPU list: {error}") from None
    gpu = proof_gpu((topology or {}).get("gpus") or [], str(s["proof_server_gpu"]))
    if gpu is None:
        return None
    [planned] = numa_plan(dict(topology, gpus=[gpu]), reserve_cores=0, min_cpus=None)["gpus"]
    everywhere = parse_cpu_list(topology["cpus"]["usable"]) <= parse_cpu_list(planned["cpus"])
    return None if everywhere or planned["placement"] == "unknown" else planned["cpus"]


def _proof_server(s, facts):
    gpu = str(s["proof_server_gpu"])
    environment = {"CUDA_VISIBLE_DEVICES": gpu}
    if gpu.startswith("GPU-"):
        expected = {"gpus": [gpu]}
    else:
        # CUDA's own order is fastest first; nvidia-smi and this collection count by PCI address.
        environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        expected = {"gpu_count": 1}
    command = _farmer(s, "proof_server", "proof-server", *s["proof_server_extra_args"])
    cpus = proof_server_cpus(s, facts.get("topology"))
    bound = {"cpus": cpus} if cpus else {}
    program = _program(
        s, "proof_server", "autonomys-proof-server", command, environment=environment, log_max="500MB", **bound
    )
    yield program, dict(_connected(s, "proof_server"), **expected)


def _caches(s, facts):
    for name, word, kind in (
        ("autonomys-sharded-cache", "sharded-cache", "sharded"),
        ("autonomys-full-piece", "full-piece-sharded-cache", "full_piece"),
    ):
        path = s[f"caches_{kind}_path"]
        command = _farmer(s, "caches", word, *s["caches_extra_args"], *s[f"caches_{kind}_extra_args"]) + [
            "path=" + path
        ]
        yield _program(s, "caches", name, command, state_directories=[path]), _connected(s, "caches")


def remembered_slots(defined):
    """What the programs that stand on a host (``programs`` of host_info) tell: ``{slot: {"gpu", "cpus"}}``, either None where they do not say."""
    slots = {}
    for program in defined or []:
        name, _dash, slot = program["name"].rpartition("-")
        if name == "autonomys-plot-server" and slot.isdigit():
            slots[int(slot)] = {"gpu": program["gpu"], "cpus": program["cpus"]}
    return slots


def plot_server_gpus(s, topology, remembered=None):
    """The GPUs that plot on a host in the shape of the topology's, each with its ``slot`` and whether it is ``missing``.

    A GPU's slot is its place in ``plot_server_gpus``, else in the order of PCI addresses. A listed GPU that is missing keeps its slot and
    the NUMA node that it had by ``remembered`` (see ``remembered_slots``).
    """
    if not s["plot_server_gpus"]:
        return [dict(gpu, slot=slot, missing=False) for slot, gpu in enumerate(sorted(topology["gpus"], key=pci_order))]
    present = {gpu["uuid"]: gpu for gpu in topology["gpus"]}
    gpus = []
    for slot, uuid in enumerate(s["plot_server_gpus"]):
        gpu = present.get(uuid)
        if gpu is None:
            gpu = {
                "index": None,
                "uuid": uuid,
                "name": None,
                "bus_id": None,
                "numa_node": _remembered_node(uuid, slot, topology, remembered or {}),
            }
        gpus.append(dict(gpu, slot=slot, missing=uuid not in present))
    return gpus


def _remembered_node(uuid, slot, topology, remembered):
    """The NUMA node of the CPUs that a GPU, or else the former one of its slot, ran on; None when nothing tells."""
    own = [entry for entry in remembered.values() if entry["gpu"] == uuid] or [remembered.get(slot, {})]
    try:
        cpus = parse_cpu_list(own[0].get("cpus"))
    except CpuSetError:
        return None
    shares = {
        int(number): len(cpus & parse_cpu_list(node["cpus"])) for number, node in topology["cpus"]["nodes"].items()
    }
    best = min(shares, key=lambda number: (-shares[number], number)) if shares else None
    return best if best is not None and shares[best] else None


def plot_server_plan(s, topology, remembered=None):
    """The NUMA plan (``numa_plan``'s result) of the GPUs that plot on a host, each with its ``slot`` and whether it is ``missing``.

    Name, port, folder, log and share of the cores belong to the slot: a missing GPU keeps them, so its neighbours stay where they are.
    """
    gpus = plot_server_gpus(s, topology, remembered)
    slots = {gpu["uuid"]: gpu for gpu in gpus}
    others = [gpu for gpu in topology["gpus"] if gpu["uuid"] not in slots]
    names = {str(gpu[key]).lower() for gpu in others for key in ("index", "uuid", "bus_id")}
    plan = numa_plan(
        dict(topology, gpus=list(slots.values())),
        reserve_cores=s["plot_server_reserve_cores"],
        max_cpus=s["plot_server_max_cpus"],
        min_cpus=s["plot_server_min_cpus"],
        scope=s["plot_server_numa_scope"],
        gpu_numa_nodes={
            name: node for name, node in s["plot_server_gpu_numa_nodes"].items() if str(name).lower() not in names
        },
    )
    placed = [dict(gpu, slot=slots[gpu["uuid"]]["slot"], missing=slots[gpu["uuid"]]["missing"]) for gpu in plan["gpus"]]
    return dict(plan, gpus=sorted(placed, key=lambda gpu: gpu["slot"]))


def renumbered(s, topology, remembered):
    """The GPUs whose plot server would get another number although nobody asked for it: ``[(uuid, slot, new slot)]``."""
    if s["plot_server_gpus"] or s["plot_server_state"] != "started":
        return []
    new = {gpu["uuid"]: gpu["slot"] for gpu in plot_server_gpus(s, topology)}
    return [
        (entry["gpu"], slot, new[entry["gpu"]])
        for slot, entry in sorted(remembered.items())
        if new.get(entry["gpu"], slot) != slot
    ]


def pinned_gpus(remembered, topology):
    """The value of ``plot_server_gpus`` that keeps every plot server's number: those that stand on the host, then the new ones."""
    uuids = [entry["gpu"] for _slot, entry in sorted(remembered.items()) if str(entry["gpu"]).startswith("GPU-")]
    return uuids + [gpu["uuid"] for gpu in sorted(topology["gpus"], key=pci_order) if gpu["uuid"] not in uuids]


def _plot_server(s, facts):
    topology, remembered = facts["topology"], remembered_slots(facts.get("programs"))
    gpus = {gpu["uuid"]: gpu for gpu in plot_server_gpus(s, topology, remembered)}
    _refuse(s, topology, remembered, gpus, facts.get("gpu_error"))
    for gpu in plot_server_plan(s, topology, remembered)["gpus"]:
        slot, port = gpu["slot"], int(s["plot_server_port"]) + gpu["slot"]
        base_path = f"{s['plot_server_base_path']}/base-path-{slot}"
        priority = ["--priority-cache"] if s["plot_server_priority_cache"] else []
        command = (
            _farmer(s, "plot_server", "plot-server", *priority)
            + ["--listen-port", port]
            + s["plot_server_extra_args"]
            + [base_path]
        )
        environment = {"CUDA_VISIBLE_DEVICES": gpu["uuid"]}
        concurrency = s["plot_server_gpu_concurrency"]
        if isinstance(concurrency, dict):
            concurrency = concurrency.get(gpu["uuid"], concurrency.get(gpus[gpu["uuid"]]["name"]))
        if concurrency is not None:
            environment["GPU_CONCURRENCY"] = concurrency
        program = _program(
            s,
            "plot_server",
            f"autonomys-plot-server-{slot}",
            command,
            log=f"autonomys-plotter-{slot}",
            environment=environment,
            cpus=gpu["cpus"],
            autostart=not gpu["missing"],
            state_directories=[s["plot_server_base_path"], base_path],
        )
        if gpu["missing"]:
            yield program, {"stopped": f"its GPU {gpu['uuid']} is missing"}
        else:
            yield program, dict(_connected(s, "plot_server"), listening=[port], gpus=[gpu["uuid"]])


def _refuse(s, topology, remembered, gpus, gpu_error):
    """Raise SettingsError rather than stop or renumber plot servers because of what was not seen."""
    if s["plot_server_state"] == "started" and all(gpu["missing"] for gpu in gpus.values()):
        raise SettingsError(
            f"no GPU for plot servers was found, and nothing is changed: {gpu_error or 'none of plot_server_gpus is in the host'}"
        )
    moved = renumbered(s, topology, remembered)
    if moved and "GPU008" not in s["cluster_accept"]:
        raise SettingsError(
            f"{renumbering(moved)}; nothing is changed. List the GPUs so that each keeps its number: plot_server_gpus: {json.dumps(pinned_gpus(remembered, topology))}"
        )


def renumbering(moved):
    """The result of ``renumbered`` in words."""
    return "Plot servers would be renumbered: " + ", ".join(
        f"GPU {uuid} from {slot} to {new}" for uuid, slot, new in moved
    )


def farm_sectors(s, farm, disk):
    """Number of sectors of a farm: as given, or with ``auto`` what its disk holds when the farm is created.

    An existing farm keeps its number: a plot that shrinks by the rounding of a file system would lose sectors.
    """
    if str(farm.get("sectors", "auto")) != "auto":
        return int(farm["sectors"])
    if disk.get("error"):
        raise SettingsError(
            f"the disk of the farm {farm['path']} cannot be read, so its sectors cannot be counted: {disk['error']}"
        )
    return existing_sectors(disk["existing_plot_bytes"], s["plot_client_pieces_in_sector"]) or disk["max_sectors"]


def present_farms(s):
    """The farms that are passed to the plot client."""
    return [farm for farm in s["plot_client_farms"] if farm.get("state", "present") == "present"]


def _plot_client(s, facts):
    farms = present_farms(s)
    disks = facts.get("disks", {})
    command = (
        _farmer(s, "plot_client", "plot-client", "--reward-address", s["plot_client_reward_address"])
        + s["plot_client_extra_args"]
    )
    command += [f"path={farm['path']},sectors={farm_sectors(s, farm, disks.get(farm['path']))}" for farm in farms]
    paths = [farm["path"].rstrip("/") for farm in farms]
    yield (
        _program(s, "plot_client", "autonomys-plot-client", command, state_directories=paths),
        dict(_connected(s, "plot_client"), open_under=paths),
    )


_BUILD = {
    "nats": _nats,
    "node": _node,
    "controller": _controller,
    "proof_server": _proof_server,
    "caches": _caches,
    "plot_server": _plot_server,
    "plot_client": _plot_client,
}
