#!/usr/bin/python
# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_lock
short_description: Note on a host which run holds the cluster
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Takes, renews or gives back this host's record of the run that holds the cluster. A run that has the record on more
    than half of the hosts in the group C(nats) holds the cluster (M(autonomys.cluster.cluster_lock_check)), and may
    change it.
  - The record is in C(/run/autonomys), where only root can read and write. It is free 30 minutes after its last
    renewal by the clock of this host, and at once when the process of its run has ended on the same control node.
  - The record counts how often it was taken and given back. Someone who has read the host before taking it learns
    whether another run may have changed something meanwhile.
  - The playbooks of this collection use it in C(playbooks/tasks/take_cluster.yml) and beside it, for each host
    of NATS.
options:
  state:
    description:
      - V(taken) takes the record unless another run has it.
      - V(renewed) says that this run goes on. The record of a run that somebody else took over stays as it is.
      - V(released) gives it back.
    type: str
    required: true
    choices: [taken, renewed, released]
  cluster:
    description: Name of the cluster, for the people who are told of the run.
    type: str
    default: ""
  expected:
    description:
      - Host to the generation of its record that was read before it was decided what to do, as RV(lock.generation)
        returns it.
      - If left out, RV(lock.moved) is V(false). A host that is not in it counts as moved.
    type: dict
  force:
    description: Whether the record is taken from another run. Also a file that is not a record is replaced.
    type: bool
    default: false
  run:
    description: The run. The action plugin of the same name fills it in.
    type: dict
  over:
    description:
      - The generation of a record that is taken although a run has it, since that run has ended. The action plugin of
        the same name fills it in.
    type: str
attributes:
  check_mode:
    description: Says what would become of the record, and writes nothing.
    support: full
  diff_mode:
    description: The record of a run is no setting of the host.
    support: none
  idempotent:
    description: The record of a run is no setting of the host, so that it never counts as changed.
    support: full
seealso:
  - module: autonomys.cluster.cluster_lock_check
"""

EXAMPLES = r"""
- name: Take the record on each host of NATS, one after another in the same order
  autonomys.cluster.cluster_lock:
    state: taken
  delegate_to: "{{ item }}"
  loop: "{{ groups['nats'] | sort(case_sensitive=true) }}"
  # Another run that has one of them would have to give back what it took of the others.
  when: not (__so_far.refused | default(false) or __so_far.skipped | default(false))
  register: __cluster_records
  vars:
    __so_far: "{{ __cluster_records | default({}) }}"
  run_once: true
"""

RETURN = r"""
refused:
  description: Whether another run has the record that this one wants.
  returned: always
  type: bool
lock:
  description: What became of the record.
  returned: always
  type: dict
  contains:
    state:
      description:
        - V(held) when this run has it, V(refused) when another one has it.
        - V(lost) when this run does not have it any more, V(restored) when the host had none (it was started anew).
        - V(free) when it was given back.
        - V(error) when the host could not be reached, or the record not be read or written; C(error) says why.
      type: str
    moved:
      description: Whether another run has had it since O(expected) was read.
      type: bool
    generation:
      description: The generation of the record.
      type: str
      sample: 7b1f2c3e-8d1a-4a57-9a3b-0c8b7f1f6a11/4
    holder:
      description: The run that has it, V(null) for none.
      type: dict
    since:
      description: When that run took it, in seconds since 1970 by the clock of the host.
      type: float
    age_s:
      description: Seconds since it was renewed.
      type: float
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._host.locks import LockError
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import (
    Clock,
    Outcome,
    Record,
    RecordError,
    parse_holder,
    release,
    renew,
    take,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.store import change_record

ARGUMENTS = {
    "state": {"type": "str", "required": True, "choices": ["taken", "renewed", "released"]},
    "cluster": {"type": "str", "default": ""},
    "expected": {"type": "dict"},
    "force": {"type": "bool", "default": False},
    "run": {"type": "dict"},
    "over": {"type": "str"},
}


def execute(params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Do to the record what is wanted and return what became of it."""
    run = parse_holder(params["run"])
    expected = next(iter(params["expected"].values())) if params["expected"] else None

    def decide(record: Record | None, now: Clock) -> Outcome:
        if params["state"] == "taken":
            return take(record, run, now, expected, params["over"], params["force"])
        return (renew if params["state"] == "renewed" else release)(record, run, now)

    return change_record(decide, replace_broken=params["force"] and params["state"] == "taken", check=check)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        lock = execute(module.params, module.check_mode)
    except (LockError, RecordError, OSError) as error:
        lock = {"state": "error", "error": str(error)}
    module.exit_json(changed=False, refused=lock["state"] == "refused", lock=lock)


if __name__ == "__main__":
    main()
