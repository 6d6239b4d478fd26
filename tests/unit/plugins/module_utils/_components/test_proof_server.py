# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof servers: their GPU, and the CPUs beside it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import SettingsError
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import expectations, programs
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import (
    machine,
    role_settings,
)


def cpus(topology: dict[str, Any], **variables: Any) -> str | None:
    """Return the CPUs that the proof server is bound to on a machine."""
    [program] = programs("proof_server", role_settings("proof_server", **variables), {"gpus": {"topology": topology}})
    return program.get("cpus")


@pytest.mark.parametrize(
    ("choice", "gpu", "expected"),
    [
        ("node", "0", "0-47,96-143"),
        ("node", "3", "48-95,144-191"),
        ("all", "3", None),
        ("3,1-2", "0", "1-3"),
        ("node", "9", None),
    ],
)
def test_a_proof_server_runs_beside_its_gpu(choice: str, gpu: str, expected: str | None) -> None:
    assert cpus(machine("seed-2x48c-4gpu"), proof_server_cpus=choice, proof_server_gpu=gpu) == expected


def test_a_proof_server_is_not_bound_where_there_is_one_node_or_the_gpus_is_unknown() -> None:
    assert cpus(machine("single-gpu-single-node")) is None
    topology = machine("seed-2x48c-4gpu")
    topology["gpus"][0]["numa_node"] = None
    assert cpus(topology) is None
    assert cpus({}) is None


def test_a_proof_servers_cpus_must_be_a_list() -> None:
    with pytest.raises(SettingsError, match="proof_server_cpus must be node, all or a CPU list"):
        cpus(machine("seed-2x48c-4gpu"), proof_server_cpus="first")


def test_a_proof_server_with_a_uuid_expects_that_gpu() -> None:
    values = role_settings("proof_server", proof_server_gpu="GPU-x")
    assert programs("proof_server", values)[0]["environment"] == {"CUDA_VISIBLE_DEVICES": "GPU-x"}
    assert expectations("proof_server", values)[0]["gpus"] == ["GPU-x"]
