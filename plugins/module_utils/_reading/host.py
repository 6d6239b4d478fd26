# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a host is, with the programs of this collection that are defined and run on it."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .._components.deployed import read_nats_configurations, read_programs, running_binaries
from .._components.nats import CONFIG as NATS_CONFIG
from .._components.nats import RUNNING_CONFIG
from .._components.units import read_unit_programs
from .._host.processes import own_processes
from .._host.read import read_host
from .._supervisor.control import read_control
from .._supervisor.defined import CONFIG, unreadable_files
from .._supervisor.unit import DROP_IN, FOLDER, unit_settings


def host_facts(config: str = CONFIG, **options: Any) -> dict[str, Any]:
    """Return what ``host_info`` tells; *options* are those of ``read_host``, *config* is supervisord's own file."""
    host: dict[str, Any] = dict(read_host(**options))
    programs = [*read_programs(config), *read_unit_programs()]
    host.update(programs=programs, running=running_binaries(own_processes()))
    host["control"] = read_control(config)
    host["files"] = {**read_nats_configurations(programs), **host["files"]}
    host["unreadable"].update(unreadable_files(config))
    return host


def files_of_interest(log_dir: str) -> list[str]:
    """Return the files and folders by which a run decides what to prepare and to write."""
    return [DROP_IN, FOLDER, log_dir, NATS_CONFIG, RUNNING_CONFIG]


def preparations(host: Mapping[str, Any], settings: Mapping[str, Any], packages: Sequence[str]) -> list[str]:
    """Return what must be done to a host before programs can run on it, a phrase each; nothing on a prepared host."""
    files, service, user = host["files"], host["service"], settings["cluster_user"]
    missing = sorted(name for name in packages if host["packages"].get(name) is None)
    wanted = unit_settings(settings["cluster_open_files"])
    found = [f"install {' and '.join(missing)}"] if missing else []
    if ((files.get(DROP_IN) or {}).get("content") or "").strip() != wanted.strip():
        found.append(f"write {DROP_IN}")
    if files.get(settings["cluster_log_dir"]) is None:
        found.append(f"create the folder {settings['cluster_log_dir']}")
    if host["user"] is None:
        found.append(f"create the user {user}")
    if not (service["active"] and service["enabled"]):
        found.append("start supervisord, now and at every boot")
    return found
