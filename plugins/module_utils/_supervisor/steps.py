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

from collections import OrderedDict, namedtuple

# BACKOFF is not among them: the program has died and waits for its next attempt.
RUNS = ("STARTING", "RUNNING")
EXISTS = ("STARTING", "RUNNING", "STOPPING")

# group: its name; stop/remove/add/start: what to do, in this order; after: groups that must be gone before add.
# An action with nothing to do is a group that stays as it is.
Action = namedtuple("Action", ["group", "stop", "remove", "add", "start", "after"])

# pending: {group: reason} of running groups that were left alone although they should change or go
Plan = namedtuple("Plan", ["actions", "pending"])

# What reloadConfig tells: sets of group names. What it calls added is what supervisord does not have yet.
Reload = namedtuple("Reload", ["changed", "removed"])


def by_group(processes):
    """Give supervisord's processes by the name of their group."""
    result = OrderedDict()
    for info in processes:
        result.setdefault(info["group"], []).append(info)
    return result


def _any_in(infos, states):
    return any(info["statename"] in states for info in infos)


def running(old, kept, before):
    """Give the definitions that run, ``{group: comparable definition}``, None for one that is not known.

    *old* is what the file says, *kept* what is kept beside it as what ran before, *before* what ``reloadConfig`` tells now.
    """
    pending = before.changed | before.removed
    return {group: kept.get(group) if group in pending else old[group] for group in pending.union(old)}


def predict_reload(runs, new, active, foreign):
    """Predict what ``reloadConfig`` will tell once the file says *new*.

    *runs* is what :func:`running` gives, *new* alike, *active* the names of the groups that supervisord has, *foreign* the
    groups of other files.
    """
    changed = {group for group in new if group in active and runs.get(group) != new[group]}
    removed = {group for group in active if group in runs and group not in new and group not in foreign}
    return Reload(changed, removed)


def what_ran(old, kept, new, before, active, on_hold):
    """Give the groups that run as *old* says and those that ran as *kept* says, (None, None) when that is not known.

    A group of *old* that crashes, or was never started because it was *on_hold*, has not run: going back to it would be no
    way back. The definitions are ``{group: comparable definition}``, *before* is what ``reloadConfig`` tells now.
    """
    now, former = set(), set()
    for group in {*old, *kept}:
        infos = active.get(group, [])
        pending = group in before.changed | before.removed
        failed = _any_in(infos, ("BACKOFF", "FATAL")) or (group in on_hold and not _any_in(infos, RUNS))
        if group in old and infos and not pending and (not failed or old[group] == new.get(group)):
            now.add(group)
        elif group in kept and (group in old or pending):
            former.add(group)
        elif pending and _any_in(infos, RUNS):
            return None, None
    return now, former


def to_leave(known, wanted, removed, active, programs):
    """Give the groups that should go: known to be of this file (or running its programs) and in no file any more."""
    leaving = set()
    for group in removed:
        runs_ours = any(info["name"] in programs for info in active.get(group, []))
        if group not in wanted and (group in known or runs_ours):
            leaving.add(group)
    return leaving


def make_plan(state, restart, wanted, leaving, reload, active, changes=None, held=(), only=None):
    """Decide what happens to every group.

    *state* and *restart* are the module's options, *wanted* the groups of the new text, ``{group: [programs]}``,
    *leaving* the groups that should go, *reload* a :class:`Reload`, *active* ``{group: [process info]}``, *changes*
    optionally says in words what is different for a group, *held* names the groups that are kept stopped whatever the state.
    With *only*, all groups but those of these programs stay as they are.
    """
    leave_running = state == "started" and restart == "never"
    changes = changes or {}
    actions = []
    pending = OrderedDict()
    for group in sorted(leaving if only is None else ()):
        if leave_running and _any_in(active.get(group, []), RUNS):
            pending[group] = f"{group} runs but is no longer wanted"
            actions.append(_action(group, ()))
        else:
            actions.append(_action(group, ("stop", "remove")))

    for group in wanted:
        if only is not None and not set(only) & set(wanted[group]):
            actions.append(_action(group, ()))
            continue
        # The same programs may still run inside an old group: a second copy must not start beside it.
        hosts = [
            other
            for other in sorted(leaving)
            if any(info["name"] in wanted[group] and info["statename"] in EXISTS for info in active.get(other, []))
        ]
        left = [other for other in hosts if other in pending]
        if left:
            pending[group] = f"{group} still runs inside the group {', '.join(left)}"
            actions.append(_action(group, ()))
            continue
        steps = _steps(group, "stopped" if group in held else state, active.get(group, []), reload)
        if leave_running and "stop" in steps and _any_in(active.get(group, []), RUNS):
            words = f" ({changes[group]})" if changes.get(group) else ""
            pending[group] = (
                f"{group} runs but should not"
                if group in held
                else f"{group} runs an older definition than its file{words}"
            )
            steps = ()
        actions.append(_action(group, steps, tuple(hosts)))
    return Plan(actions, pending)


def _action(group, steps, after=()):
    return Action(group, "stop" in steps, "remove" in steps, "add" in steps, "start" in steps, after)


def _steps(group, state, infos, reload):
    """Give what must be done with a wanted group."""
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


def has_work(action):
    """Say whether *action* changes anything."""
    return action.stop or action.remove or action.add or action.start


def describe(plan, before, active):
    """Give the two texts of the diff of running programs: before and after.

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


def _state_in_words(infos, pending):
    if not infos:
        return "absent"
    words = []
    for info in infos:
        word = "running" if info["statename"] in RUNS else info["statename"].lower()
        if word not in words:
            words.append(word)
    return "/".join(words) + (" (change pending)" if pending else "")
