# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: component_restart
short_description: Restart supervised programs and wait until they are healthy, or put back what ran before
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - One step of a rolling restart on one host. Asks whether the host can be spared (O(nats_stop)), applies what is
    pending of a file of programs (M(autonomys.cluster.supervisor_program)), and waits until the component is healthy
    (M(autonomys.cluster.component_health)).
  - If a program does not stay up or the component is not healthy within O(timeout), and what was applied is a new
    definition, the former one is put back and checked again. The task fails in either case, and says what was seen,
    what runs now, and what was not restarted.
  - A node that was synced before its restart must be synced again.
  - In check mode it says what would restart.
options:
  component:
    description: What restarts, for messages.
    type: str
    required: true
  name:
    description: Name of the file of supervised programs.
    type: str
    required: true
  state:
    description: V(started) applies what is pending, V(restarted) restarts every program of the file, V(stopped) stops
      them.
    type: str
    choices: [started, restarted, stopped]
    default: started
  only:
    description: Programs that are restarted or stopped; all if left out.
    type: list
    elements: str
  configuration:
    description: A configuration file of the programs that belongs to their definition and is put back with it.
    type: dict
    suboptions:
      path:
        description: The file.
        type: path
        required: true
      previous:
        description: A copy of what the running programs have read.
        type: path
        required: true
  revert:
    description: Whether the former definition is put back.
    type: bool
    default: true
  timeout:
    description: Seconds within which the host must become free to restart, then healthy, and after a failure at work
      again.
    type: int
    required: true
attributes:
  check_mode:
    description: Can run in check mode and change nothing.
    support: full
  diff_mode:
    description: Returns what has changed.
    support: full
  idempotent:
    description: V(started) applies what is pending and then changes nothing more. V(restarted) restarts every time.
    support: partial
extends_documentation_fragment:
  - autonomys.cluster.component_health
  - autonomys.cluster.component_health.nats_stop
seealso:
  - module: autonomys.cluster.supervisor_program
  - module: autonomys.cluster.component_health
"""

EXAMPLES = r"""
- name: Restart the controller, or put its former definition back
  autonomys.cluster.component_restart:
    component: controller
    name: autonomys-controller
    programs:
      - name: autonomys-controller
        connected_any: ["192.168.1.1:4222"]
        connected_all: ["192.168.1.1:9944"]
    timeout: 120
"""

RETURN = r"""
healthy:
  description: Whether everything is as expected after the restart.
  returned: not in check mode
  type: bool
problems:
  description: What is not as expected, one sentence per problem.
  returned: not in check mode, and when the programs stayed up
  type: list
  elements: str
waited_s:
  description: Seconds until the last look.
  returned: not in check mode, and when the programs stayed up
  type: int
expected:
  description: What was expected of supervised programs.
  returned: not in check mode, and when the programs stayed up
  type: list
  elements: dict
evidence:
  description: What the host showed at the last look, by source (C(programs), C(nats), C(node)).
  returned: not in check mode, and when the programs stayed up
  type: dict
stopped:
  description: Whether all programs of the file were stopped.
  returned: with O(state=stopped), and in check mode
  type: bool
programs:
  description: The programs after the restart, as M(autonomys.cluster.supervisor_program) returns them.
  returned: when supervisord was asked
  type: list
  elements: dict
killed:
  description: Programs that did not end within their C(stopwaitsecs) and were killed.
  returned: when supervisord was asked
  type: list
  elements: str
"""
