# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of components build on: the roles' defaults as settings, and recorded machines."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[5]

SERVERS = ["nats://10.0.0.1:4222", "nats://10.0.0.2:4222"]


@functools.lru_cache(maxsize=None)
def _defaults(role: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text())
    return values


def role_settings(*roles: str, **more: Any) -> dict[str, Any]:
    """Return the defaults of role common and of ``roles``, with the required values filled in."""
    binary = {"src": "f", "checksum": "sha256:" + "0" * 64}
    values: dict[str, Any] = {}
    for role in ("common", *roles):
        values.update(copy.deepcopy(_defaults(role)))
        values[role + "_nats_servers"] = SERVERS
    return {**values, "cluster_version": "v1.0.0", "cluster_binaries": {"autonomys-farmer": binary}, **more}


@functools.lru_cache(maxsize=None)
def _recorded(name: str) -> dict[str, Any]:
    recording = json.loads((ROOT / "tests/fixtures/machines" / (name + ".json")).read_text())
    topology: dict[str, Any] = recording["topology"]
    return topology


def machine(name: str) -> dict[str, Any]:
    """Return a recorded machine's topology, every GPU with a UUID and a name."""
    topology = copy.deepcopy(_recorded(name))
    gpus = [
        dict(gpu, uuid=gpu["uuid"] or f"GPU-{number}", name=gpu.get("name"))
        for number, gpu in enumerate(topology["gpus"])
    ]
    return dict(topology, gpus=gpus)
