# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""One run over a file of programs: read the files, look, decide, prepare, apply, report.

In check mode nothing is changed.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Collection, Mapping, NamedTuple, Sequence

from .._host.locks import LockError, locked
from . import steps
from .daemon import Daemon, NotAcceptedError, read_settings
from .daemon_conf import DaemonSettings
from .decide import (
    Decision,
    Definition,
    Request,
    Seen,
    Texts,
    decide,
    final_text,
    interim_text,
    old_definition,
    plan_again,
    wanted_text,
)
from .directories import make_directories
from .errors import ConfError, ProgramError
from .fates import describe, wait
from .masking import masked_texts
from .program_file import Move, OtherFiles, ProgramFile, check_names, lock_name, other_files
from .programs import check_logs, check_programs
from .read import groups, number, options_of, secrets_of
from .rpc import ProcessInfo, SupervisorError, absent, full_name
from .started import Started, still_starting
from .steps import Plan, Reload
from .write import NAME_RE

LOCK_WAIT = 300.0  # seconds: another run may be waiting for slow stops and starts


class Tools(NamedTuple):
    """What a run needs of its surroundings."""

    move: Move
    warn: Callable[[str], object]
    hide: Callable[[Collection[str]], object]
    # Why nothing may be stopped now. Asked behind the lock of this host, right before a program is stopped.
    objections: Callable[[], Sequence[str]] = tuple


def execute(request: Request, tools: Tools) -> dict[str, Any]:
    """Do a whole run and return its result. A failure is a ProgramError with what a result has too as its details."""
    try:
        file, settings = _find_file(request)
    except (ConfError, ProgramError) as error:
        raise ProgramError(str(error), **_result(None, None)) from error
    return Run(request, tools, file, settings).execute()


def _find_file(request: Request) -> tuple[ProgramFile, DaemonSettings | None]:
    """Return the file of programs, and supervisord's settings, None when it has none and that is no error."""
    if not NAME_RE.match(request.name):
        raise ProgramError(
            f"name {request.name!r}: only letters, digits, '.', '_' and '-', beginning with a letter or digit"
        )
    settings = read_settings(request.config)
    if settings:
        return ProgramFile(request.name, settings.folder, settings.suffix), settings
    if request.check or request.state == "absent":
        # where Debian's package puts it, which is what a later run will find
        return ProgramFile(request.name, os.path.join(os.path.dirname(request.config), "conf.d"), ".conf"), None
    raise ProgramError(
        f"{request.config} does not exist: install supervisor first, or give its configuration with config"
    )


class Run:
    """One run, which remembers what its result must tell, whichever way it ends."""

    def __init__(self, request: Request, tools: Tools, file: ProgramFile, settings: DaemonSettings | None) -> None:
        self.request = request
        self.tools = tools
        self.file = file
        self.daemon = Daemon(request.config, settings) if settings else None
        self.others = OtherFiles({}, {})
        self.keep: str | None = None
        self.changed = False
        self.diffs: list[dict[str, str]] = []
        self.started: list[Started] = []

    def execute(self) -> dict[str, Any]:
        """Do the whole run and return its result."""
        try:
            purpose = f"supervisor_program of {self.request.name}"
            with locked(lock_name(self.request.config), purpose, LOCK_WAIT, make=not self.request.check):
                return self._outcome(**self._execute())
        except ProgramError as error:
            raise ProgramError(str(error), **self._outcome(**error.details)) from error
        except (ConfError, LockError, SupervisorError) as error:
            raise ProgramError(str(error), **self._outcome()) from error

    def _execute(self) -> dict[str, Any]:
        texts = self._read_files()
        seen = self._look(texts)
        decision = decide(self.request, texts, seen)
        self.keep = decision.keep
        if not self.request.check:
            self._ask_before_stopping(seen, decision.plan)
        self._prepare()
        if self.request.check:
            self._note(texts, seen, decision.plan)
            return report(texts, decision.plan, seen.active)
        return self._apply(texts, seen, decision)

    def _read_files(self) -> Texts:
        """Read all files, and refuse what is wanted when it cannot be."""
        settings = self.daemon and self.daemon.settings
        if settings and not self.request.check and not os.path.isdir(settings.folder):
            raise ProgramError(f"{settings.folder} does not exist, though {self.request.config} includes files from it")
        file = self.file
        file.load()
        kept = Definition.of(file.kept, file.previous)
        old = old_definition(self.request, file.text, file.path)
        new = Definition.of(wanted_text(self.request, file.text, file.kept, file.path), file.path)
        for definition in (old, kept, new):
            self.tools.hide(secrets_of(definition.sections))
        if settings:
            self.others = other_files(file.path, self.request.config, settings.patterns)
        check_names(file.path, new.sections, self.others)
        check_logs(self.request.programs or ())
        if not self.request.check:
            check_programs(self.request.programs or (), self.request.state in ("started", "restarted"))
        return Texts(old, kept, new, {group for theirs in self.others.sections.values() for group in groups(theirs)})

    def _look(self, texts: Texts) -> Seen:
        """Look at what supervisord does."""
        nothing = Reload(set(), set())
        if not self.daemon or not self.daemon.connect():
            return Seen(True, nothing, False, {})
        self.daemon.check_user()
        refused = False
        before = nothing
        try:
            before = self.daemon.reload(self.file.path, self.others)
        except NotAcceptedError as error:
            refused = True
            if texts.new.text == texts.old.text:
                raise ProgramError(f"supervisord does not accept {self.file.path}: {error}") from error
        return Seen(False, before, refused, self._processes(self.daemon, texts))

    def _processes(self, daemon: Daemon, texts: Texts) -> dict[str, list[ProcessInfo]]:
        """Return supervisord's processes by group."""
        # What crashes again and again is not left alone, and is not yet known while it is starting.
        if self.request.leaves_running:
            return daemon.settled(texts.known | set(texts.new.groups), texts.new.sections)
        return daemon.processes()

    def _ask_before_stopping(self, seen: Seen, plan: Plan) -> None:
        """Refuse to stop what cannot be spared now."""
        running = {group for group, infos in seen.active.items() if any(info["pid"] for info in infos)}
        stops = any(action.stop and action.group in running for action in plan.actions)
        refused = list(self.tools.objections()) if stops else []
        if refused:
            raise ProgramError(f"nothing was changed, because {'; '.join(refused)}", refused=refused)

    def _prepare(self) -> None:
        """Make what the programs need."""
        before, after = make_directories(self.request.programs or (), self.request.check)
        if before != after:
            self._add_diff("directories", before, after)

    def _apply(self, texts: Texts, seen: Seen, decision: Decision) -> dict[str, Any]:
        """Change the file and what runs, and return what to report."""
        if self.daemon and not seen.down:
            decision = self._announce(self.daemon, texts, decision)
            self._note(texts, seen, decision.plan)
            return self._act(self.daemon, texts, decision.plan)
        self._note(texts, seen, decision.plan)
        self._write(texts.new.text, decision.ran if decision.plan.actions else decision.keep)
        if self.daemon and decision.plan.actions:
            return self._start(self.daemon, texts, decision)
        return report(texts, decision.plan, {})

    def _start(self, daemon: Daemon, texts: Texts, decision: Decision) -> dict[str, Any]:
        """Start supervisord itself, and what it does not start with it."""
        if self.others.broken:
            faults = "; ".join(self.others.broken.values())
            raise ProgramError(f"supervisord cannot start with these files: {faults}")
        daemon.start_service()
        # what has just been started need not be restarted
        request = self.request._replace(state="started") if self.request.state == "restarted" else self.request
        decision = plan_again(request, texts, decision, Reload(set(), set()), daemon.processes())
        return self._act(daemon, texts, decision.plan)

    def _announce(self, daemon: Daemon, texts: Texts, decision: Decision) -> Decision:
        """Write the file, and let supervisord say what that means for its groups."""
        text = interim_text(texts, decision.plan)
        if text == texts.old.text:
            return decision
        kept = self.file.kept
        self._write(text, decision.ran)
        try:
            reload = daemon.reload(self.file.path, self.others)
        except NotAcceptedError as error:
            self._write(texts.old.text, kept)
            raise ProgramError(
                f"supervisord does not accept the new {self.file.path}, the old one is back: {error}"
            ) from error
        return plan_again(self.request, texts, decision, reload, self._processes(daemon, texts))

    def _act(self, daemon: Daemon, texts: Texts, plan: Plan) -> dict[str, Any]:
        """Carry out the plan, give the file its final text, wait for what was started, and return what to report."""
        working = [action for action in plan.actions if steps.has_work(action)]
        stops = [longest(texts, action.group, "stopwaitsecs", 60) for action in working if action.stop]
        daemon.apply(working, max(stops, default=0))
        self._write(final_text(texts, plan), self.keep)
        for name in daemon.killed:
            self.tools.warn(f"{name} did not end within its stopwaitsecs and was killed")
        if self.request.goal not in ("started", "restarted"):
            return report(texts, plan, daemon.processes())
        only, left = self.request.only, {*plan.pending, *texts.kept_stopped}
        started = [
            group
            for group, members in texts.new.groups.items()
            if group not in left and (only is None or set(only) & set(members))
        ]
        patience = {group: longest(texts, group, "startsecs", 1) for group in started}
        active, failures = wait(daemon, patience, settle=self.request.wait == "startsecs")
        self.started = still_starting(active, patience)
        if failures:
            message, failed = describe(failures)
            raise ProgramError(message, failed_programs=failed, **report(texts, plan, active))
        return report(texts, plan, active)

    def _write(self, text: str | None, kept: str | None) -> None:
        self.changed = self.file.write(text, kept, self.tools.move) or self.changed

    def _add_diff(self, header: str, before: str, after: str) -> None:
        self.changed = True
        self.diffs.append({"before_header": header, "after_header": header, "before": before, "after": after})

    def _note(self, texts: Texts, seen: Seen, plan: Plan) -> None:
        """Note what this run changes."""
        final = final_text(texts, plan)
        if (texts.old.text or "") != (final or ""):
            self._add_diff(self.file.path, *masked_texts(texts.old.text, final))
        self.changed = (
            self.changed
            or texts.old.text != final
            or self.keep != self.file.kept
            or any(steps.has_work(action) for action in plan.actions)
        )
        before, after = steps.describe(plan, seen.before, seen.active)
        if before != after:
            self._add_diff("programs", before, after)

    def _outcome(self, **more: Any) -> dict[str, Any]:
        """Return what every end of a run returns, a failure too."""
        kept = self.keep if self.request.check else self.file.kept
        result = _result(self.file.path, self.file.previous if kept else None)
        killed = self.daemon.killed if self.daemon else []
        told = {"changed": self.changed, "diff": self.diffs, "killed": killed, "started": self.started}
        return {**result, **told, **more}


def _result(path: str | None, previous: str | None) -> dict[str, Any]:
    """Return the result of a run that has done nothing."""
    return {
        "changed": False,
        "diff": [],
        "file": path,
        "previous": previous,
        "programs": [],
        "restart_required": False,
        "reasons": [],
        "killed": [],
        "started": [],
    }


def longest(texts: Texts, group: str, key: str, default: int) -> int:
    """Return the largest number that the old and the new definition of a group's programs say."""
    programs: Sequence[str] = texts.new.groups.get(group) or texts.old.groups.get(group) or [group]
    return max(
        number(options_of(definition.sections, program), key, default)
        for program in programs
        for definition in (texts.old, texts.new)
    )


def report(texts: Texts, plan: Plan, active: Mapping[str, Sequence[ProcessInfo]]) -> dict[str, Any]:
    """Return what the result says of the programs: those of the file, and what should go but still runs."""
    programs = []
    wanted = texts.new.groups
    for action in sorted(plan.actions, key=lambda action: action.group not in wanted):
        group = action.group
        if group not in wanted and group not in plan.pending:
            continue
        for info in active.get(group) or [absent(name, group) for name in wanted.get(group, [group])]:
            programs.append(
                {
                    "name": full_name(info),
                    "state": info["statename"],
                    "pid": info["pid"] or None,
                    "uptime_s": max(0, info["now"] - info["start"]) if info["pid"] else None,
                    "restart_required": group in plan.pending,
                }
            )
    return {
        "programs": programs,
        "restart_required": bool(plan.pending),
        "reasons": list(plan.pending.values()),
    }
