# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every fake process has: log, fault switches, counters, signals, exit status."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from . import VERSION


class Fatal(Exception):
    """Ends the process with status 1 and this sentence."""


#: Prefix of the fakes' own paths on a host; set by tests that play several hosts on one machine.
ROOT = os.environ.get("AUTONOMYS_FAKES_ROOT", "")
SWITCHES = ROOT + "/run/autonomys-fakes"

_TICK_SECONDS = 1.0


def log(level: str, message: str) -> None:
    """Write a line the way the real programs do."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    sys.stdout.write(f"{stamp}.{int(now % 1 * 1e6):06d}Z {level:>5} fake: {message}\n")
    sys.stdout.flush()


class Switches:
    """Fault switches: <component>.json, then <program>.json, read again when they change."""

    def __init__(self, component: str, program: str, folder: str = SWITCHES):
        names = [component] if component == program else [component, program]
        self._files = [Path(folder, name + ".json") for name in names]
        self._stamps: list = []
        self._values: dict = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the files if any of them changed."""
        stamps = [self._stamp(name) for name in self._files]
        if stamps == self._stamps:
            return
        self._stamps = stamps
        self._values = {}
        for name, stamp in zip(self._files, stamps):
            if stamp is None:
                continue
            try:
                values = json.loads(name.read_text(encoding="utf-8"))
                only = values.get("only_version")
            except (OSError, ValueError, AttributeError) as error:
                log("WARN", f"fault switches {name}: {error}")
                continue
            if only in (None, VERSION):
                self._values.update(values)

    @staticmethod
    def _stamp(name: Path):
        try:
            status = name.stat()
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def get(self, name: str, default=None):
        """Return the value of a switch."""
        return self._values.get(name, default)


class Process:
    """The frame around the main coroutine of a component."""

    def __init__(self, component: str):
        self.component = component
        self.program = os.environ.get("SUPERVISOR_PROCESS_NAME", component)
        self.host = socket.gethostname()
        self.started = time.time()
        self.switches = Switches(component, self.program)
        self.counters: dict = {}
        #: Called once a second with no arguments; a component adds what it watches.
        self.on_tick: list = []
        self._original_mask = os.sched_getaffinity(0)
        self._widened = False

    def log(self, level: str, message: str) -> None:
        """Write a log line."""
        log(level, message)

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter."""
        self.counters[name] = self.counters.get(name, 0) + amount

    def describe(self) -> dict:
        """Return what this process tells about itself when asked over NATS."""
        return {
            "component": self.component,
            "program": self.program,
            "host": self.host,
            "pid": os.getpid(),
            "version": VERSION,
            "uptime_s": round(time.time() - self.started, 1),
            "counters": dict(self.counters),
        }

    def run(self, main) -> int:
        """Run main(self) until it returns, fails or a signal comes; return the exit status."""
        if self.switches.get("crash_at_start"):
            log("ERROR", "panicked: fault switch crash_at_start")
            return 1
        try:
            return asyncio.run(self._run(main))
        except Fatal as error:
            log("ERROR", f"Error: {error}")
            return 1

    async def _run(self, main) -> int:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, stop)
        log("INFO", f"{self.component} {VERSION} is starting, program {self.program}, PID {os.getpid()}")
        ticker = asyncio.create_task(self._tick())
        stopper = asyncio.create_task(stop.wait())
        worker = asyncio.create_task(main(self))
        try:
            await asyncio.wait({ticker, stopper, worker}, return_when=asyncio.FIRST_COMPLETED)
            for task in (worker, ticker):
                if task.done():
                    task.result()  # raises what ended it
            if worker.done():
                log("INFO", "Exiting")
            else:
                log("INFO", "Received signal, exiting gracefully")
            return 0
        finally:
            for task in (worker, ticker, stopper):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.gather(worker, ticker, stopper, return_exceptions=True), 10)

    def _on_signal(self, stop: asyncio.Event) -> None:
        self.switches.refresh()
        if self.switches.get("hang_at_stop"):
            log("WARN", "Received signal, but fault switch hang_at_stop is on")
        else:
            stop.set()

    async def _tick(self) -> None:
        while True:
            self.switches.refresh()
            after = self.switches.get("crash_after")
            if after is not None and time.time() - self.started >= after:
                raise Fatal("panicked: fault switch crash_after")
            self._apply_mask(bool(self.switches.get("widen_mask")))
            for callback in self.on_tick:
                callback()
            await asyncio.sleep(_TICK_SECONDS)

    def _apply_mask(self, widen: bool) -> None:
        """Let the other threads (as hwloc does in the real program) leave the mask that numactl gave, or put
        them back.
        """
        if widen == self._widened:
            return
        self._widened = widen
        mask = range(os.cpu_count() or 1) if widen else self._original_mask
        threads = [int(entry.name) for entry in Path("/proc/self/task").iterdir()]
        for thread in [item for item in threads if item != os.getpid()] or threads:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(thread, mask)


def local_address(url: str) -> str:
    """Return this host's address on the way to the host of a URL."""
    parts = urlsplit(url)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((parts.hostname, parts.port or 4222))
        return probe.getsockname()[0]
