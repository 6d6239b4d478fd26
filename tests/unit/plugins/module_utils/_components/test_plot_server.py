# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot servers: slots, load, and what they must show."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Program, SettingsError
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import expectations, programs
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import (
    machine,
    role_settings,
)

TOPOLOGY = machine("seed-2x48c-4gpu")
UUIDS = [gpu["uuid"] for gpu in TOPOLOGY["gpus"]]


def plot_programs(**more: Any) -> list[Program]:
    return programs("plot_server", role_settings("plot_server", **more), {"gpus": {"topology": TOPOLOGY}})


def test_listed_gpus_fix_slots() -> None:
    names = {
        program["environment"]["CUDA_VISIBLE_DEVICES"]: program["name"]
        for program in plot_programs(plot_server_gpus=[UUIDS[2], UUIDS[0]])
    }
    assert names == {UUIDS[2]: "autonomys-plot-server-0", UUIDS[0]: "autonomys-plot-server-1"}


@pytest.mark.parametrize(
    ("concurrency", "values"),
    [
        (None, [None] * 4),
        (12, ["12"] * 4),
        ({UUIDS[1]: 15, "NVIDIA GPU": 12}, ["12", "15", "12", "12"]),
        ({"another model": 3}, [None] * 4),
    ],
)
def test_gpu_concurrency_by_number_model_or_uuid(concurrency: Any, values: list[str | None]) -> None:
    found = plot_programs(plot_server_gpu_concurrency=concurrency)
    assert [program["environment"].get("GPU_CONCURRENCY") for program in found] == values


def test_extra_arguments_come_before_the_folder_and_the_users_environment_wins() -> None:
    program = plot_programs(
        plot_server_extra_args=["--record-encoding-concurrency", 32],
        plot_server_environment={"GPU_CONCURRENCY": 3},
        plot_server_gpu_concurrency=9,
    )[0]
    assert program["command"][-3:] == ["--record-encoding-concurrency", "32", "/var/plot-server/base-path-0"]
    assert program["environment"]["GPU_CONCURRENCY"] == "3"


def test_expectations_name_what_each_program_must_show() -> None:
    expected = expectations("plot_server", role_settings("plot_server"), {"gpus": {"topology": TOPOLOGY}})
    assert expected[3] == {
        "name": "autonomys-plot-server-3",
        "connected_any": ["10.0.0.1:4222", "10.0.0.2:4222"],
        "cpus": "73-95,169-191",
        "memory_policy": "local",
        "environment": {"CUDA_VISIBLE_DEVICES": UUIDS[3]},
        "listening": [9969],
        "gpus": [UUIDS[3]],
    }


def test_inputs_are_not_modified() -> None:
    values = role_settings("plot_server", plot_server_gpus=UUIDS)
    before = copy.deepcopy((values, TOPOLOGY))
    programs("plot_server", values, {"gpus": {"topology": TOPOLOGY}})
    assert (values, TOPOLOGY) == before


def test_what_no_plot_server_can_be_made_of_is_refused_with_the_reason() -> None:
    with pytest.raises(SettingsError, match="the GPUs of the host were not read"):
        programs("plot_server", role_settings("plot_server"), {"gpus": None, "host": None})
    unnamed = dict(TOPOLOGY, gpus=[dict(TOPOLOGY["gpus"][0], uuid=None)])
    with pytest.raises(SettingsError, match="the GPU 0000:.* has no UUID"):
        programs("plot_server", role_settings("plot_server"), {"gpus": {"topology": unnamed}})
