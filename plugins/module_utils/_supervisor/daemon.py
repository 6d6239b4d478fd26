# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""supervisord as one run talks with it: whether it is at work, what it has, how it is told to run something else."""

from __future__ import annotations

import os
import platform
import time
from typing import Collection, Sequence

from .._host.commands import CommandError, Run, find_program, run_command
from .._host.files import read_tail
from . import rpc
from .daemon_conf import DaemonSettings, daemon_settings
from .errors import ProgramError
from .program_file import OtherFiles, read_text
from .read import Sections, number, parse
from .rpc import ProcessInfo
from .silent import fault_of_user, why_silent
from .steps import Action, Reload, by_group

SERVICE_WAIT = 30.0  # seconds until a started supervisord must answer
SETTLE_WAIT = 5.0  # seconds beyond startsecs until a program must be RUNNING
SILENT_WAIT = 10.0  # seconds until one that runs and does not listen yet, or no more, must answer or be gone
KILL_WAIT = 30.0  # seconds beyond stopwaitsecs until a killed program must be gone
POLL = 0.2
LOG_SEARCH = 65536  # bytes at the end of supervisord's own log in which the fate of a process is looked for
SERVICES = ("supervisor.service", "supervisord.service")

# seconds for a question to systemd; a start waits for the unit
SYSTEMD_WAIT = 30.0
START_WAIT = 150.0


class NotAcceptedError(Exception):
    """supervisord does not accept the file that this run is about; the message is supervisord's own."""


def read_settings(config: str) -> DaemonSettings | None:
    """Read a supervisord's own configuration, None when there is none."""
    text = read_text(config)
    return None if text is None else daemon_settings(parse(text, config), config, os.environ, platform.node())


def tail_of(path: str | None, size: int) -> str | None:
    """Return the end of a log, as text, None when it cannot be read."""
    try:
        return read_tail(path or "", size).decode("utf-8", "replace")
    except OSError:
        return None


class Daemon:
    """A supervisord. ``killed`` and ``spawn_faults`` are what has happened to programs in this run."""

    def __init__(self, config: str, settings: DaemonSettings) -> None:
        self.config = config
        self.settings = settings
        self.supervisor = rpc.Supervisor(settings.socket, settings.username, settings.password)
        self.killed: list[str] = []
        self.spawn_faults: dict[str, str] = {}

    def connect(self, patience: float = SILENT_WAIT) -> bool:
        """Return whether supervisord runs and is at work; one that runs must listen within *patience* seconds."""
        began = time.monotonic()
        deadline = began + SERVICE_WAIT
        while True:
            try:
                self.supervisor.call("getState")
                return True
            except rpc.SupervisorDown as error:
                why = why_silent(self.config, self.settings.socket)
                if why is None:
                    return False
                if time.monotonic() > began + patience:
                    raise ProgramError(why) from error
            except rpc.SupervisorFault as error:
                if error.code != rpc.SHUTDOWN_STATE:
                    raise
                if time.monotonic() > deadline:
                    raise ProgramError(
                        f"supervisord has been shutting down or restarting for {SERVICE_WAIT:g} s"
                    ) from error
            time.sleep(POLL)

    def check_user(self) -> None:
        """Refuse a supervisord that could not do what is wanted of it, because it is not root's."""
        fault = fault_of_user(self.settings.socket)
        if fault:
            raise ProgramError(fault)

    def all_processes(self) -> list[ProcessInfo]:
        """Return the state of every process; say why supervisord cannot be asked where it cannot."""
        try:
            return self.supervisor.processes()
        except rpc.SupervisorDown as error:
            why = why_silent(self.config, self.settings.socket)
            raise rpc.SupervisorError(why or str(error)) from error

    def processes(self) -> dict[str, list[ProcessInfo]]:
        """Return supervisord's processes by group."""
        return by_group(self.supervisor.processes())

    def settled(self, groups: Collection[str], sections: Sections) -> dict[str, list[ProcessInfo]]:
        """Return supervisord's processes by group, once it is known whether each program of *groups* runs.

        Whether a starting program runs or crashes again and again shows only after its startsecs.
        """
        patience = max([number(options, "startsecs", 1) for options in sections.values()] or [0]) + SETTLE_WAIT
        deadline = time.monotonic() + patience
        while True:
            active = self.processes()
            starting = any(info["statename"] == "STARTING" for group in groups for info in active.get(group, []))
            if not starting or time.monotonic() > deadline:
                return active
            time.sleep(POLL)

    def reload(self, path: str, others: OtherFiles) -> Reload:
        """Let supervisord read its files again. When it does not accept *path*, NotAcceptedError is raised."""
        try:
            return Reload(*self.supervisor.reload())
        except rpc.SupervisorFault as error:
            if error.code != rpc.CANT_REREAD:
                raise
            message = str(error)
            culprits = [other for other in [*others.sections, *others.broken] if other in message]
            if not culprits and path not in message:
                culprits = list(others.broken) or [
                    other
                    for other, sections in others.sections.items()
                    if any(f"[{section}]" in message for section in sections)
                ]
            if not culprits:
                raise NotAcceptedError(message) from error
            where = ", ".join(culprits)
            reason = "; ".join(others.broken.values()) or message
            raise ProgramError(
                f"supervisord cannot read its files; the fault is in {where}, which is not managed here: {reason}"
            ) from error

    def start_service(self, run: Run = run_command) -> None:
        """Start the systemd unit that runs supervisord with this configuration."""
        try:
            unit = self._start_unit(run)
        except CommandError as error:
            raise ProgramError(f"supervisord is not running, and cannot be started: {error}") from error
        if unit:
            return
        raise ProgramError(
            f"supervisord is not running (nothing listens on {self.settings.socket}) and no systemd unit runs it with "
            f"{self.config}: start it first"
        )

    def _start_unit(self, run: Run) -> str | None:
        """Start supervisord's unit and return its name, None when there is none."""
        systemctl = find_program("systemctl")
        for unit in SERVICES if systemctl else ():
            _status, out, _err = run([systemctl or "", "show", unit, "--property=LoadState,ExecStart"], SYSTEMD_WAIT)
            if "LoadState=loaded" not in out or self.config not in out:
                continue
            status, out, err = run([systemctl or "", "start", unit], START_WAIT)
            deadline = time.monotonic() + SERVICE_WAIT
            while status == 0 and time.monotonic() < deadline:
                if self.connect(SERVICE_WAIT):
                    return unit
                time.sleep(POLL)
            said = err or out or run(["journalctl", "--unit", unit, "--lines", "5", "--output", "cat"], SYSTEMD_WAIT)[1]
            raise ProgramError(f"supervisord did not come up with {unit}: {said.strip()}")
        return None

    def apply(self, actions: Sequence[Action], patience: float) -> None:
        """Do what the plan says. Each group goes through its steps on its own: a slow stop holds up no other group."""
        stopping: dict[str, dict[str, int]] = {action.group: {} for action in actions if action.stop}
        adding = [action for action in actions if action.add]
        for action in actions:
            if action.start and not action.add:
                self._start(action.group)
        deadline = time.monotonic() + patience + KILL_WAIT
        while stopping or adding:
            active = self.processes() if stopping else {}
            for group, pids in list(stopping.items()):
                if self._ended(group, active.get(group, []), pids):
                    del stopping[group]
            for action in list(adding):
                if action.group not in stopping and not any(group in stopping for group in action.after):
                    self.supervisor.add(action.group)
                    if action.start:
                        self._start(action.group)
                    adding.remove(action)
            if stopping:
                if time.monotonic() > deadline:
                    names = ", ".join(sorted(stopping))
                    raise ProgramError(
                        f"{names} did not end, not even {KILL_WAIT:g} s after SIGKILL: is a disk hanging?"
                    )
                time.sleep(POLL)

    def _ended(self, group: str, infos: Sequence[ProcessInfo], pids: dict[str, int]) -> bool:
        """Ask a group to end and return whether it is gone. *pids* remembers the processes that it had."""
        pids.update((info["name"], info["pid"]) for info in infos if info["pid"])
        if any(info["statename"] in ("STARTING", "RUNNING", "BACKOFF") for info in infos):
            # once more when a program has come back by itself in between
            self.supervisor.stop(group)
        # EXITED may turn into STARTING at any moment: only a removed group is surely gone
        if any(info["statename"] == "STOPPING" for info in infos) or not self.supervisor.remove(group):
            return False
        log = tail_of(self.settings.logfile, LOG_SEARCH) or ""
        self.killed += sorted(name for name, pid in pids.items() if f"killing '{name}' ({pid}) with SIGKILL" in log)
        return True

    def _start(self, group: str) -> None:
        self.spawn_faults.update(self.supervisor.start(group))
