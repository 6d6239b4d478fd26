# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The collector: one round, written where node-exporter reads it. Run by timers of systemd on every host."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Sequence

from .._host.files import read_bytes
from .._reading.wanted import Part
from .exposition import Family, exposition
from .rounds import ROUNDS, Reader, Round

EXPECTED = "/etc/autonomys/expected.json"
"""The host's part of the model, which only root may read."""
STATE = "/var/lib/autonomys-collector"
METRICS = "/var/lib/prometheus/node-exporter"
MAX_FILE = 16 * 1024 * 1024


def collect(name: str, reader: Reader, expected: str, state: str, metrics: str) -> str:
    """Make a round, write what it has found, and return why it failed, empty when it did not."""
    began = time.monotonic()
    memory_file = os.path.join(state, f"{name}.json")
    error = ""
    found = Round([], {})
    try:
        part: Part = json.loads(read_bytes(expected, MAX_FILE))
        found = reader(part, _remembered(memory_file), time.time(), state)
        _write(memory_file, json.dumps(found.memory), 0o600)
        if found.told is not None:
            _write(os.path.join(state, f"{name}.told.json"), json.dumps(found.told, indent=1) + "\n", 0o644)
    except Exception as failed:  # the metrics say so, and an alert
        error = f"{type(failed).__name__}: {failed}"
    own = [
        Family("autonomys_collector_ok", "Whether the round could be made.", [({"round": name}, not error)]),
        Family(
            "autonomys_collector_duration_seconds",
            "Seconds that the round took.",
            [({"round": name}, time.monotonic() - began)],
        ),
        Family(
            "autonomys_collector_cpu_seconds",
            "Seconds of a CPU that the round took, with the start of Python.",
            [({"round": name}, time.process_time())],
        ),
    ]
    # node-exporter takes only one description of a metric that is in several files: the same words, then.
    _write(os.path.join(metrics, f"autonomys_{name}.prom"), exposition([*found.families, *own]), 0o644)
    return error


def _remembered(path: str) -> dict[str, Any]:
    try:
        known = json.loads(read_bytes(path, MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def write_file(path: str, content: bytes, mode: int, group: int | None = None) -> None:
    """Write a file as a whole or not at all; what it replaces may be anything, and is not followed."""
    handle, temporary = tempfile.mkstemp(prefix=".autonomys.", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if group is not None:
                os.fchown(file.fileno(), 0, group)
            os.fchmod(file.fileno(), mode)
        os.rename(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write(path: str, text: str, mode: int) -> None:
    write_file(path, text.encode("utf-8", "replace"), mode)


def main(arguments: Sequence[str] = ()) -> int:
    """Make the round that the command line names."""
    names = list(arguments or sys.argv[1:])
    if len(names) != 1 or names[0] not in ROUNDS:
        sys.stderr.write(f"usage: collector {'|'.join(ROUNDS)}\n")
        return 2
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    error = collect(names[0], ROUNDS[names[0]], EXPECTED, STATE, METRICS)
    if error:
        sys.stderr.write(f"{error}\n")
    return 1 if error else 0
