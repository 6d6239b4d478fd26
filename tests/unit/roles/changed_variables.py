# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another value for every variable of the roles, and what becomes of a running cluster whose inventory gets it.

The cluster is the faultless one of the rules' tests. Everything between inventory and programs is the collection's own
code: model, programs, the text that supervisord reads, and the decision what to do about it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Facts, Settings
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, programs
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import file_text
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.decide import (
    Definition,
    Request,
    Seen,
    Texts,
    decide,
    wanted_text,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.programs import with_defaults
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import absent
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.steps import Action, Reload
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._rules.sample import Cluster, machine


class OnHost(NamedTuple):
    """A value for one host only, since no two may share it."""

    host: str
    value: Any


SHA256 = "sha256:" + "cd" * 32

CHANGED: dict[str, Any] = {
    "cluster_address": OnHost("node-1", "10.0.0.91"),
    "cluster_version": "v2.0.0",
    "cluster_binaries": {"autonomys-farmer": {"src": "https://example.org/other", "checksum": SHA256}},
    "cluster_components": ["nats"],
    "nats_version": "2.12.15",
    "nats_binary": {"src": "https://example.org/nats.tar.gz", "checksum": SHA256, "extract": "n"},
    "cluster_user": "farmer",
    "cluster_install_dir": "/srv/autonomys",
    "cluster_log_dir": "/srv/log",
    "cluster_chain": "chronos",
    "cluster_offline": True,
    "cluster_proxy": "http://10.0.0.9:3128",
    "cluster_releases_keep": 5,
    "cluster_program_startsecs": 20,
    "cluster_open_files": 65536,
    "cluster_restart": "never",
    "cluster_start_wait": "none",
    "cluster_revert_on_failure": False,
    "cluster_health_interval": 5,
    "cluster_reading": {"host": {}},
    "cluster_remove_orphans": True,
    "cluster_lock_take": True,
    "cluster_host_count": 7,
    "cluster_accept": ["NATS002"],
    "nats_server_name": OnHost("node-1", "node-91"),
    "nats_cluster_name": "other",
    "nats_peers": {name: f"10.0.0.{number}" for number, name in enumerate(("node-1", "node-2", "node-3", "n-4"), 1)},
    "nats_held_peers": ["node-2"],
    "nats_client_port": 4333,
    "nats_cluster_port": 4333,
    "nats_monitor_port": 4333,
    "nats_max_payload": "4MB",
    "nats_max_pending": "512MB",
    "nats_write_deadline": "20s",
    "nats_store_dir": "/srv/nats",
    "nats_jetstream_max_memory": "2GB",
    "nats_jetstream_max_file": "30GB",
    "nats_lame_duck_duration": "40s",
    "nats_max_silence": 9,
    "nats_max_lag": 9,
    "node_base_path": "/srv/node",
    "node_rpc_address": "127.0.0.1",
    "node_rpc_port": 9955,
    "node_rpc_methods": "auto",
    "node_rpc_cors": "none",
    "node_sync": "snap",
    "node_blocks_pruning": "256",
    "node_state_pruning": "archive",
    "node_min_peers": 3,
    "controller_node_rpc_url": "ws://10.0.0.1:9944",
    "controller_tmp": False,
    "proof_server_gpu": "1",
    "proof_server_cpus": "0-1",
    "caches_sharded_path": "/srv/sharded",
    "caches_full_piece_path": "/srv/full",
    "caches_sharded_extra_args": ["--mem-cache"],
    "caches_full_piece_extra_args": ["--visible"],
    "plot_server_base_path": "/srv/plot-server",
    "plot_server_port": 9900,
    "plot_server_priority_cache": False,
    "plot_server_gpus": [f"GPU-{number}" for number in (1, 0, 2, 3, 4, 5, 6, 7)],
    "plot_server_gpu_concurrency": 3,
    "plot_server_reserve_cores": 4,
    "plot_server_max_cpus": 8,
    "plot_server_min_cpus": 4,
    "plot_server_numa_scope": "package",
    "plot_server_gpu_numa_nodes": {"GPU-0": 0},
    "plot_client_farms": [{"path": "/mnt/nvme0", "sectors": "auto"}],
    "plot_client_reward_address": "stB6EJSxbM7tVSTvgT8gMzCWBYVC6HD6xwQwb9aVAxSLM4vN8",
    "plot_client_pieces_in_sector": 500,
    "plot_client_disk_margin_mib": 1024,
}
for _component in COMPONENTS:
    CHANGED[_component + "_state"] = "stopped"
    CHANGED[_component + "_extra_args"] = ["--verbose"]
    CHANGED[_component + "_environment"] = {"RUST_LOG": "debug"}
    CHANGED[_component + "_stopwaitsecs"] = 400
    CHANGED[_component + "_roll"] = "50%"
    CHANGED[_component + "_health_timeout"] = 77
    if COMPONENTS[_component].nats_client:
        CHANGED[_component + "_nats_servers"] = ["nats://10.0.0.11:4222"]


class Effect(NamedTuple):
    """What a change does to programs, plot servers under one name, and whether a NATS server reads its file again."""

    restarted: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    started: frozenset[str] = frozenset()
    reloaded: bool = False


def programs_of(component: str) -> frozenset[str]:
    """Return the programs of a component, those of slots under one name."""
    return frozenset(COMPONENTS[component].programs or [COMPONENTS[component].file])


def running_cluster() -> Cluster:
    """Return a cluster in which every variable means something: several GPUs and nodes, farms that are plotted."""
    cluster = Cluster()
    for host in cluster.groups["plot_server"]:
        topology = machine("dgxa100-nps4-8gpu")
        for number, gpu in enumerate(topology["gpus"]):
            gpu.update(uuid=f"GPU-{number}", name="NVIDIA")
        cluster.facts[host]["gpus"]["topology"] = topology
    for host in cluster.groups["plot_client"]:
        cluster.disk(host, existing_plot_bytes=6_000_000_000_000)
        cluster.set(host, plot_client_farms=[{"path": "/mnt/nvme0"}, {"path": "/mnt/nvme1", "sectors": 6000}])
    return cluster


def change(cluster: Cluster, name: str, value: Any) -> None:
    """Give a variable another value on all hosts that have it, or where the value names hosts on these only."""
    if isinstance(value, OnHost):
        cluster.set(value.host, **{name: value.value})
        return
    component = next((each for each in COMPONENTS if name.startswith(each + "_")), None)
    shared = name.startswith("cluster_") or name in ("nats_version", "nats_binary")
    for host in cluster.hosts if shared or component is None else cluster.groups[component]:
        cluster.set(host, **{name: value})


def effect(former: Cluster, latter: Cluster) -> Effect:
    """Return what a run does on a cluster that runs as ``former`` says when the inventory says ``latter``."""
    was, wanted = former.model()["hosts"], latter.model()["hosts"]
    found: dict[str, set[str]] = {"restarted": set(), "stopped": set(), "started": set()}
    reloaded = False
    for host, component in ((host, each) for host, known in was.items() for each in known["components"]):
        if component not in wanted[host]["components"]:
            continue
        old, new = was[host]["settings"], wanted[host]["settings"]
        actions = _decided(component, old, new, former.facts[host])
        for action in actions:
            ran = old[component + "_state"] == "started"
            kind = ("restarted" if ran else "started") if action.start else "stopped"
            found[kind].add(COMPONENTS[component].file if COMPONENTS[component].slots else action.group)
        reloaded |= component == "nats" and not actions and file_text(old) != file_text(new)
    return Effect(*map(frozenset, found.values()), reloaded)


def _decided(component: str, old: Settings, new: Settings, facts: Facts) -> list[Action]:
    """Return what supervisor_program would do with a component on a host where it is as the old settings say."""
    runs = [with_defaults(dict(each)) for each in programs(component, old, facts)]
    wanted = [with_defaults(dict(each)) for each in programs(component, new, facts)]
    request = Request("file", wanted, new[component + "_state"], None, "now", "/etc/supervisor/supervisord.conf", True)
    stopped = old[component + "_state"] == "stopped"
    text = render(runs, not stopped)
    texts = (text, None, wanted_text(request, text, None, "/file"))
    said = Texts(*(Definition.of(each, "/file") for each in texts), set())
    active = {each["name"]: [absent(each["name"], each["name"])] for each in runs}
    for infos in active.values():
        infos[0]["statename"] = "STOPPED" if stopped else "RUNNING"
    decision = decide(request, said, Seen(False, Reload(set(), set()), False, active))
    return [action for action in decision.plan.actions if action.stop or action.start]
