# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Show what would run where, what would change, in which steps and how long that takes
version_added: 0.1.0
author: [autonomys.cluster contributors (@autonomys-cluster)]
description:
  - Ends C(playbooks/plan.yml). Prints the plan, from what preflight read of the hosts and what the roles answered in
    check mode.
  - With C(-v) the text includes the command of every program.
  - Runs on the control node and contacts no host. Run it once per play.
options:
  file:
    description: File on the control node to which the plan is written as JSON. It is written in check mode too.
    type: path
  report:
    description:
      - File on the control node to which a report with pictures is written. It is written in check mode too.
      - The report is one HTML page without scripts that loads nothing from anywhere.
    type: path
extends_documentation_fragment:
  - autonomys.cluster.reads
notes:
  - Values of environment variables and of arguments whose names look like a password or a token are masked.
  - Control characters in what hosts sent are shown as V(\\x1b), so that they cannot steer the terminal.
"""

EXAMPLES = r"""
- name: Tell what would run where and what would change
  autonomys.cluster.plan:
    file: plan.json
    report: report.html
  run_once: true
"""

RETURN = r"""
plan:
  description: The plan, as it is written to O(file).
  returned: always
  type: dict
  contains:
    format:
      description: Changes when a key of the plan changes its meaning.
      type: int
      sample: 1
    id:
      description:
        - The same as long as the same things would happen on the same hosts. C(site.yml) takes it as
          C(cluster_plan_id).
      type: str
      sample: plan-0123456789abcdef
    verdicts:
      description: For each host what is concerned (a program, or what the host needs) and what would happen to it.
      type: dict
    summary:
      description:
        - Hosts, programs, changes and findings in numbers.
        - C(at_least_s) and C(at_most_s) are the seconds that all steps take.
      type: dict
    steps:
      description:
        - What happens to programs, one step after another.
        - Each has C(component), C(kind) (V(stop), V(start), V(reload) or V(restart)), C(batches) (lists of hosts that
          change at the same time), the number of C(programs), C(at_least_s), C(at_most_s), and what the time of a batch
          is C(made_of).
      type: list
      elements: dict
    versions:
      description:
        - For each software that changes its version C(from), C(to), and for how long both run (C(at_least_s),
          C(at_most_s)).
      type: list
      elements: dict
    hosts:
      description:
        - For each host its C(address), C(components), C(state) (V(ready), V(left out), V(unreachable), V(not read),
          V(no component)) and C(why); what is still to C(prepare) and to C(install); C(errors) that keep parts of the
          plan from being known.
        - C(programs), each with C(component), C(name), C(command), C(environment), C(cpus), C(ports), C(log), its
          C(state) now, the C(change) (V(start), V(restart), V(stop), V(reload), V(none), V(unknown)) and its C(reason).
        - C(gpus) with the cores of each GPU and why, and the C(block) of C(plot_server_gpus) to add to the inventory.
        - C(farms) with the bytes and sectors of each disk.
      type: dict
    connections:
      description:
        - Which component talks to which on which port, with the numbers of C(hosts), C(to_hosts) and connecting
          C(programs).
      type: list
      elements: dict
    findings:
      description: The findings of preflight.
      type: list
      elements: dict
    stopping:
      description: Rules whose findings stop C(site.yml) before anything changes.
      type: list
      elements: str
    notes:
      description: Consequences worth knowing, one sentence each.
      type: list
      elements: str
    meta_leader:
      description: The host of the NATS meta leader now, which restarts last; V(null) when unknown.
      type: str
    wanted:
      description: The versions that the inventory wants, per software.
      type: dict
"""
