# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Report everything that is wrong with a cluster before anything is changed
version_added: 0.1.0
author: [autonomys.cluster contributors (@autonomys-cluster)]
description:
  - Applies all rules of C(docs/findings.md) to the model that M(autonomys.cluster.cluster_model) built and to what
    C(playbooks/preflight.yml) read on the hosts of the play, and prints one table.
  - Fails once, after the table, when there are errors that stop the run.
  - Runs on the control node and contacts no host. Run it once in a play.
options:
  strict:
    description:
      - Whether every error stops the run. With V(false), only errors of the inventory and of hosts with NATS servers,
        nodes or controllers do; other hosts with errors are left out.
    type: bool
    default: true
  stop:
    description: Whether the module fails when errors stop the run. With V(false), they are only shown and returned,
      which a plan needs.
    type: bool
    default: true
  file:
    description: File on the control node that the findings are written to, as JSON.
    type: path
  query:
    description:
      - A JMESPath expression. What it selects from the findings is written to O(file), or shown without O(file).
      - Needs the Python library jmespath on the control node.
    type: str
attributes:
  check_mode:
    description: Changes no host. O(file) is written in check mode too.
extends_documentation_fragment:
  - autonomys.cluster.reads
notes:
  - Findings that C(cluster_accept) names on all their hosts are shown as accepted and never fail, except for errors
    of the inventory.
"""

EXAMPLES = r"""
- name: Report everything that is wrong
  autonomys.cluster.preflight:
    query: "[?severity=='error'].message"
  register: result
  run_once: true
"""

RETURN = r"""
problem:
  description: Why the run must not go on, in a sentence; V(null) when it may.
  returned: unless the module fails
  type: str
findings:
  description: All findings, sorted by severity and host.
  returned: unless the module fails
  type: list
  elements: dict
  contains:
    rule:
      description: Stable id of the rule.
      type: str
      sample: NATS001
    severity:
      description: V(error), V(warning) or V(info).
      type: str
    hosts:
      description: The hosts concerned, sorted; empty when the finding is about the cluster as a whole.
      type: list
      elements: str
    component:
      description: The component concerned, V(inventory) or V(host).
      type: str
    message:
      description: What is wrong, with the actual values.
      type: str
    remedy:
      description: What to do about it.
      type: str
    accepted:
      description: Whether C(cluster_accept) names the rule on all hosts concerned.
      type: bool
ready:
  description: The hosts that may be changed, sorted.
  returned: unless the module fails
  type: list
  elements: str
left_out:
  description: The hosts that must not be changed, each with the rules that say so.
  returned: unless the module fails
  type: dict
  sample: {storage-2: [DISK001]}
orphans:
  description: Per host the files of supervised programs, without their ending, that belong to components whose group
    the host has left.
  returned: unless the module fails
  type: dict
  sample: {storage-2: [autonomys-plot-client]}
stopping:
  description: The findings that stop the run, in the shape of RV(findings).
  returned: unless the module fails
  type: list
  elements: dict
selected:
  description: What O(query) selected.
  returned: when O(query) is given, unless the module fails
  type: raw
"""
