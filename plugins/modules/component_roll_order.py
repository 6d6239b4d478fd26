# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: component_roll_order
short_description: Put the hosts of a rolling restart in order
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Tells in which order the hosts of the group C(cluster_roll_<component>) restart and how many of them at once, by
    the model of M(autonomys.cluster.cluster_model) and what the hosts told in this run
    (M(autonomys.cluster.component_serving_info)).
  - Names the hosts that are asked before each step, those that the run leaves alone too.
  - Runs on the control node and contacts no host. Run it once in a play.
options:
  component:
    description: The component.
    type: str
    required: true
    choices: [nats, node, controller, proof_server, caches, plot_server, plot_client]
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.component_serving_info
  - module: autonomys.cluster.component_restart_check
"""

EXAMPLES = r"""
- name: Put the hosts in order
  autonomys.cluster.component_roll_order:
    component: nats
  run_once: true
"""

RETURN = r"""
roll:
  description: The roll.
  returned: always
  type: dict
  contains:
    hosts:
      description: The hosts sorted, with the one that has the JetStream meta leader last.
      type: list
      elements: str
    serial:
      description: How many of them restart at once, by C(<component>_roll).
      type: int
    members:
      description: The hosts that are asked whether they are at work before a host restarts, without those on which the
        component is kept stopped. None for NATS servers, which answer for each other.
      type: list
      elements: str
    one_is_enough:
      description: Whether one of them that is at work is enough, so that no more of them are asked.
      type: bool
  sample: {hosts: [node-1, node-3, node-2], serial: 1, members: [], one_is_enough: false}
"""
