# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role hands to the functions that make its programs.

With types, however it was written, and nothing that feeds nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.filter.component_expectations import component_expectations
from ansible_collections.autonomys.cluster.plugins.filter.component_programs import component_programs
from ansible_collections.autonomys.cluster.plugins.filter.host_releases import host_releases
from ansible_collections.autonomys.cluster.plugins.filter.typed_variables import typed_variables
from ansible_collections.autonomys.cluster.plugins.module_utils._components import registry
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import render
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files

ROOT = Path(__file__).parents[3]
ROLES = ROOT / "roles"
REWARD_ADDRESS = "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1"
REQUIRED = {
    "cluster_version": "v1.0.0",
    "cluster_address": "10.0.0.1",
    "cluster_binaries": {"autonomys-farmer": {"src": "f", "checksum": "sha256:" + "0" * 64}},
    "nats_server_name": "node-1",
    "nats_peers": {"node-1": "10.0.0.1", "node-2": "10.0.0.2"},
    "controller_node_rpc_url": "ws://10.0.0.1:9944",
    "controller_tmp": False,
    "plot_client_reward_address": REWARD_ADDRESS,
    "plot_client_farms": [{"path": "/mnt/a", "sectors": "7"}, {"path": "/mnt/b"}],
    "plot_server_max_cpus": 8,
    "cluster_accept": ["GPU008"],
}


def topology():
    recorded = json.loads((ROOT / "tests/fixtures/machines/seed-2x48c-4gpu.json").read_text())["topology"]
    gpus = [dict(gpu, uuid=gpu["uuid"] or f"GPU-{gpu['bus_id']}", name="NVIDIA") for gpu in recorded["gpus"]]
    return dict(recorded, gpus=gpus)


DISK = {"error": None, "existing_plot_bytes": 0, "max_sectors": 5}
READ = {
    "gpus": {"topology": topology(), "gpu_error": None},
    "host": {"programs": []},
    "disks": {"/mnt/a": DISK, "/mnt/b": DISK},
}


def settings_of(component):
    names = [*role_files.options("common"), *role_files.options(component)]
    values = {**role_files.defaults("common"), **role_files.defaults(component), **REQUIRED}
    values[component + "_nats_servers"] = ["nats://10.0.0.1:4222", "nats://10.0.0.2:4222"]
    return {name: values[name] for name in names if name in values}


def as_text(settings):
    return {
        name: json.dumps(value) if isinstance(value, (list, dict)) else value if value is None else str(value)
        for name, value in settings.items()
    }


@pytest.mark.parametrize("component", registry.COMPONENTS)
def test_programs_and_expectations_do_not_depend_on_how_variables_were_written(component):
    settings = settings_of(component)
    for make in (component_programs, component_expectations):
        assert make(as_text(settings), component, READ) == make(settings, component, READ)
    assert typed_variables(as_text(settings)) == settings


def test_releases_do_not_depend_on_how_variables_were_written():
    settings, checksums = settings_of("nats"), role_files.nats_checksums()
    assert host_releases(as_text(settings), "x86_64", checksums) == host_releases(settings, "x86_64", checksums)


def test_the_configuration_of_nats_does_not_depend_on_how_variables_were_written():
    settings = settings_of("nats")
    assert render(typed_variables(as_text(settings))) == render(settings)


class Noted(dict):
    """Settings that note what was asked of them."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)


@pytest.mark.parametrize("component", registry.COMPONENTS)
def test_every_setting_of_a_role_feeds_something(component):
    noted = Noted(settings_of(component))
    for more in ({}, {"plot_server_gpus": [READ["gpus"]["topology"]["gpus"][0]["uuid"]], "proof_server_cpus": "all"}):
        noted.update({name: value for name, value in more.items() if name in noted})
        registry.expectations(component, noted, READ)
    if component == "nats":
        render(noted)
    # Asked only where slots move.
    noted.asked |= {"cluster_accept"} if component == "plot_server" else set()
    texts = [path.read_text() for path in (ROLES / component).rglob("*") if path.suffix in (".yml", ".j2")]
    in_yaml = set(re.findall(rf"__{component}_settings\.(\w+)", " ".join(texts)))
    inputs = yaml.safe_load((ROLES / component / "vars/main.yml").read_text())[f"__{component}_inputs"]
    assert set(inputs) - noted.asked - in_yaml == set()
    assert (noted.asked | in_yaml) - set(inputs) == set()
