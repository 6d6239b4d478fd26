# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_model
short_description: Derive from the inventory everything that crosses hosts
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Builds the model of the whole cluster from the groups and the inventory variables of all hosts, supplying the
    defaults of the roles.
  - Runs on the control node and contacts no host. Run it once in a playbook, as C(playbooks/tasks/model.yml) does.
  - The model holds every variable of the cluster, secrets too. Run it with C(no_log). It never fails, since nobody
    would see why; RV(error) says it.
options: {}
extends_documentation_fragment:
  - autonomys.cluster.reads
notes:
  - Host variables that the inventory sets win over what is derived from it.
"""

EXAMPLES = r"""
- name: Build the model
  autonomys.cluster.cluster_model:
  register: built
  run_once: true
  no_log: true
"""

RETURN = r"""
error:
  description: Why there is no model, null when there is one.
  returned: always
  type: str
model:
  description: The model.
  returned: always
  type: dict
  contains:
    hosts:
      description:
        - Per host, its C(address), its C(components) in the order of start, and its C(settings), that is all
          C(cluster_*) and role variables.
        - C(asked) is what preflight asks of its disks, the C(folders) with data and the paths of C(farms).
          C(unresolved) has the variables whose templates have no value, and why.
      type: dict
    components:
      description: Per component, its hosts, sorted.
      type: dict
    roll:
      description: Per component, how many of its hosts may restart at once, as a number or a percentage.
      type: dict
    connections:
      description: Who connects to whom, C(component) on C(host) to C(to_component) on C(to_host) at C(port).
      type: list
      elements: dict
"""
