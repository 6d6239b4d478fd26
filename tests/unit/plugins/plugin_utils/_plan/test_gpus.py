# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cores a GPU uses, and why, in words."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster, machine


def gpus(cluster, host="plotter-1"):
    return cluster.plan()["hosts"][host]["gpus"]


def test_which_cores_a_gpu_uses_and_why():
    assert gpus(Cluster())["gpus"][2]["why"] == (
        "GPU 2 uses CPUs 49-71,145-167: 23 cores (46 CPUs) of NUMA node 1, the node that "
        "the GPU is attached to. Of 48 usable cores there, 2 are kept "
        "back for the system (plot_server_reserve_cores), and the 2 GPUs get (48 − 2) ÷ "
        "2 = 23 each. Kept free there: CPUs 48,72,144,168. "
        "It shares no L3 cache with another GPU."
    )


@pytest.mark.parametrize(
    "name, words",
    [
        ("uneven-3gpu-2+1", "and the only GPU gets"),
        ("more-gpus-than-cores", "so they all share them."),
        ("mixed-known-and-NA", "the machine does not tell where the GPU is attached"),
        ("odd-cores-3gpu", "left over stay"),
    ],
)
def test_other_machines_are_explained_too(name, words):
    found = gpus(Cluster(plotter_machine=name))["gpus"]
    assert any(words in gpu["why"] for gpu in found), [gpu["why"] for gpu in found]


def test_a_gpu_whose_node_has_no_cpus_is_explained():
    cluster = Cluster()
    topology = cluster.facts["plotter-1"]["gpus"]["topology"]
    topology["cpus"]["nodes"]["2"] = {
        "cpus": "",
        "memory_mib": 0,
        "package": 1,
        "distance": {"0": 32, "1": 12, "2": 10},
    }
    topology["gpus"][3]["numa_node"] = 2
    why = gpus(cluster)["gpus"][3]["why"]
    assert "of NUMA node 1, because the GPU's own node 2 has no usable CPUs and this one is the nearest." in why


def test_a_limit_is_named():
    cluster = Cluster()
    cluster.set("plotter-1", plot_server_max_cpus=32)
    assert (
        "Of 48 usable cores, each of the 2 GPUs would get 23; plot_server_max_cpus (32) limits that to 16."
        in gpus(cluster)["gpus"][0]["why"]
    )


def test_the_proof_server_is_explained():
    cluster = Cluster()
    assert gpus(cluster, "node-1")["proof_server"]["why"].endswith(
        "bound to no CPUs: there is one NUMA node, or the GPU's is unknown."
    )
    cluster.facts["node-1"]["gpus"]["topology"] = machine("seed-2x48c-4gpu")
    assert "runs on CPUs 0-47,96-143, all usable ones of NUMA node 0" in gpus(cluster, "node-1")["proof_server"]["why"]
    cluster.set("node-1", proof_server_cpus="all")
    assert "as proof_server_cpus says" in gpus(cluster, "node-1")["proof_server"]["why"]


def test_the_block_to_paste_is_the_variable():
    found = gpus(Cluster())
    assert yaml.safe_load(found["block"]) == {"plot_server_gpus": [gpu["uuid"] for gpu in found["gpus"]]}
    assert "# 2: port 9968, NVIDIA GeForce RTX 4090, 0000:21:00.0" in found["block"]
