# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: component_restart_check
short_description: Refuse to restart a host that the others cannot do without
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Before a host of a component restarts in a rolling restart, judges by what the others have just answered
    (M(autonomys.cluster.component_serving_info)) whether they are at work.
  - For C(node), C(controller) and C(proof_server) one other host must be at work; for C(caches) and C(plot_client)
    all others; for C(plot_server) hosts that are not at work count as part of C(plot_server_roll). NATS servers are
    asked themselves, see M(autonomys.cluster.component_health).
  - A component's only host may always restart, and so may a host that is not at work itself. Hosts on which the
    component is kept stopped do not count.
  - Runs on the control node and contacts no host. In check mode a refusal is a warning.
options:
  component:
    description: The component.
    type: str
    required: true
    choices: [nats, node, controller, proof_server, caches, plot_server, plot_client]
  others:
    description: Answers of M(autonomys.cluster.component_serving_info) of the component's other hosts, asked right
      before. A host without one counts neither as at work nor as away.
    type: list
    elements: dict
    required: true
attributes:
  check_mode:
    description: Changes no host. A refusal is a warning then.
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.component_serving_info
"""

EXAMPLES = r"""
- name: Ask the other host
  autonomys.cluster.component_serving_info:
    component: controller
    host: node-2
  delegate_to: node-2
  register: other

- name: Ask whether the other one can do without this host
  autonomys.cluster.component_restart_check:
    component: controller
    others: ["{{ other }}"]
"""

RETURN = r"""
problems:
  description: Why the host must not be restarted now, one sentence per reason.
  returned: always
  type: list
  elements: str
  sample: ["no other controller is at work (node-2: autonomys-controller is BACKOFF)"]
"""
