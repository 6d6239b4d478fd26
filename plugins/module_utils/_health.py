# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Health: what is expected of a component against the evidence it shows, as a list of problems. Empty means healthy."""

from __future__ import annotations

from typing import Any, Collection, Iterable, Mapping, Sequence

# Evidence as the modules return it, and what is expected of it, as plain data.
Evidence = Mapping[str, Any]
Expected = Mapping[str, Any]


def program_problems(expected: Expected, program: Evidence | None) -> list[str]:
    """Return the problems of one supervised program.

    Args:
        expected: an item of ``expectations()``.
        program: the item of ``supervisor_program_info`` of the same name, or None.

    Returns:
        Sentences, each with the wanted and the actual value.
    """
    name = expected["name"]
    if program is None:
        return [] if expected.get("stopped") else [f"{name} is not known to supervisord"]
    if expected.get("stopped"):
        return [] if program["pid"] is None else [f"{name} runs, though {expected['stopped']}"]
    if program["state"] != "RUNNING":
        return [f"{name} is {program['state']}, not RUNNING"]

    problems = []
    connected, connected_any = program["connected"], expected.get("connected_any", [])
    if connected_any and not set(connected_any) & set(connected):
        problems.append(
            f"{name} has no connection to NATS ({', '.join(connected_any)}); it is connected to {_list(connected)}"
        )
    for endpoint in expected.get("connected_all", []):
        if endpoint not in connected:
            problems.append(f"{name} has no connection to {endpoint}; it is connected to {_list(connected)}")
    for port in expected.get("listening", []):
        if port not in program["listening"]:
            problems.append(f"{name} does not listen on port {port}; it listens on {_list(program['listening'])}")
    if expected.get("cpus") and program["cpus_allowed"] != expected["cpus"]:
        problems.append(f"{name} may run on the CPUs {program['cpus_allowed']}, planned are {expected['cpus']}")
    # A kernel without NUMA tells no policy, and has none.
    if expected.get("memory_policy") and program["memory_policy"] not in (None, expected["memory_policy"]):
        problems.append(
            f"{name} has the memory policy {program['memory_policy']}, planned is {expected['memory_policy']}"
        )
    for variable, value in sorted(expected.get("environment", {}).items()):
        if program["environment"].get(variable) != value:
            actual = program["environment"].get(variable)
            runs = f"with {variable}={actual}" if actual else f"without {variable}"
            problems.append(f"{name} runs {runs}, planned is {value}")
    problems += _gpu_problems(expected, program)
    for folder in expected.get("open_under", []):
        if not any(path.startswith(folder + "/") for path in program["open_files"]):
            problems.append(f"{name} has no file open in {folder}")
    return problems


def _gpu_problems(expected: Expected, program: Evidence) -> list[str]:
    gpus = program["gpus"]
    if gpus is None and ("gpus" in expected or "gpu_count" in expected):
        return [f"it is not known which GPUs {expected['name']} holds: nvidia-smi does not answer (look at dmesg)"]
    if "gpus" in expected and sorted(gpus) != sorted(expected["gpus"]):
        return [f"{expected['name']} holds the GPUs {_list(gpus)}, expected are {_list(expected['gpus'])}"]
    if "gpu_count" in expected and len(gpus) != expected["gpu_count"]:
        return [f"{expected['name']} holds the GPUs {_list(gpus)}, expected is {expected['gpu_count']}"]
    return []


def nats_problems(expected: Expected, nats: Evidence) -> list[str]:
    """Return the problems of a NATS server.

    Args:
        expected: ``{peers: {server name: address}, held: [server names], version, max_payload}``. ``held`` are peers
            that are kept stopped; ``version`` and ``max_payload`` (bytes) are left out or None where any will do.
        nats: what ``nats_info`` says.
    """
    if not nats["reachable"]:
        return [_silent(nats)]
    server = f"nats-server {nats['server_name']}"
    problems = []
    if not nats["healthy"]:
        problems.append(f"{server} is not healthy: {nats['health_error']}")
    if not nats["jetstream"]:
        problems.append(f"{server} runs without JetStream")
    if expected.get("version") not in (None, nats["version"]):
        problems.append(f"{server} runs version {nats['version']}, wanted is {expected['version']}")
    if expected.get("max_payload") not in (None, nats["max_payload"]):
        problems.append(f"{server} has max_payload {nats['max_payload']}, wanted is {expected['max_payload']}")
    return problems + _cluster_problems(expected, nats, server)


def _cluster_problems(expected: Expected, nats: Evidence, server: str) -> list[str]:
    """Return what is wrong between a server and its peers; a single server has none."""
    problems = []
    others = sorted(set(expected["peers"]) - {nats["server_name"]})
    if others:
        awaited = set(others) - set(expected.get("held", []))
        missing = sorted(awaited - set(nats["routes"]))
        if missing:
            problems.append(f"{server} has no route to {_list(missing)}")
        if not nats["meta_leader"]:
            problems.append("JetStream has no meta leader")
        if nats["meta_size"] != len(expected["peers"]):
            problems.append(_meta_group_problem(expected["peers"], nats))
        for replica in nats["meta_replicas"]:
            if replica["name"] in awaited | {nats["server_name"]} and (replica["offline"] or not replica["current"]):
                problems.append(f"nats-server {replica['name']} is not current in the JetStream meta group")
    return problems


def _meta_group_problem(peers: Mapping[str, str], nats: Evidence) -> str:
    """Say who is missing in the meta group, and who is in it that is no server of the inventory, with the way out."""
    problem = f"the JetStream meta group has {nats['meta_size']} members, the inventory has {len(peers)} NATS servers"
    # Where only the leader tells the members, and it did not answer, nobody knows who is missing.
    if not nats["meta_replicas"]:
        return problem
    members = {replica["name"] or "a server without a name" for replica in nats["meta_replicas"]} | {
        nats["meta_leader"]
    }
    absent, strange = sorted(set(peers) - members), sorted(members - set(peers))
    if absent:
        problem += f"; a restart of nats-server on {_list(absent)} lets it join"
    if strange:
        problem += (
            f"; not in the inventory: {_list(strange)}. If it will not come back, take it out of the group with "
            "nats server raft peer-remove NAME, as docs/operations.md says under Take a NATS server out"
        )
    return problem


def nats_stop_problems(nats: Evidence) -> list[str]:
    """Return why the other NATS servers cannot do without this one now, from what ``nats_info`` says."""
    if not nats["reachable"]:
        return [_silent(nats)]
    if nats["safe_to_stop"]:
        return []
    return [f"nats-server {nats['server_name']} may not stop now: {reason}" for reason in nats["reasons"]]


def _silent(nats: Evidence) -> str:
    return f"nats-server does not answer: {nats['error']}"


def node_problems(expected: Expected, node: Evidence) -> list[str]:
    """Return the problems of a node: ``expected`` is ``{chain, min_peers, synced}``, ``node`` what ``node_info`` says.

    A first sync takes days, so a node that syncs is healthy, unless it is expected to be ``synced`` because it was so
    before.
    """
    if not node["reachable"]:
        return [f"the node's RPC does not answer: {node['error']}"]
    unanswered = [what for what in ("chain", "peers") if node[what] is None]
    if unanswered:
        return [f"the node's RPC answers, but does not tell its {' and '.join(unanswered)}"]
    problems = []
    if expected["chain"].lower() not in node["chain"].lower():
        problems.append(f"the node is on the chain {node['chain']}, wanted is {expected['chain']}")
    if node["peers"] < expected["min_peers"]:
        problems.append(f"the node has {node['peers']} peers, at least {expected['min_peers']} are wanted")
    if expected.get("synced") and node["syncing"]:
        problems.append(f"the node is not synced: it is at block {node['best']} of {node['target']}")
    return problems


def at_work_problems(endpoints: Collection[str], programs: Sequence[Evidence]) -> list[str]:
    """Return why a host's part of a component does no work now, whatever definition it runs with.

    Args:
        endpoints: ``address:port`` of the NATS servers, one of which each program must be connected to.
        programs: the programs of the component's file as ``supervisor_program_info`` shows them.
    """
    problems = [
        f"{program['name']} is {program['state']}"
        for program in programs
        if program["state"] not in ("RUNNING", "STOPPED")
    ]
    running = [program for program in programs if program["state"] == "RUNNING"]
    problems += [
        f"{program['name']} has no connection to NATS"
        for program in running
        if endpoints and not set(endpoints) & set(program["connected"])
    ]
    return problems or ([] if running else ["none of its programs runs"])


def _list(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values) or "nothing"
