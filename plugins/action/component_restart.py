# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.action import component_health
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rolling import step as _roll

ARGUMENTS = dict(
    {
        name: option
        for name, option in component_health.ARGUMENTS.items()
        if name not in ("at_work", "nats_servers", "report_only")
    },
    name={"type": "str", "required": True},
    state={"type": "str", "choices": ["started", "restarted", "stopped"], "default": "started"},
    only={"type": "list", "elements": "str"},
    configuration={
        "type": "dict",
        "options": {"path": {"type": "path", "required": True}, "previous": {"type": "path", "required": True}},
    },
    revert={"type": "bool", "default": True},
)


class ActionModule(component_health.ActionModule):
    """Restart, look, and go back: one task, so that a failure is handled on the host where it is, whatever others of its batch do."""

    def run(self, tmp=None, task_vars=None):
        result = super(component_health.ActionModule, self).run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(ARGUMENTS)
        args = dict(args, at_work=False, nats_servers=[], report_only=False)
        host = task_vars["inventory_hostname"]

        looked = (
            self._wait(dict(args, programs=[], nats=None, node=None), task_vars)
            if args["nats_stop"]
            else {"problems": []}
        )
        if looked["problems"]:
            message = _roll.refusal(args["component"], host, looked["problems"])
            return dict(
                result,
                changed=False,
                **({"warnings": [message]} if self._task.check_mode else {"failed": True, "msg": message}),
            )
        stop = args["state"] == "stopped"
        synced = bool(args["node"]) and self._is_synced(args, task_vars)

        pending = {} if stop else self._supervise(args, task_vars, state="started", restart="never")
        if pending.get("failed"):
            return dict(result, failed=True, msg=pending["msg"])
        # Some programs are named for a restart by hand only; what is pending is always applied as a whole.
        done = self._supervise(args, task_vars, state=args["state"], **({"only": args["only"]} if args["only"] else {}))
        result.update({key: done[key] for key in ("changed", "diff", "programs", "killed", "warnings") if key in done})
        if self._task.check_mode or stop:
            failed = {"failed": True, "msg": done["msg"]} if done.get("failed") else {}
            return dict(result, healthy=False, stopped=stop and not args["only"], **failed)
        if done.get("failed"):
            seen = done["msg"]
        else:
            wanted = dict(args, nats_stop=None, node=dict(args["node"], synced=synced) if args["node"] else None)
            looked = self._wait(wanted, task_vars, component_health.RECONNECT)
            looked.pop("changed")
            result.update(looked)
            if looked["healthy"]:
                return result
            seen = f"after {looked['waited_s']} s {'; '.join(looked['problems'])}"
        # What ends here must not be forgotten when the connection is lost meanwhile.
        back = self._go_back(args, task_vars, pending["restart_required"])
        everyone = task_vars["ansible_play_hosts_all"]
        later = everyone[max(everyone.index(member) for member in task_vars["ansible_play_batch"]) + 1 :]
        result.update(
            changed=True, failed=True, healthy=False, msg=_roll.failure(args["component"], host, seen, back, later)
        )
        return result

    def _supervise(self, args, task_vars, **options):
        return self._ask("supervisor_program", dict(options, name=args["name"]), task_vars)

    def _is_synced(self, args, task_vars):
        node = self._ask("node_info", {"url": args["node"]["url"]}, task_vars).get("node") or {}
        return bool(node.get("reachable")) and node.get("syncing") is False

    def _go_back(self, args, task_vars, changed):
        """Put the former definition back and say what became of it."""
        if not changed:
            return "It ran with the same definition before, so there is nothing to put back."
        if not args["revert"]:
            return "Its former definition was not put back, because cluster_revert_on_failure is false."
        kept = args["configuration"]
        if kept:
            module_args = {"src": kept["previous"], "dest": kept["path"], "remote_src": True, "mode": "preserve"}
            answer = self._execute_module(
                module_name="ansible.legacy.copy", module_args=module_args, task_vars=task_vars
            )
            if answer.get("failed"):
                return f"Putting {kept['path']} back as it was failed: {answer['msg'].rstrip('.')}."
        answer = self._supervise(args, task_vars, state="reverted")
        if answer.get("failed"):
            return f"Putting its former definition back failed: {answer['msg'].rstrip('.')}."
        nats = dict(args["nats"], version=None, max_payload=None) if args["nats"] else None
        looked = self._wait(dict(args, at_work=True, nats=nats, nats_stop=None), task_vars, component_health.RECONNECT)
        if looked["problems"]:
            return (
                f"Its former definition was put back, but after {looked['waited_s']} s {'; '.join(looked['problems'])}."
            )
        return "Its former definition was put back, and it is at work again."
