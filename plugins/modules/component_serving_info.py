# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: component_serving_info
short_description: Read whether a component does its work on a host now
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Asks the host's application, whatever definition it runs with. Programs must run and be connected to a NATS
    server, a node must answer and be synced, a NATS server must be healthy with a route to every peer.
  - Made for rolling restarts, in which others must be at work while one host restarts
    (M(autonomys.cluster.component_restart_check)).
  - Reads the model of M(autonomys.cluster.cluster_model). A problem is an answer, not a failure.
options:
  component:
    description: The component.
    type: str
    required: true
    choices: [nats, node, controller, proof_server, caches, plot_server, plot_client]
  host:
    description: The host that is asked, for a task that is delegated to it. If left out, the task's own host.
    type: str
  timeout:
    description: Seconds for which to wait until it is at work.
    type: int
    default: 0
  interval:
    description: Seconds between two attempts.
    type: int
    default: 2
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.component_health
"""

EXAMPLES = r"""
- name: Ask whether the controller is at work
  autonomys.cluster.component_serving_info:
    component: controller
"""

RETURN = r"""
component:
  description: The component.
  returned: always
  type: str
host:
  description: The host that was asked.
  returned: always
  type: str
at_work:
  description: Whether the component does its work; V(none) where O(host) cannot be reached.
  returned: always
  type: bool
problems:
  description: Why not, one sentence per problem.
  returned: always
  type: list
  elements: str
  sample: [autonomys-controller has no connection to NATS]
restarts_last:
  description: Whether the host should restart last, because it has the JetStream meta leader.
  returned: always
  type: bool
"""
