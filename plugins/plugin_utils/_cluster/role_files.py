# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The files of the roles and playbooks on the control node. Each is read once per process."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

Options = dict[str, dict[str, Any]]

ROLES = ("common", *COMPONENTS, "monitoring")
_FOLDER = Path(__file__).parents[3] / "roles"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@functools.lru_cache(maxsize=None)
def _read(*parts: str) -> dict[str, Any]:
    return yaml.safe_load(_text(_FOLDER.joinpath(*parts))) or {}


def defaults(role: str) -> dict[str, Any]:
    """Return the defaults of a role as its file has them, templates unresolved."""
    return _read(role, "defaults", "main.yml")


@functools.lru_cache(maxsize=None)
def options(role: str) -> Options:
    """Return the argument specs of a role's variables, of all its entry points together."""
    merged: Options = {}
    for entry_point in _read(role, "meta", "argument_specs.yml")["argument_specs"].values():
        merged.update(entry_point.get("options", {}))
    return merged


@functools.lru_cache(maxsize=None)
def all_options() -> Options:
    """Return the argument specs of the variables of all roles; a name means the same in each."""
    return {name: option for role in ROLES for name, option in options(role).items()}


def nats_checksums() -> dict[str, dict[str, str]]:
    """Return the pinned checksums of nats-server's archives, version to architecture to SHA-256."""
    table: dict[str, dict[str, str]] = _read("common", "vars", "main", "nats_checksums.yml")["__common_nats_checksums"]
    return table


def packages() -> list[str]:
    """Return the distribution's packages that the programs need."""
    names: list[str] = _read("common", "vars", "main", "main.yml")["__common_packages"]
    return names


@functools.lru_cache(maxsize=None)
def playbooks() -> dict[str, str]:
    """Return the texts of the playbooks, by their paths in the repository, whose ``site.yml`` imports the one here."""
    paths = sorted((_FOLDER.parent / "playbooks").glob("*.yml"))
    texts = {f"playbooks/{path.name}": _text(path) for path in paths}
    return {"site.yml": texts["playbooks/site.yml"], **texts}
