# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""One step of a roll on one host: restart, look, and go back when it is not healthy.

It is one task, so that a failure is handled on the host where it is, whatever the others of its batch do.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.autonomys.cluster.plugins.module_utils._looking import Looked, Question
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable

from .._lock import process_of_run
from .._looking import RECONNECT, Looker
from .step import failure, refusal


class RestartStep:
    """A step with the arguments of ``component_restart``."""

    def __init__(self, looker: Looker, args: Mapping[str, Any], host: str, later: Sequence[str]) -> None:
        self._looker = looker
        self._args = args
        self._host = host
        self._later = later
        self._question: Question = {
            "component": args["component"],
            "name": args["name"],
            "programs": args["programs"],
            "nats": args["nats"],
            "node": args["node"],
        }

    def run(self) -> dict[str, Any]:
        """Return the result of the task."""
        refused = self._refused()
        if refused:
            return refused
        stop = self._args["state"] == "stopped"
        synced = self._is_synced()
        pending = {} if stop else self._supervise(state="started", restart="never")
        if pending.get("failed"):
            return {"failed": True, "msg": printable(pending["msg"], lines=True)}
        # Some programs are named for a restart by hand only; what is pending is always applied as a whole.
        more = {name: self._args[name] for name in ("only", "nats_stop") if self._args[name]}
        # Not when the run was killed while this waited: another one may have the cluster by now.
        process_of_run()
        done = self._supervise(state=self._args["state"], **more)
        if done.get("refused"):
            return self._refusal(done["refused"])
        told = ("changed", "diff", "programs", "killed", "warnings")
        result: dict[str, Any] = {key: done[key] for key in told if key in done}
        if self._looker.check_mode or stop:
            failed = {"failed": True, "msg": printable(done["msg"], lines=True)} if done.get("failed") else {}
            return dict(result, healthy=False, stopped=stop and not self._args["only"], **failed)
        if done.get("failed"):
            seen = done["msg"]
        else:
            looked = self._wait_until_healthy(synced)
            result.update(looked)
            if looked["healthy"]:
                return result
            seen = f"after {looked['waited_s']} s {'; '.join(looked['problems'])}"
        # What ends here must not be forgotten when the connection is lost meanwhile.
        back = self._go_back(pending["restart_required"])
        message = failure(self._args["component"], self._host, seen, back, self._later)
        return dict(result, changed=True, failed=True, healthy=False, msg=message)

    def _refused(self) -> dict[str, Any] | None:
        """Return the result of a step that must not be made, after waiting until it may."""
        if not self._args["nats_stop"]:
            return None
        looked = self._wait({"component": self._args["component"], "nats_stop": self._args["nats_stop"]})
        return None if looked["healthy"] else self._refusal(looked["problems"])

    def _refusal(self, problems: Sequence[str]) -> dict[str, Any]:
        message = refusal(self._args["component"], self._host, problems)
        if self._looker.check_mode:
            return {"changed": False, "warnings": [message]}
        return {"changed": False, "failed": True, "msg": message}

    def _wait(self, question: Question, patience: int = 0) -> Looked:
        return self._looker.wait(question, self._args["timeout"], self._args["interval"], patience)

    def _wait_until_healthy(self, synced: bool) -> Looked:
        node = self._args["node"]
        question = self._question.copy()
        question["node"] = dict(node, synced=synced) if node else None
        return self._wait(question, RECONNECT)

    def _supervise(self, **options: object) -> dict[str, Any]:
        return self._looker.ask("supervisor_program", dict(options, name=self._args["name"]))

    def _is_synced(self) -> bool:
        """Return whether the node is synced before its restart: then it must be so again."""
        if not self._args["node"]:
            return False
        node = self._looker.ask("node_info", {"url": self._args["node"]["url"]}).get("node") or {}
        return bool(node.get("reachable")) and node.get("syncing") is False

    def _go_back(self, changed: bool) -> str:
        """Put the former definition back and say what became of it."""
        if not changed:
            return "It ran with the same definition before, so there is nothing to put back."
        if not self._args["revert"]:
            return "Its former definition was not put back, because cluster_revert_on_failure is false."
        process_of_run()
        kept = self._args["configuration"]
        if kept:
            copy = {"src": kept["previous"], "dest": kept["path"], "remote_src": True, "mode": "preserve"}
            answer = self._looker.ask("ansible.legacy.copy", copy)
            if answer.get("failed"):
                return f"Putting {kept['path']} back as it was failed: {answer['msg'].rstrip('.')}."
        answer = self._supervise(state="reverted")
        if answer.get("failed"):
            return f"Putting its former definition back failed: {answer['msg'].rstrip('.')}."
        looked = self._wait_until_serving()
        if looked["problems"]:
            return (
                f"Its former definition was put back, but after {looked['waited_s']} s {'; '.join(looked['problems'])}."
            )
        return "Its former definition was put back, and it is at work again."

    def _wait_until_serving(self) -> Looked:
        nats = self._args["nats"]
        question = self._question.copy()
        question["at_work"] = True
        question["nats"] = dict(nats, version=None, max_payload=None) if nats else None
        return self._wait(question, RECONNECT)
