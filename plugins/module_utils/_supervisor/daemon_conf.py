# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""supervisord's own configuration: where its socket, its log and the files of programs are. Pure functions, no I/O."""

from __future__ import annotations

import fnmatch
import os
import re
from typing import Any, Mapping, NamedTuple

from .errors import ConfError
from .read import Sections


class DaemonSettings(NamedTuple):
    """What a supervisord's own configuration says.

    ``folder`` and ``suffix`` say where a file of programs belongs, ``patterns`` is everything that is included.
    """

    socket: str
    username: str | None
    password: str | None
    folder: str
    suffix: str
    patterns: list[str]
    logfile: str | None


def daemon_settings(
    sections: Sections, config: str, environ: Mapping[str, str] | None = None, node_name: str = ""
) -> DaemonSettings:
    """Read supervisord's own configuration; *config* is its path, *sections* its parsed text."""
    here, expansions = _here(config), _expansions(config, environ, node_name)

    def text(options: Mapping[str, str], key: str) -> str | None:
        value = options.get(key)
        return _expand(value, expansions, f"{config}: {key}") if value else None

    server, client = sections.get("unix_http_server", {}), sections.get("supervisorctl", {})
    path = text(server, "file")
    if not path:
        raise ConfError(
            f"{config} has no [unix_http_server] with file=: supervisord can only be asked through its socket"
        )
    patterns = included_patterns(sections, config, environ, node_name)
    folder, suffix = _place_of_files(patterns, config)
    logfile = text(sections.get("supervisord", {}), "logfile")
    username, password = text(server, "username"), text(server, "password")
    if password and password.startswith("{SHA}"):
        # Nobody can log in with a hash: what supervisorctl uses does.
        if text(client, "username") != username or not text(client, "password"):
            raise ConfError(
                f"{config}: password in [unix_http_server] is a hash, with which nothing can log in: give "
                "[supervisorctl] the same username, and the password in clear, as supervisorctl needs it too"
            )
        password = text(client, "password")
    return DaemonSettings(
        socket=os.path.join(here, path.strip()),
        username=username,
        password=password,
        folder=folder,
        suffix=suffix,
        patterns=patterns,
        logfile=logfile if logfile and logfile.startswith("/") else None,
    )


def included_patterns(
    sections: Sections, config: str, environ: Mapping[str, str] | None = None, node_name: str = ""
) -> list[str]:
    """Return the patterns of the files that a supervisord includes; the arguments are those of daemon_settings."""
    include = sections.get("include", {}).get("files")
    if not include:
        raise ConfError(f"{config} has no [include] with files=: there is no folder for files of programs")
    words = _expand(include, _expansions(config, environ, node_name), f"{config}: include.files").split()
    return [os.path.join(_here(config), pattern) for pattern in words]


def expanded(value: str, config: str, environ: Mapping[str, str] | None, node_name: str, what: str) -> str:
    """Return the value of an option named *what* with what supervisord puts into it."""
    return _expand(value, _expansions(config, environ, node_name), f"{config}: {what}")


def _here(config: str) -> str:
    return os.path.dirname(os.path.abspath(config))


def _expansions(config: str, environ: Mapping[str, str] | None, node_name: str) -> dict[str, str]:
    variables = {f"ENV_{key}": value for key, value in (environ or {}).items()}
    return {"here": _here(config), "host_node_name": node_name, **variables}


def _expand(value: str, expansions: Mapping[str, Any], what: str) -> str:
    try:
        return value % expansions
    except KeyError as error:
        raise ConfError(f"{what}: it cannot be expanded: there is no {error}") from None
    except (ValueError, TypeError):
        raise ConfError(f"{what}: it cannot be expanded") from None


def _place_of_files(patterns: list[str], config: str) -> tuple[str, str]:
    """Return the folder and the suffix of a new file that one of *patterns* includes."""
    candidates = []
    for pattern in patterns:
        folder, base = os.path.split(pattern)
        if not re.search(r"[*?\[]", folder) and base.startswith("*") and not re.search(r"[*?\[]", base[1:]):
            candidates.append((folder, base[1:] if base != "*" else ".conf"))
    if not candidates:
        raise ConfError(
            f"{config}: no pattern of [include] files is like conf.d/*.conf: there is no folder for files of programs"
        )
    return next((item for item in candidates if fnmatch.fnmatch("x.conf", "*" + item[1])), candidates[0])
