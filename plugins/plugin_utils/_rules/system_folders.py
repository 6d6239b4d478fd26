# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Folders that must not become a program's: whoever owns them owns the system, or locks the operator out."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

from .farms import listed_farms
from .view import View

# Whole trees of the system.
TREES = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys", "usr")
# Folders with other things in them; what is below them is nobody's business.
SHARED = (
    "/",
    "/home",
    "/lost+found",
    "/opt",
    "/root",
    "/tmp",
    "/var",
    "/var/backups",
    "/var/cache",
    "/var/lib",
    "/var/local",
    "/var/lock",
    "/var/log",
    "/var/mail",
    "/var/opt",
    "/var/run",
    "/var/spool",
    "/var/tmp",
    "/var/www",
)
# Those that are fine when a disk is mounted there.
PLACES_FOR_DISKS = ("/data", "/media", "/mnt", "/srv")


def data_folders(view: View, host: str) -> Iterator[tuple[str, str, str]]:
    """Yield (component, variable, path) of the folders that a host's programs are given."""
    for component in view.components(host):
        for name in [folder.variable for folder in COMPONENTS[component].folders] + OTHERS.get(component, []):
            path = view.value(host, name)
            if isinstance(path, str):
                yield component, name, path
    for farm in (listed_farms(view, host) or []) if "plot_client" in view.components(host) else []:
        yield "plot_client", "plot_client_farms", farm["path"]


# Folders that programs are given and whose disks are not looked at.
OTHERS = {"plot_server": ["plot_server_base_path"]}


def why_forbidden(path: str, user: str, disk: Mapping[str, Any] | None) -> str | None:
    """Return why a folder must not be given to a user, None where it may; ``disk`` is what was read of it."""
    parts = [part for part in posixpath.normpath(path).split("/") if part]
    folder = "/" + "/".join(parts)
    if user == "root" and folder == "/root":
        return None
    if folder in SHARED or (parts and parts[0] in TREES):
        return "it belongs to the system"
    if folder in PLACES_FOR_DISKS and not (disk or {}).get("is_mountpoint"):
        return "it has other folders in it"
    if len(parts) == 2 and parts[0] == "home" and parts[1] != user:
        return f"it is the home of {parts[1]}, whose SSH keys sshd would refuse then"
    if parts and parts[-1] == ".ssh":
        return "it has SSH keys"
    return None
