# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Readers that run side by side, each for so long and no longer: what hangs or breaks spoils only its own part."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Mapping

Reader = Callable[[], Any]


def read_side_by_side(readers: Mapping[str, Reader], seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return what each reader returns, by its name; ``{"error": why}`` of one that raises, or takes too long.

    *seconds* is how long each may take. The threads are daemons: who waits for a driver that hangs in the kernel waits
    for ever, and the process can end without it.
    """
    found: dict[str, Any] = {}

    def run(name: str, reader: Reader) -> None:
        try:
            found[name] = reader()
        except Exception as error:  # whatever a host shows, the other parts are told all the same
            found[name] = {"error": sentence(error)}

    started = time.monotonic()
    threads = {
        name: threading.Thread(target=run, args=(name, reader), name=name, daemon=True)
        for name, reader in readers.items()
    }
    for thread in threads.values():
        thread.start()
    for name, thread in threads.items():
        thread.join(max(0.0, started + seconds[name] - time.monotonic()))
    # A copy: what is still running may answer later, and nobody would expect that.
    answers = dict(found)
    late = {name: {"error": f"no answer within {seconds[name]:g} s"} for name in readers if name not in answers}
    return {**answers, **late}


def sentence(error: BaseException) -> str:
    """Return an error in words: its own where it has some, else its kind."""
    return str(error) or type(error).__name__
