# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: component_health
short_description: Wait until a component is healthy, or say why it is not
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Asks the applications on the host, not the process table, and compares what they show with what is expected.
  - Looks again until everything is as expected or O(timeout) is over. The failure names each problem with wanted and
    actual value.
  - In check mode it looks once.
options:
  component:
    description: What is checked, for messages.
    type: str
    required: true
  name:
    description:
      - Name of the file of supervised programs, for O(programs).
      - With O(at_work) or O(report_only) its programs are evidence also where O(programs) is empty.
    type: str
  at_work:
    description:
      - Judge only whether the component does its work now, whatever definition it runs with. Only C(connected_any) of
        O(programs) counts then.
      - That is what counts for the other hosts while one restarts, and for a host whose former definition was put back.
    type: bool
    default: false
  nats_servers:
    description: URLs of the NATS servers, for O(at_work) without O(programs).
    type: list
    elements: str
    default: []
  report_only:
    description: Look once, and return what is wrong without failing.
    type: bool
    default: false
  timeout:
    description: Seconds within which the component must become healthy.
    type: int
    required: true
attributes:
  check_mode:
    description: Changes no host, and looks only once.
extends_documentation_fragment:
  - autonomys.cluster.reads
  - autonomys.cluster.component_health
seealso:
  - module: autonomys.cluster.supervisor_program_info
  - module: autonomys.cluster.nats_info
  - module: autonomys.cluster.node_info
"""

EXAMPLES = r"""
- name: Check the controller
  autonomys.cluster.component_health:
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
  description: Whether everything is as expected.
  returned: always
  type: bool
problems:
  description: What is not as expected, one sentence per problem.
  returned: always
  type: list
  elements: str
waited_s:
  description: Seconds until the last look.
  returned: always
  type: int
expected:
  description: What was expected of supervised programs, as in O(programs).
  returned: always
  type: list
  elements: dict
evidence:
  description: What the host showed at the last look, by source (C(programs), C(nats), C(node)).
  returned: always
  type: dict
"""
