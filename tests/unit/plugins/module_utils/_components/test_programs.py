# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs, expectations and releases beyond the tutorial's case."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.module_utils._components import programs as _programs
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import existing_sectors, farm_files
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[5]
TOPOLOGY = json.loads((ROOT / "tests/fixtures/machines/seed-2x48c-4gpu.json").read_text())["topology"]
UUIDS = [gpu["uuid"] for gpu in TOPOLOGY["gpus"]]


def role_settings(*roles, **more):
    """The defaults of role common and of ``roles``, with the required values filled in."""
    values = {}
    for role in ("common",) + roles:
        values.update(yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text()))
        values[role + "_nats_servers"] = ["nats://10.0.0.1:4222", "nats://10.0.0.2:4222"]
    values.update(
        cluster_version="v1.0.0", cluster_binaries={"autonomys-farmer": {"src": "f", "checksum": "sha256:" + "0" * 64}}
    )
    return dict(values, **more)


def plot_programs(topology=TOPOLOGY, **more):
    return _programs.programs("plot_server", role_settings("plot_server", **more), {"topology": topology})


def test_listed_gpus_fix_slots():
    names = {
        program["environment"]["CUDA_VISIBLE_DEVICES"]: program["name"]
        for program in plot_programs(plot_server_gpus=[UUIDS[2], UUIDS[0]])
    }
    assert names == {UUIDS[2]: "autonomys-plot-server-0", UUIDS[0]: "autonomys-plot-server-1"}


@pytest.mark.parametrize(
    "concurrency, values",
    [
        (None, [None] * 4),
        (12, ["12"] * 4),
        ({UUIDS[1]: 15, "NVIDIA GPU": 12}, ["12", "15", "12", "12"]),
        ({"another model": 3}, [None] * 4),
    ],
)
def test_gpu_concurrency_by_number_model_or_uuid(concurrency, values):
    assert [
        program["environment"].get("GPU_CONCURRENCY")
        for program in plot_programs(plot_server_gpu_concurrency=concurrency)
    ] == values


def test_extra_arguments_stand_before_the_folder_and_the_users_environment_wins():
    program = plot_programs(
        plot_server_extra_args=["--record-encoding-concurrency", 32],
        plot_server_environment={"GPU_CONCURRENCY": 3},
        plot_server_gpu_concurrency=9,
    )[0]
    assert program["command"][-3:] == ["--record-encoding-concurrency", "32", "/var/plot-server/base-path-0"]
    assert program["environment"]["GPU_CONCURRENCY"] == "3"


def test_expectations_name_what_each_program_must_show():
    expected = _programs.expectations("plot_server", role_settings("plot_server"), {"topology": TOPOLOGY})
    assert expected[3] == {
        "name": "autonomys-plot-server-3",
        "connected_any": ["10.0.0.1:4222", "10.0.0.2:4222"],
        "cpus": "73-95,169-191",
        "memory_policy": "local",
        "environment": {"CUDA_VISIBLE_DEVICES": UUIDS[3]},
        "listening": [9969],
        "gpus": [UUIDS[3]],
    }


def test_a_proof_server_with_a_uuid_expects_that_gpu():
    values = role_settings("proof_server", proof_server_gpu="GPU-x")
    assert _programs.programs("proof_server", values)[0]["environment"] == {"CUDA_VISIBLE_DEVICES": "GPU-x"}
    assert _programs.expectations("proof_server", values)[0]["gpus"] == ["GPU-x"]


def test_absent_farms_are_not_passed():
    farms = [{"path": "/mnt/a", "sectors": 5}, {"path": "/mnt/b", "sectors": "7", "state": "absent"}]
    values = role_settings("plot_client", plot_client_farms=farms, plot_client_reward_address="st")
    assert _programs.programs("plot_client", values)[0]["command"][-1] == "path=/mnt/a,sectors=5"
    assert _programs.expectations("plot_client", values)[0]["open_under"] == ["/mnt/a"]


def test_auto_keeps_the_sectors_of_an_existing_farm():
    values = role_settings("plot_client")
    farm = {"path": "/mnt/a", "sectors": "auto"}
    assert _programs.farm_sectors(values, farm, {"existing_plot_bytes": 0, "max_sectors": 40}) == 40
    existing = sum(farm_files(38, 1000).values())
    assert _programs.farm_sectors(values, farm, {"existing_plot_bytes": existing, "max_sectors": 40}) == 38
    with pytest.raises(
        _programs.SettingsError, match="cannot be read, so its sectors cannot be counted: Input/output error"
    ):
        _programs.farm_sectors(
            values, farm, {"existing_plot_bytes": None, "max_sectors": None, "error": "Input/output error"}
        )


@settings(max_examples=200, deadline=None)
@given(sectors=st.integers(1, 65534), pieces=st.sampled_from([1, 7, 1000]))
def test_the_files_of_a_farm_tell_its_number_of_sectors(sectors, pieces):
    assert existing_sectors(sum(farm_files(sectors, pieces).values()), pieces) == sectors


def test_a_nats_setting_that_is_read_at_the_start_only_changes_the_program_and_others_do_not():
    def program(**more):
        return _programs.programs("nats", role_settings("nats", **more))[0]

    assert program(nats_max_payload="8MB") == program()
    assert program(nats_write_deadline="2s") == program()
    for changed in ({"nats_store_dir": "/srv/nats"}, {"nats_jetstream_max_file": "1GB"}, {"nats_server_name": "other"}):
        assert program(**changed)["environment"] != program()["environment"]


def test_releases_by_component():
    values = role_settings("nats", cluster_components=["nats"])
    checksums = {"2.12.8": {"amd64": "a" * 64}}
    [nats] = _programs.releases(values, "x86_64", checksums)
    assert nats["root"] == "/opt/autonomys/nats"
    assert nats["files"][0]["checksum"] == "sha256:" + "a" * 64
    assert nats["files"][0]["extract"] == "nats-server-v2.12.8-linux-amd64/nats-server"
    [farmer] = _programs.releases(dict(values, cluster_components=["plot_client"]), "x86_64", checksums)
    assert (farmer["root"], farmer["version"]) == ("/opt/autonomys/releases", "v1.0.0")


def test_a_nats_version_without_a_pinned_checksum_is_refused_with_the_way_out():
    with pytest.raises(
        _programs.SettingsError, match="nats_version 2.99.0 has no pinned checksum for amd64.*nats_binary"
    ):
        _programs.releases(role_settings("nats", nats_version="2.99.0"), "x86_64", {})


def test_inputs_are_not_modified():
    values = role_settings("plot_server", plot_server_gpus=UUIDS)
    before = copy.deepcopy((values, TOPOLOGY))
    _programs.programs("plot_server", values, {"topology": TOPOLOGY})
    assert (values, TOPOLOGY) == before
