# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import functools
import itertools
import json
import random
import time
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.filter.numa_plan import numa_plan as numa_plan_filter
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import format_cpu_list, parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import (
    NumaPlanError,
    faults,
    numa_plan,
    score_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

MACHINES = Path(__file__).parents[4] / "fixtures" / "machines"
NAMES = [path.stem for path in sorted(MACHINES.glob("*.json")) if not path.name.startswith("sysfs-")]


def machine(name):
    return json.loads((MACHINES / f"{name}.json").read_text(encoding="utf-8"))


def sets(plan):
    return [gpu["cpus"] for gpu in plan["gpus"]]


def build(nodes, smt=1, l3=0, gpus=(), usable=None, isolated=""):
    """Return a topology whose core c has the CPUs c, c + cores, …

    ``nodes`` are numbers of cores, ``gpus`` the GPUs' nodes, ``l3`` is the number of cores per cache.
    """
    total = sum(nodes)
    cores = [[core + total * thread for thread in range(smt)] for core in range(total)]
    topology = {
        "gpus": [],
        "nics": [],
        "cpus": {
            "online": format_cpu_list(range(total * smt)),
            "isolated": isolated,
            "usable": format_cpu_list(range(total * smt)) if usable is None else usable,
            "cores": [format_cpu_list(core) for core in cores],
            "l3": [],
            "nodes": {},
        },
    }
    start = 0
    for number, count in enumerate(nodes):
        mine = cores[start : start + count]
        start += count
        topology["cpus"]["nodes"][str(number)] = {
            "cpus": format_cpu_list(cpu for core in mine for cpu in core),
            "memory_mib": 1024,
            "package": number // 2,
            "distance": {
                str(other): 10 if other == number else 20 + abs(other - number) for other in range(len(nodes))
            },
        }
        if l3:
            topology["cpus"]["l3"] += [
                format_cpu_list(cpu for core in mine[i : i + l3] for cpu in core) for i in range(0, count, l3)
            ]
    for index, node in enumerate(gpus):
        topology["gpus"].append(
            {"index": index, "uuid": f"GPU-{index}", "bus_id": f"0000:{index + 1:02x}:00.0", "numa_node": node}
        )
    return topology


# The recorded and made machines


@pytest.mark.parametrize("reserve", [0, 2])
@pytest.mark.parametrize("name", NAMES)
def test_reference_is_met(name, reserve):
    data = machine(name)
    reference = data["reference"][f"reserve_cores={reserve}"]
    plan = numa_plan(data["topology"], reserve_cores=reserve)
    keys = ("index", "cores", "placement", "exclusive")
    assert [[gpu[key] for key in keys] for gpu in plan["gpus"]] == [
        [gpu[key] for key in keys] for gpu in reference["gpus"]
    ]
    assert plan["score"]["shared_l3"] <= shared_l3(data["topology"], [gpu["cpus"] for gpu in reference["gpus"]])


def shared_l3(topology, cpu_lists):
    owners = [parse_cpu_list(text) for text in cpu_lists]
    return sum(1 for group in topology["cpus"]["l3"] if sum(1 for cpus in owners if cpus & parse_cpu_list(group)) > 1)


def test_the_tutorials_machine():
    plan = numa_plan(machine("seed-2x48c-4gpu")["topology"])
    assert sets(plan) == ["1-23,97-119", "25-47,121-143", "49-71,145-167", "73-95,169-191"]
    assert plan["pool"] == "0,24,48,72,96,120,144,168"
    assert plan["score"] == {
        "gpus_off_node": 0,
        "fewest_cores": 23,
        "split_cores": 0,
        "shared_l3": 0,
        "l3_touched": 16,
        "ranges": 8,
    }
    assert plan["warnings"] == []
    assert plan["gpus"][2] == {
        "index": 2,
        "uuid": "GPU-d5544258-0000-0000-0000-000000000002",
        "bus_id": "0000:21:00.0",
        "cpus": "49-71,145-167",
        "cores": 23,
        "numa_node": 1,
        "placement": "local",
        "exclusive": True,
    }


# Single rules


def test_cpu_0_is_kept_back_first():
    # With L3 groups of different sizes not to share one can need CPU 0.
    odd = {"offline-some", "rec-llnl-coral-rzansel-hwloc1"}
    for name, reserve in itertools.product(sorted(set(NAMES) - odd), (1, 2)):
        plan = numa_plan(machine(name)["topology"], reserve_cores=reserve)
        pool = parse_cpu_list(plan["pool"])
        node = parse_cpu_list(machine(name)["topology"]["cpus"]["nodes"]["0"]["cpus"])
        assert 0 in pool or not pool & node


def test_gpu_beside_a_node_without_cpus_goes_to_the_nearest():
    plan = numa_plan(build([4, 4, 0, 4], gpus=[0, 2]), reserve_cores=0)
    assert [(gpu["numa_node"], gpu["placement"]) for gpu in plan["gpus"]] == [(0, "local"), (1, "remote")]
    assert (
        "GPU 1 (0000:02:00.0) is on NUMA node 2, which has no usable CPU: it gets cores of node 1" in plan["warnings"]
    )


def test_nearest_node_with_usable_cpus():
    plan = numa_plan(build([4, 4, 4], gpus=[1], usable="8-11"), reserve_cores=0)
    assert (sets(plan), plan["gpus"][0]["placement"]) == (["8-11"], "remote")


def test_unknown_nodes_are_dealt_and_filled_in_pci_order():
    plan = numa_plan(build([8, 4], gpus=[None, None, None, 1]), reserve_cores=0, min_cpus=None)
    assert [(gpu["numa_node"], gpu["placement"]) for gpu in plan["gpus"]] == [(0, "unknown")] * 3 + [(1, "local")]
    plan = numa_plan(build([4, 4], gpus=[None] * 4), reserve_cores=0, min_cpus=None)
    assert [gpu["numa_node"] for gpu in plan["gpus"]] == [0, 0, 1, 1]
    assert len(plan["warnings"]) == 4 and "gpu_numa_nodes" in plan["warnings"][0]


def test_gpu_on_a_node_that_the_machine_does_not_list_is_unknown():
    assert numa_plan(build([4], gpus=[7]))["gpus"][0]["placement"] == "unknown"


def test_more_gpus_than_cores_share_the_node():
    plan = numa_plan(build([2, 8], smt=2, gpus=[0, 0, 0, 1]), min_cpus=None)
    assert [(gpu["cpus"], gpu["cores"], gpu["exclusive"]) for gpu in plan["gpus"]] == [("0-1,10-11", 2, False)] * 3 + [
        ("4-9,14-19", 6, True)
    ]
    assert (plan["pool"], plan["warnings"]) == (
        "2-3,12-13",
        ["NUMA node 0 has 2 usable cores for 3 GPUs: they share all of them"],
    )


def test_reserve_gives_way_to_the_last_core():
    plan = numa_plan(build([4], gpus=[0, 0, 0]), reserve_cores=2, min_cpus=None)
    assert (sets(plan), plan["pool"]) == (["1", "2", "3"], "0")
    assert plan["warnings"] == [
        "NUMA node 0 has 4 usable cores for 3 GPUs: 2 cores cannot be kept back there, every GPU gets one core"
    ]


def test_isolated_cpus_are_in_no_set():
    plan = numa_plan(build([4], smt=2, gpus=[0], isolated="1,6"), reserve_cores=0, min_cpus=None)
    assert (sets(plan), plan["pool"]) == (["0,2-5,7"], "")


def test_max_cpus():
    topology = build([12], smt=2, gpus=[0, 0])
    plan = numa_plan(topology, max_cpus=5, min_cpus=None)
    assert [gpu["cores"] for gpu in plan["gpus"]] == [2, 2]
    assert numa_plan(topology, max_cpus=1, min_cpus=None)["gpus"][0]["cores"] == 1
    assert numa_plan(topology, max_cpus=1000) == numa_plan(topology)


def test_min_cpus_only_warns():
    topology = build([12], gpus=[0])
    assert numa_plan(topology, min_cpus=11)["warnings"] == [
        "GPU 0 (0000:01:00.0) gets 10 CPUs, fewer than the wanted 11"
    ]
    assert numa_plan(topology, min_cpus=11)["gpus"] == numa_plan(topology, min_cpus=10)["gpus"]


def test_scope_package_adds_nodes_without_gpus_of_the_same_socket():
    topology = machine("dgxa100-nps4-8gpu")["topology"]
    node, package = numa_plan(topology), numa_plan(topology, scope="package")
    assert [gpu["cores"] for gpu in node["gpus"]] == [7] * 8
    assert [gpu["cores"] for gpu in package["gpus"]] == [14] * 8
    for gpu in package["gpus"]:
        cpus = parse_cpu_list(gpu["cpus"])
        nodes = {number for number, node in topology["cpus"]["nodes"].items() if cpus & parse_cpu_list(node["cpus"])}
        assert len({topology["cpus"]["nodes"][number]["package"] for number in nodes}) == 1
    assert package["score"]["shared_l3"] == 0


def test_scope_package_never_crosses_sockets():
    plan = numa_plan(build([4, 4, 4], gpus=[2]), scope="package", reserve_cores=0)
    assert sets(plan) == ["8-11"]


@pytest.mark.parametrize("name", ["0000:02:00.0", "GPU-1", 1, "1", "0000:02:00.0".upper()])
def test_node_from_the_inventory(name):
    plan = numa_plan(build([4, 4], gpus=[0, 0]), gpu_numa_nodes={name: 1}, reserve_cores=0)
    assert [(gpu["numa_node"], gpu["placement"]) for gpu in plan["gpus"]] == [(0, "local"), (1, "local")]


def test_unknown_node_from_the_inventory():
    assert numa_plan(build([4, 4], gpus=[1]), gpu_numa_nodes={0: None})["gpus"][0]["placement"] == "unknown"


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"reserve_cores": -1}, "reserve_cores must be an integer of at least 0, not -1"),
        ({"reserve_cores": "2"}, "reserve_cores must be an integer of at least 0, not '2'"),
        ({"reserve_cores": True}, "reserve_cores must be"),
        ({"max_cpus": 0}, "max_cpus must be an integer of at least 1, not 0"),
        ({"min_cpus": 1.5}, "min_cpus must be"),
        ({"scope": "machine"}, "scope must be node or package, not 'machine'"),
        ({"gpu_numa_nodes": {"GPU-9": 0}}, "names the GPU GPU-9, which is not in this machine"),
        ({"gpu_numa_nodes": {0: 5}}, "NUMA node 5, which this machine does not have"),
    ],
)
def test_wrong_options(arguments, message):
    with pytest.raises(NumaPlanError, match=message):
        numa_plan(build([4, 4], gpus=[0]), **arguments)


def test_damaged_topology():
    topology = build([4], gpus=[0])
    topology["cpus"]["usable"] = "0-"
    with pytest.raises(NumaPlanError, match="the topology is damaged"):
        numa_plan(topology)
    with pytest.raises(NumaPlanError, match="no usable CPU"):
        numa_plan(build([4], gpus=[0], usable=""))
    twins = build([4], gpus=[0, 0])
    twins["gpus"][1]["bus_id"] = twins["gpus"][0]["bus_id"]
    with pytest.raises(NumaPlanError, match="same PCI address"):
        numa_plan(twins)


def test_filter_reports_errors_as_ansible_does():
    assert numa_plan_filter(build([4], gpus=[0]), reserve_cores=1)["gpus"][0]["cpus"] == "1-3"
    with pytest.raises(AnsibleFilterError, match="scope must be"):
        numa_plan_filter(build([4]), scope="x")
    with pytest.raises(AnsibleFilterError, match="not str"):
        numa_plan_filter("text")


def test_better_scores_are_smaller():
    best = numa_plan(machine("seed-2x48c-4gpu")["topology"])["score"]
    assert score_key(best) < score_key(dict(best, fewest_cores=22))
    assert score_key(dict(best, fewest_cores=1)) < score_key(dict(best, gpus_off_node=1))


def test_large_machine_is_planned_in_50_ms():
    topology = build([64] * 4, smt=2, l3=8, gpus=[number // 4 for number in range(16)])
    best = 1.0
    for _attempt in range(5):
        started = time.process_time()
        numa_plan(topology)
        best = min(best, time.process_time() - started)
    assert best < 0.05


# Properties of any machine


@st.composite
def machines(draw, known=False):
    nodes = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4).filter(any))
    smt = draw(st.sampled_from([1, 2, 4, 8]))
    total = sum(nodes) * smt
    cpus = st.sets(st.integers(0, total - 1), max_size=total // 2)
    topology = build(nodes, smt=smt, l3=draw(st.integers(0, 6)))
    homes = st.integers(0, len(nodes) - 1)
    topology["gpus"] = build(nodes, gpus=draw(st.lists(homes if known else st.one_of(homes, st.none()), max_size=8)))[
        "gpus"
    ]
    away = draw(cpus)
    topology["cpus"]["usable"] = format_cpu_list(set(range(total)) - away)
    topology["cpus"]["isolated"] = format_cpu_list(draw(st.sets(st.integers(0, total - 1), max_size=3)))
    return topology


def free(topology):
    cpus = topology["cpus"]
    return (parse_cpu_list(cpus["usable"]) & parse_cpu_list(cpus["online"])) - parse_cpu_list(cpus["isolated"])


def usable_cores(topology, node):
    cpus = parse_cpu_list(topology["cpus"]["nodes"][node]["cpus"]) & free(topology)
    return sum(1 for core in topology["cpus"]["cores"] if parse_cpu_list(core) & cpus)


@settings(max_examples=200, deadline=None)
@given(machines(), st.integers(0, 3), st.sampled_from(["node", "package"]), st.one_of(st.none(), st.integers(1, 40)))
def test_sets_are_whole_disjoint_and_usable(topology, reserve, scope, max_cpus):
    if topology["gpus"] and not any(usable_cores(topology, node) for node in topology["cpus"]["nodes"]):
        return
    plan = numa_plan(topology, reserve_cores=reserve, scope=scope, max_cpus=max_cpus)
    allowed = free(topology)
    core_of = {cpu: number for number, core in enumerate(topology["cpus"]["cores"]) for cpu in parse_cpu_list(core)}
    pool = parse_cpu_list(plan["pool"])
    taken = set()
    for gpu in plan["gpus"]:
        cpus = parse_cpu_list(gpu["cpus"])
        assert cpus and cpus <= allowed and not cpus & pool
        cores = {core_of[cpu] for cpu in cpus}
        assert cpus == {cpu for cpu in allowed if core_of[cpu] in cores}
        assert len(cores) == gpu["cores"]
        node = topology["cpus"]["nodes"][str(gpu["numa_node"])]
        assert scope == "package" or cpus <= parse_cpu_list(node["cpus"])
        if gpu["exclusive"]:
            assert not cpus & taken
            if max_cpus:
                assert len(cpus) <= max(max_cpus, max(len(parse_cpu_list(core)) for core in topology["cpus"]["cores"]))
        taken |= cpus
    assert taken | pool == allowed
    assert plan["score"]["split_cores"] == 0


@settings(max_examples=100, deadline=None)
@given(machines(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_order_of_the_input_does_not_matter(topology, reserve, rng):
    if topology["gpus"] and not any(usable_cores(topology, node) for node in topology["cpus"]["nodes"]):
        return
    wanted = numa_plan(topology, reserve_cores=reserve)
    shuffled = copy.deepcopy(topology)
    for items in (shuffled["gpus"], shuffled["cpus"]["cores"], shuffled["cpus"]["l3"]):
        rng.shuffle(items)
    nodes = list(shuffled["cpus"]["nodes"].items())
    rng.shuffle(nodes)
    shuffled["cpus"]["nodes"] = dict(nodes)
    before = copy.deepcopy(shuffled)
    assert numa_plan(shuffled, reserve_cores=reserve) == wanted
    assert shuffled == before


@settings(max_examples=150, deadline=None)
@given(machines(known=True), st.integers(0, 3), st.data())
def test_gpu_of_another_node_moves_no_set(topology, reserve, data):
    local = [gpu for gpu in topology["gpus"] if usable_cores(topology, str(gpu["numa_node"]))]
    if not local:
        return
    topology["gpus"] = local
    gone = data.draw(st.sampled_from(local))
    wanted = {gpu["bus_id"]: gpu for gpu in numa_plan(topology, reserve_cores=reserve)["gpus"]}
    topology["gpus"] = [gpu for gpu in local if gpu is not gone]
    for gpu in numa_plan(topology, reserve_cores=reserve)["gpus"]:
        if gpu["numa_node"] != gone["numa_node"]:
            assert gpu == wanted[gpu["bus_id"]]


@settings(max_examples=150, deadline=None)
@given(machines(), st.integers(0, 3))
def test_counts_are_as_even_and_large_as_can_be(topology, reserve):
    nodes = [node for node in topology["cpus"]["nodes"] if usable_cores(topology, node)]
    topology["gpus"] = [gpu for gpu in topology["gpus"] if gpu["numa_node"] is None or str(gpu["numa_node"]) in nodes]
    if not nodes or not topology["gpus"]:
        return
    cores = {node: usable_cores(topology, node) for node in nodes}
    plan = numa_plan(topology, reserve_cores=reserve)
    count = {node: sum(1 for gpu in plan["gpus"] if str(gpu["numa_node"]) == node) for node in nodes}
    for gpu in plan["gpus"]:
        node = str(gpu["numa_node"])
        if count[node] > cores[node]:
            assert (gpu["cores"], gpu["exclusive"]) == (cores[node], False)
        else:
            assert (gpu["cores"], gpu["exclusive"]) == (max(1, (cores[node] - reserve) // count[node]), True)
    known = [str(gpu["numa_node"]) for gpu in topology["gpus"] if gpu["numa_node"] is not None]
    unknown = min(5, len(topology["gpus"]) - len(known))
    if len(topology["gpus"]) - len(known) > unknown:
        return

    def smallest(homes):
        return min(max(0, cores[node] - reserve) // homes.count(node) for node in set(homes))

    assert smallest([node for node in nodes for _gpu in range(count[node])]) == max(
        smallest([*known, *dealt]) for dealt in itertools.product(nodes, repeat=unknown)
    )


def fewest_shared_groups(groups, size, gpus, share):
    """Try every way to divide equal groups; return the smallest possible number of groups with more than one GPU."""
    pieces = [piece for piece in itertools.product(range(min(size, share) + 1), repeat=gpus) if sum(piece) <= size]

    @functools.lru_cache(maxsize=None)
    def search(left, demand):
        if not any(demand):
            return 0
        if not left or sum(demand) > left * size:
            return groups + 1
        best = groups + 1
        for piece in pieces:
            if all(taken <= wanted for taken, wanted in zip(piece, demand)):
                rest = tuple(sorted(wanted - taken for taken, wanted in zip(piece, demand)))
                best = min(best, search(left - 1, rest) + (sum(1 for taken in piece if taken) > 1))
        return best

    return search(groups, (share,) * gpus)


SMALL = [
    (groups, size, gpus, reserve)
    for groups, size, gpus, reserve in itertools.product(range(1, 6), range(1, 5), range(1, 5), range(0, 3))
    if gpus <= groups * size - reserve
]


@pytest.mark.parametrize("groups, size, gpus, reserve", random.Random(3).sample(SMALL, 60))
def test_fewest_l3_groups_are_shared(groups, size, gpus, reserve):
    plan = numa_plan(build([groups * size], smt=2, l3=size, gpus=[0] * gpus), reserve_cores=reserve, min_cpus=None)
    share = (groups * size - reserve) // gpus
    assert plan["score"]["shared_l3"] == fewest_shared_groups(groups, size, gpus, share)
    pool = parse_cpu_list(plan["pool"])
    assert 0 in pool or not pool


# Cores that are not alike, and cores that NUMA nodes cut


def hybrid(fast, slow, gpus, threads=2, kinds=False):
    """Return a topology of one node: ``fast`` cores with threads, then ``slow`` ones with one."""
    cores = [list(range(core * threads, core * threads + threads)) for core in range(fast)]
    cores += [[fast * threads + core] for core in range(slow)]
    total = fast * threads + slow
    topology = build([total], gpus=[0] * gpus)
    topology["cpus"]["cores"] = [format_cpu_list(core) for core in cores]
    topology["cpus"]["l3"] = [f"0-{total - 1}"]
    if kinds:
        topology["cpus"]["kinds"] = [f"0-{fast * threads - 1}", f"{fast * threads}-{total - 1}"]
    return topology


def numbers(topology, plan, fast):
    """Return (fast cores, slow cores) of each GPU."""
    cores = [parse_cpu_list(core) for core in topology["cpus"]["cores"]]
    found = []
    for gpu in plan["gpus"]:
        cpus = parse_cpu_list(gpu["cpus"])
        mine = [number for number, core in enumerate(cores) if core & cpus]
        found.append((sum(1 for number in mine if number < fast), sum(1 for number in mine if number >= fast)))
    return found


@pytest.mark.parametrize("threads, kinds", [(2, False), (2, True), (1, True)])
@pytest.mark.parametrize("gpus, shares", [(1, [(5, 9)]), (2, [(2, 5)] * 2), (4, [(1, 2)] * 4)])
def test_gpus_share_fast_and_slow_cores_alike(threads, kinds, gpus, shares):
    topology = hybrid(6, 10, gpus, threads, kinds)
    plan = numa_plan(topology, reserve_cores=2, min_cpus=None)
    assert numbers(topology, plan, 6) == shares
    assert 0 in parse_cpu_list(plan["pool"]) and plan["warnings"] == []


@pytest.mark.parametrize("max_cpus, cpus", [(1, 1), (2, 2), (3, 3), (8, 8), (9, 9), (12, 12), (100, 19)])
def test_max_cpus_counts_cpus_and_prefers_fast_cores(max_cpus, cpus):
    topology = hybrid(6, 10, 1)
    plan = numa_plan(topology, max_cpus=max_cpus, min_cpus=None)
    assert len(parse_cpu_list(plan["gpus"][0]["cpus"])) == cpus
    [(fast, _slow)] = numbers(topology, plan, 6)
    assert fast == min(5, max_cpus // 2)


def test_what_cannot_be_divided_evenly_is_told():
    topology = hybrid(3, 3, 2)
    plan = numa_plan(topology, reserve_cores=0, min_cpus=None)
    sizes = sorted(len(parse_cpu_list(gpu["cpus"])) for gpu in plan["gpus"])
    assert sizes == [4, 5] and [gpu["cores"] for gpu in plan["gpus"]] == [3, 3]
    [warning] = plan["warnings"]
    assert "cores that are not alike (3 of 2 CPUs and 3 of 1 CPUs)" in warning and "5 CPUs" in warning


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(1, 6),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(1, 30)),
    st.booleans(),
)
def test_unlike_cores_are_divided_fairly(fast, slow, gpus, reserve, max_cpus, kinds):
    if fast + slow < gpus:
        return
    topology = hybrid(fast, slow, gpus, kinds=kinds and fast > 0 and slow > 0)
    plan = numa_plan(topology, reserve_cores=reserve, max_cpus=max_cpus, min_cpus=None)
    sizes = [len(parse_cpu_list(gpu["cpus"])) for gpu in plan["gpus"]]
    assert max(sizes) - min(sizes) <= 1 or plan["warnings"]
    assert max(sizes) - min(sizes) <= 2
    assert len({gpu["cores"] for gpu in plan["gpus"]}) == 1
    taken = [cpu for gpu in plan["gpus"] for cpu in parse_cpu_list(gpu["cpus"])]
    assert len(taken) == len(set(taken)) and not set(taken) & parse_cpu_list(plan["pool"])
    assert max_cpus is None or max(sizes) <= max(2, max_cpus)
    assert plan["score"]["split_cores"] == 0


def cut(cores, gpus, isolated=""):
    """Return a virtual machine whose NUMA cells have every other CPU, with cores of two neighbours."""
    topology = build([2 * cores], gpus=gpus, isolated=isolated)
    cpus = range(2 * cores)
    topology["cpus"]["cores"] = [f"{cpu}-{cpu + 1}" for cpu in cpus[::2]]
    topology["cpus"]["nodes"] = {
        str(node): {
            "cpus": format_cpu_list(cpus[node::2]),
            "memory_mib": 1024,
            "package": 0,
            "distance": {str(node): 10, str(1 - node): 20},
        }
        for node in (0, 1)
    }
    return topology


@pytest.mark.parametrize("gpus", [[0], [1], [0, 1], [0, 0, 1, 1]])
def test_cut_cores_leave_each_gpu_on_its_node(gpus):
    topology = cut(8, gpus)
    plan = numa_plan(topology, reserve_cores=1, min_cpus=None)
    for gpu, node in zip(plan["gpus"], gpus):
        assert (gpu["numa_node"], gpu["placement"]) == (node, "local")
        assert parse_cpu_list(gpu["cpus"]) <= parse_cpu_list(topology["cpus"]["nodes"][str(node)]["cpus"])
    [warning] = plan["warnings"]
    assert warning.startswith("8 cores are cut by NUMA nodes, such as 0-1")
    found = faults(topology, [(gpu, entry["cpus"]) for gpu, entry in zip(topology["gpus"], plan["gpus"])])
    assert not any(found.values())


def test_one_cut_core_among_whole_ones():
    topology = build([4, 4], smt=2, gpus=[0, 1])
    nodes = topology["cpus"]["nodes"]
    nodes["0"]["cpus"], nodes["1"]["cpus"] = "0-3,8-10", "4-7,11-15"
    plan = numa_plan(topology, reserve_cores=0, min_cpus=None)
    for gpu in plan["gpus"]:
        assert parse_cpu_list(gpu["cpus"]) <= parse_cpu_list(nodes[str(gpu["numa_node"])]["cpus"])
    assert any("1 cores are cut" in warning and "3,11" in warning for warning in plan["warnings"])


def test_without_gpus_nothing_is_said_of_cores():
    assert numa_plan(cut(4, []))["warnings"] == []
