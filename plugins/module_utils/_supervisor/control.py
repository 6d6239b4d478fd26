# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Who can tell supervisord what to do: whoever can is root, since it starts any command as anybody."""

from __future__ import annotations

import os
import platform
import stat
from typing import Mapping, TypedDict

from .._host.files import read_text
from .._host.read import group_name, user_name
from .daemon_conf import expanded
from .errors import ConfError
from .read import Sections, parse


class Control(TypedDict):
    """Supervisord's socket, mode and owners None where there is none, and its port; ``*_password``: it asks for one."""

    socket: str | None
    mode: str | None
    owner: str | None
    group: str | None
    socket_password: bool
    address: str | None
    address_password: bool


def read_control(config: str, environ: Mapping[str, str] | None = None) -> Control | None:
    """Return who can tell the supervisord of a configuration what to do, None where that cannot be read."""
    try:
        known = os.environ if environ is None else environ
        sections = parse(read_text(config) or "", config)
        path = _option(sections, "unix_http_server", "file", config, known)
        address = _option(sections, "inet_http_server", "port", config, known)
    except ConfError:
        return None
    found = _stat(os.path.join(os.path.dirname(os.path.abspath(config)), path)) if path else None
    return {
        "socket": path,
        "mode": f"{stat.S_IMODE(found.st_mode):04o}" if found else None,
        "owner": user_name(found.st_uid) if found else None,
        "group": group_name(found.st_gid) if found else None,
        "socket_password": bool(sections.get("unix_http_server", {}).get("password")),
        "address": address,
        "address_password": bool(sections.get("inet_http_server", {}).get("password")),
    }


def _option(sections: Sections, section: str, name: str, config: str, environ: Mapping[str, str]) -> str | None:
    value = sections.get(section, {}).get(name)
    return expanded(value, config, environ, platform.node(), name).strip() if value else None


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None
