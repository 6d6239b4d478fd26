# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What must be done with supervisord's process groups so that what runs becomes what is wanted. Pure functions.

supervisord keeps the definition with which a group was added until the group is removed, whatever the file says and
however often its process is restarted. So "runs an older definition" is exactly "listed as changed by reloadConfig".
"""

from __future__ import annotations

from typing import Collection, Mapping, NamedTuple, Sequence

from .read import Definitions
from .rpc import ProcessInfo

# BACKOFF is not among them: the program has died and waits for its next attempt.
RUNS = ("STARTING", "RUNNING")
EXISTS = ("STARTING", "RUNNING", "STOPPING")


class Action(NamedTuple):
    """What to do with a group, in this order; one with nothing to do stays as it is.

    ``after`` names the groups that must be gone before it is added.
    """

    group: str
    stop: bool
    remove: bool
    add: bool
    start: bool
    after: tuple[str, ...]


class Plan(NamedTuple):
    """What to do, and ``{group: reason}`` of running groups that are left alone although they should change or go."""

    actions: list[Action]
    pending: dict[str, str]


class Reload(NamedTuple):
    """The groups that reloadConfig tells of. What it calls added is what supervisord does not have yet."""

    changed: set[str]
    removed: set[str]


class Goal(NamedTuple):
    """What a run wants of the groups.

    ``state`` is started, restarted, stopped or absent. With ``leave_running`` nothing that runs is touched.
    ``kept_stopped`` names the groups that stay stopped whatever the state; with ``only`` all groups but those of these
    programs stay as they are.
    """

    state: str
    leave_running: bool = False
    kept_stopped: Collection[str] = ()
    only: Collection[str] | None = None


# supervisord's processes by the name of their group.
Active = Mapping[str, Sequence[ProcessInfo]]


def by_group(processes: Sequence[ProcessInfo]) -> dict[str, list[ProcessInfo]]:
    """Return supervisord's processes by the name of their group."""
    result: dict[str, list[ProcessInfo]] = {}
    for info in processes:
        result.setdefault(info["group"], []).append(info)
    return result


def _any_in(infos: Sequence[ProcessInfo], states: Collection[str]) -> bool:
    return any(info["statename"] in states for info in infos)


def running(old: Definitions, kept: Definitions, before: Reload) -> dict[str, dict[str, dict[str, str]] | None]:
    """Return the definitions that run, None for one that is not known.

    *old* is what the file says, *kept* what is kept beside it as what ran before, *before* what ``reloadConfig`` tells
    now.
    """
    pending = before.changed | before.removed
    return {group: kept.get(group) if group in pending else old[group] for group in pending.union(old)}


def predict_reload(
    runs: Mapping[str, object], new: Definitions, active: Collection[str], foreign: Collection[str]
) -> Reload:
    """Predict what ``reloadConfig`` will tell once the file says *new*.

    *runs* is what :func:`running` returns, *active* the names of the groups that supervisord has, *foreign* the groups
    of other files.
    """
    changed = {group for group in new if group in active and runs.get(group) != new[group]}
    removed = {group for group in active if group in runs and group not in new and group not in foreign}
    return Reload(changed, removed)


def groups_that_ran(
    old: Definitions, kept: Definitions, new: Definitions, before: Reload, active: Active, stopped: Collection[str]
) -> tuple[set[str], set[str]] | None:
    """Return the groups that run as *old* says and those that ran as *kept* says, None when that is not known.

    A group of *old* that crashes, or was never started because it is one of *stopped*, has not run: going back to it
    would be no way back. *before* is what ``reloadConfig`` tells now.
    """
    now, former = set(), set()
    for group in {*old, *kept}:
        infos = active.get(group, [])
        pending = group in before.changed | before.removed
        failed = _any_in(infos, ("BACKOFF", "FATAL")) or (group in stopped and not _any_in(infos, RUNS))
        if group in old and infos and not pending and (not failed or old[group] == new.get(group)):
            now.add(group)
        elif group in kept and (group in old or pending):
            former.add(group)
        elif pending and _any_in(infos, RUNS):
            return None
    return now, former


def to_leave(
    known: Collection[str],
    wanted: Collection[str],
    removed: Collection[str],
    active: Active,
    programs: Collection[str],
) -> set[str]:
    """Return the groups that should go: known to be of this file (or running its programs) and in no file any more."""
    leaving = set()
    for group in removed:
        runs_ours = any(info["name"] in programs for info in active.get(group, []))
        if group not in wanted and (group in known or runs_ours):
            leaving.add(group)
    return leaving


def make_plan(
    goal: Goal,
    wanted: Mapping[str, Sequence[str]],
    leaving: Collection[str],
    reload: Reload,
    active: Active,
    changes: Mapping[str, str] | None = None,
) -> Plan:
    """Decide what happens to every group.

    *wanted* is the groups of the new text with their programs, *leaving* the groups that should go, *changes* says in
    words what is different about a group.
    """
    plan = Plan([], {})
    for group in sorted(leaving if goal.only is None else ()):
        if goal.leave_running and _any_in(active.get(group, []), RUNS):
            plan.pending[group] = f"{group} runs but is no longer wanted"
            plan.actions.append(_action(group, ()))
        else:
            plan.actions.append(_action(group, ("stop", "remove")))
    for group, programs in wanted.items():
        if goal.only is not None and not set(goal.only) & set(programs):
            plan.actions.append(_action(group, ()))
            continue
        # The same programs may still run inside an old group: a second copy must not start beside it.
        hosts = [
            other
            for other in sorted(leaving)
            if any(info["name"] in programs and info["statename"] in EXISTS for info in active.get(other, []))
        ]
        left = [other for other in hosts if other in plan.pending]
        if left:
            plan.pending[group] = f"{group} still runs inside the group {', '.join(left)}"
            plan.actions.append(_action(group, ()))
            continue
        state = "stopped" if group in goal.kept_stopped else goal.state
        steps = _steps(group, state, active.get(group, []), reload)
        if goal.leave_running and "stop" in steps and _any_in(active.get(group, []), RUNS):
            plan.pending[group] = _why_pending(group, goal, (changes or {}).get(group))
            steps = ()
        plan.actions.append(_action(group, steps, tuple(hosts)))
    return plan


def _why_pending(group: str, goal: Goal, change: str | None) -> str:
    if group in goal.kept_stopped:
        return f"{group} runs but should not"
    words = f" ({change})" if change else ""
    return f"{group} runs an older definition than its file{words}"


def _action(group: str, steps: Collection[str], after: tuple[str, ...] = ()) -> Action:
    return Action(group, "stop" in steps, "remove" in steps, "add" in steps, "start" in steps, after)


def _steps(group: str, state: str, infos: Sequence[ProcessInfo], reload: Reload) -> tuple[str, ...]:
    """Return what must be done with a wanted group."""
    replace = ("stop", "remove", "add")
    states = {info["statename"] for info in infos}
    if not infos:
        return ("add",) if state == "stopped" else ("add", "start")
    if state == "stopped":
        # EXITED may be on its way to an automatic restart
        return replace if group in reload.changed or states & {*EXISTS, "BACKOFF", "EXITED"} else ()
    if group in reload.changed or state == "restarted":
        return (*replace, "start")
    if states <= set(RUNS):
        return ()
    if states & {"BACKOFF", "STOPPING"} and not states & set(RUNS):
        # A new group begins without the waiting time that the old one had collected, and after the stop is over.
        return (*replace, "start")
    return ("start",)


def has_work(action: Action) -> bool:
    """Say whether *action* changes anything."""
    return action.stop or action.remove or action.add or action.start


def describe(plan: Plan, before: Reload, active: Active) -> tuple[str, str]:
    """Return the two texts of the diff of running programs: before and after.

    *before* is the :class:`Reload` of before the run. Only groups with a difference are listed.
    """
    lines_before = []
    lines_after = []
    for action in plan.actions:
        infos = active.get(action.group, [])
        now = _state_in_words(infos, action.group in before.changed | before.removed)
        if action.group in plan.pending:
            then = _state_in_words(infos, True)
        elif not has_work(action):
            then = now
        elif action.start:
            then = "running (restarted)" if _any_in(infos, RUNS) else "running"
        elif action.add:
            then = "stopped"
        else:
            then = "absent"
        if now != then:
            lines_before.append(f"{action.group}: {now}\n")
            lines_after.append(f"{action.group}: {then}\n")
    return "".join(lines_before), "".join(lines_after)


def _state_in_words(infos: Sequence[ProcessInfo], pending: bool) -> str:
    if not infos:
        return "absent"
    words: list[str] = []
    for info in infos:
        word = "running" if info["statename"] in RUNS else info["statename"].lower()
        if word not in words:
            words.append(word)
    return "/".join(words) + (" (change pending)" if pending else "")
