# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a run has to do, decided from what is asked for, what the file says and what supervisord runs.

Pure functions, no I/O.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple, Sequence

from . import steps
from .errors import ConfError, ProgramError
from .marks import compose, kept_stopped, leaving, set_autostart, stopped_groups, with_leaving
from .programs import Program
from .read import Definitions, Sections, changed_options, definitions_of, groups, parse, program_names
from .rpc import ProcessInfo
from .steps import Active, Goal, Plan, Reload
from .write import render


class Request(NamedTuple):
    """What a run is asked for: the options of the module supervisor_program, and whether it only looks."""

    name: str
    programs: Sequence[Program] | None
    state: str
    only: Sequence[str] | None
    restart: str
    config: str
    check: bool
    # Until when a run waits for what it starts: startsecs, or none.
    wait: str = "startsecs"

    @property
    def reverts(self) -> bool:
        """Whether the run goes back to what ran before."""
        return self.state == "reverted"

    @property
    def goal(self) -> str:
        """The state of the programs at the end."""
        return "started" if self.reverts else self.state

    @property
    def leaves_running(self) -> bool:
        """Whether what runs is left alone."""
        return self.state == "started" and self.restart == "never"


class Definition(NamedTuple):
    """A text of programs, and what it says. ``text`` is None where there is no file."""

    text: str | None
    sections: Sections

    @classmethod
    def of(cls, text: str | None, path: str) -> Definition:
        """Read *text*, the content of *path*."""
        return cls(text, parse(text or "", path))

    @property
    def groups(self) -> dict[str, list[str]]:
        """The groups with their programs."""
        return groups(self.sections)

    @property
    def definitions(self) -> Definitions:
        """What the groups are made of."""
        return definitions_of(self.sections)


class Texts(NamedTuple):
    """What the file says, what is kept beside it, and what the file should say; ``foreign`` are other files' groups."""

    old: Definition
    kept: Definition
    new: Definition
    foreign: set[str]

    @property
    def known(self) -> set[str]:
        """The groups that the file defines, or remembers."""
        return set(self.old.definitions) | set(leaving(self.old.text))

    @property
    def kept_stopped(self) -> set[str]:
        """The programs that stay stopped whatever the state of the others."""
        return kept_stopped(self.new.text)

    @property
    def same(self) -> bool:
        """Whether the file need not change, apart from what it remembers."""
        return with_leaving(self.old.text, []) == with_leaving(self.new.text, [])


class Seen(NamedTuple):
    """What there is when a run begins: whether supervisord is ``down``, what it tells of its files, and its processes.

    ``refused`` is set when supervisord does not accept the file as it is.
    """

    down: bool
    before: Reload
    refused: bool
    active: dict[str, list[ProcessInfo]]


class Decision(NamedTuple):
    """What to do.

    ``ran`` is the text of what runs now, ``keep`` what is kept beside the file at the end, ``changes`` says in words
    what is different about a group.
    """

    plan: Plan
    ran: str | None
    keep: str | None
    changes: Mapping[str, str]


def old_definition(request: Request, text: str | None, path: str) -> Definition:
    """Read what the file says; one that cannot be read is nothing where the file is written anew."""
    try:
        return Definition.of(text, path)
    except ConfError:
        if request.programs is None and request.state not in ("absent", "reverted"):
            raise
        return Definition(text, {})


def wanted_text(request: Request, old: str | None, kept: str | None, path: str) -> str | None:
    """Return the text that the file should have, None for no file."""
    if request.only is not None and (request.programs is not None or request.state in ("absent", "reverted")):
        raise ProgramError("only needs programs to be left out, and state to be started, restarted or stopped")
    if request.state == "absent":
        return None
    if request.reverts:
        if request.programs is not None:
            raise ProgramError("state=reverted takes no programs: it goes back to what ran before")
        if kept is None:
            raise ProgramError(f"nothing to go back to: no definition is kept that ran before the one of {path}")
        return set_autostart(kept, True)
    autostart = request.state != "stopped"
    if request.programs is not None:
        return render(request.programs, autostart)
    if old is None:
        if request.check or request.state == "stopped":
            return None
        raise ProgramError(f"{path} does not exist: give its programs")
    if request.only is not None:
        return set_autostart(old, autostart, request.only)
    return set_autostart(with_leaving(old, []), autostart)


def decide(request: Request, texts: Texts, seen: Seen) -> Decision:
    """Decide what has to be done."""
    old, kept, new = texts.old, texts.kept, texts.new
    # a run that was cut off on its way back has left what it wants, not what runs
    reverting = kept.text is not None and with_leaving(old.text, []) == set_autostart(kept.text, True)
    running = steps.running(old.definitions, {} if reverting else kept.definitions, seen.before)
    changes = {}
    for group, definition in new.definitions.items():
        runs = running.get(group)
        if runs:
            changes[group] = changed_options(runs, definition)
    ran = text_that_ran(request, texts, seen)
    decision = Decision(Plan([], {}), ran, None if request.reverts or new.text is None else ran, changes)
    if seen.down and request.goal in ("stopped", "absent"):
        # nothing runs, and supervisord will read the file whenever it comes up
        return decision
    reload = steps.predict_reload(running, new.definitions, set(seen.active), texts.foreign)
    return plan_again(request, texts, decision, reload, seen.active)


def plan_again(request: Request, texts: Texts, decision: Decision, reload: Reload, active: Active) -> Decision:
    """Decide what happens to the groups, by what *reload* says."""
    wanted = texts.new.groups
    goal = Goal(request.goal, request.leaves_running, texts.kept_stopped, request.only)
    going = steps.to_leave(texts.known, wanted, reload.removed, active, program_names(texts.new.sections))
    return decision._replace(plan=steps.make_plan(goal, wanted, going, reload, active, decision.changes))


def text_that_ran(request: Request, texts: Texts, seen: Seen) -> str | None:
    """Return the text of what runs now, None when nothing does, when it is not known, or when it is what is wanted."""
    old, kept, new = texts.old, texts.kept, texts.new
    if request.reverts or texts.same:
        return kept.text
    if seen.refused or not (old.definitions or kept.definitions):
        return None
    if seen.down:
        # the file says what would have been started
        return with_leaving(old.text, []) if old.definitions else None
    readable = old.text if old.definitions else None
    ran = steps.groups_that_ran(
        old.definitions, kept.definitions, new.definitions, seen.before, seen.active, stopped_groups(readable)
    )
    text = compose(readable, kept.text, *ran) if ran is not None else None
    return text if text != new.text else None


def final_text(texts: Texts, plan: Plan) -> str | None:
    """Return the text of the file once the plan is carried out: it remembers only what was left running."""
    left = [group for group in plan.pending if group not in texts.new.groups]
    return with_leaving(texts.new.text, left) if left else texts.new.text


def interim_text(texts: Texts, plan: Plan) -> str | None:
    """Return the text of the file while the plan is carried out: an interrupted run must not forget what is to go."""
    going = [action.group for action in plan.actions if action.group not in texts.new.groups]
    return with_leaving(texts.new.text, going) if going else texts.new.text
