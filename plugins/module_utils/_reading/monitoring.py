# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What would change on this host so that it is monitored."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Any, Iterator, Sequence

from .._foreign import reads_foreign
from .._host.files import open_file
from .._host.parse import parse_packages
from .._host.read import PACKAGE_FORMAT, Ask, ask
from .wanted import MonitoringPart

FIELDS = "Id,ActiveState,UnitFileState,ConditionResult,ConditionTimestampMonotonic"
#: Bytes of a file that are compared; what we write is far shorter.
MAX_FILE = 16 * 1024 * 1024


def monitoring_changes(part: MonitoringPart, ask: Ask = ask) -> dict[str, Any]:
    """Return ``{changes: [phrases], missing: [packages], stopped: [units]}``."""
    missing, stopped = _missing(part["packages"], ask), _stopped(part["units"], ask)
    phrases = [f"install {', '.join(missing)}"] if missing else []
    phrases += _files(part)
    phrases += [f"start {unit}, now and at every boot" for unit in stopped]
    return {"changes": phrases, "missing": missing, "stopped": stopped}


def _missing(names: Sequence[str], ask: Ask) -> list[str]:
    if not names:
        return []
    found = parse_packages(ask(["dpkg-query", "-W", "-f", PACKAGE_FORMAT, *names])[1], names)
    return sorted(name for name in names if found[name] is None)


def _stopped(units: Sequence[str], ask: Ask) -> list[str]:
    if not units:
        return []
    well = parse_units(ask(["systemctl", "show", "-p", FIELDS, "--", *units])[1])
    return [unit for unit in units if unit not in well]


def _files(part: MonitoringPart) -> Iterator[str]:
    for path, (digest, mode) in sorted(part["files"].items()):
        if _state(path) != (digest, int(mode, 8)):
            yield f"write {path}"


def _state(path: str) -> tuple[str, int] | None:
    """Return digest and mode of a file, None where there is none that can be compared."""
    try:
        with open_file(path) as handle:
            content = handle.read(MAX_FILE)
            return hashlib.sha256(content).hexdigest(), stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
    except OSError:
        return None


@reads_foreign
def parse_units(text: str) -> set[str]:
    """Return the units that run and start with the host, by what ``systemctl show`` tells of several.

    So does one that has its own reasons not to run here, such as one for disks in a virtual machine.
    """
    found = set()
    for block in text.split("\n\n"):
        fields = dict(line.partition("=")[::2] for line in block.split("\n"))
        tried = fields.get("ConditionTimestampMonotonic", "0") != "0"
        excused = tried and fields.get("ConditionResult") == "no"
        runs = excused or fields.get("ActiveState") in ("active", "activating")
        if runs and fields.get("UnitFileState") == "enabled":
            found.add(fields.get("Id", ""))
    return found
