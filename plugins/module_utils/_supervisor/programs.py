# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""A program to supervise, in the shape of the option ``programs`` of the module supervisor_program."""

from __future__ import annotations

from typing import Any, TypedDict


class Log(TypedDict):
    """Where a program's output goes."""

    path: str
    max_bytes: str
    backups: int


class _Required(TypedDict):
    name: str
    command: list[str]
    autorestart: bool
    startsecs: int
    startretries: int
    stopsignal: str
    stopwaitsecs: int


class Program(_Required, total=False):
    """A program to supervise, with the module's defaults filled in."""

    environment: dict[str, Any]
    cpus: str | None
    user: str | None
    directory: str | None
    autostart: bool
    log: Log | None
    state_directories: list[str]
