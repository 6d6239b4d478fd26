# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What keeps a supervisord from being asked, or from obeying: it runs, and listens elsewhere or as somebody else."""

from __future__ import annotations

import os
from typing import Sequence

from .._host.folders import user_name
from .._host.processes import command_lines, unix_sockets
from .rpc import listening_user

_NAMES = ("supervisord", "supervisor.supervisord")
# Where supervisord looks for its configuration when it is given none; the folder of its own program is left out.
_USUAL = ("/etc/supervisord.conf", "/etc/supervisor/supervisord.conf")
_RESTART = "Restart its service (systemctl restart supervisor), which restarts its programs too"


def configuration_of(words: Sequence[str]) -> str | None:
    """Return the configuration that a supervisord's command line names, "" where none; None of any other program."""
    interpreter = words[0].rpartition("/")[2] if words else ""
    names = [word.rpartition("/")[2] for word in (words[:4] if interpreter.startswith("python") else words[:1])]
    begin = next((number for number, name in enumerate(names) if name in _NAMES), None)
    if begin is None:
        return None
    options = list(words[begin + 1 :])
    for number, word in enumerate(options):
        if word in ("-c", "--configuration"):
            return options[number + 1] if number + 1 < len(options) else ""
        if word.startswith("--configuration="):
            return word.partition("=")[2]
        if word.startswith("-c"):
            return word[2:]
    return ""


def running(config: str, root: str = "/proc") -> int | None:
    """Return the process of a supervisord that runs with a configuration, None where there is none."""
    wanted = os.path.realpath(config)
    for pid, words in sorted(command_lines(root).items()):
        given = configuration_of(words)
        if given is None:
            continue
        # A path that is not absolute is one of the folder that the process was started in, which it may have left.
        places = [given] if given.startswith("/") else [f"/{given}"] if given else list(_USUAL)
        if any(os.path.realpath(place) == wanted or (given and wanted.endswith(place)) for place in places):
            return pid
    return None


def why_silent(config: str, path: str, root: str = "/proc") -> str | None:
    """Return why a supervisord that runs cannot be asked on the socket *path*, None where none runs."""
    pid = running(config, root)
    if pid is None:
        return None
    begin = f"supervisord runs (process {pid}), but"
    there = unix_sockets(pid, root)
    if path in there:
        return f"{begin} its socket {path} was removed or replaced since it was started. {_RESTART}"
    if there:
        where = " and ".join(there)
        return f"{begin} listens on {where} and not on {path}, as {config} says now. {_RESTART}"
    return f"{begin} listens on no socket, though {config} names {path}. {_RESTART}"


def fault_of_user(path: str) -> str | None:
    """Return why the supervisord behind the socket *path* cannot do what is wanted: it must be root's, or our own."""
    user = listening_user(path)
    if user is None or user in (0, os.geteuid()):
        return None
    return (
        f"supervisord runs as {user_name(user)} and not as root, so it can neither read its files of programs nor "
        "start programs as others. Remove user= from its section [supervisord], or User= from its unit, and restart it"
    )
