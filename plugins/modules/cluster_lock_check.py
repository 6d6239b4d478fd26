# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_lock_check
short_description: Judge whether this run holds the cluster
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Tells by the answers of M(autonomys.cluster.cluster_lock) on all hosts of NATS whether this run holds the cluster,
    and so may change it. More than half of the records must be its own, and a host that cannot be reached has none.
  - Never fails, since a run that does not hold the cluster first gives back what is left of its records.
  - Runs on the control node and contacts no host. Run it once in a play.
options:
  state:
    description: Whether the records were to be taken or renewed.
    type: str
    required: true
    choices: [taken, renewed]
  answers:
    description: The results of M(autonomys.cluster.cluster_lock) in a loop over the hosts.
    type: list
    elements: dict
    required: true
  force:
    description: Whether to go on with too few records, as long as none is another run's.
    type: bool
    default: false
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.cluster_lock
"""

EXAMPLES = r"""
- name: Judge whether this run holds the cluster
  autonomys.cluster.cluster_lock_check:
    state: taken
    answers: "{{ __cluster_records.results }}"
  register: __cluster_lock
  run_once: true
"""

RETURN = r"""
held:
  description: Whether this run holds the cluster.
  returned: always
  type: bool
moved:
  description: Whether another run may have changed something after the hosts were read.
  returned: always
  type: bool
take_back:
  description: The hosts whose records this run must give back because it does not hold the cluster.
  returned: always
  type: list
  elements: str
message:
  description: Why this run does not hold the cluster, who does, and the way out. Empty when it does.
  returned: always
  type: str
  sample: >-
    Nothing was changed: the cluster is held by alice on control-1 (process 4711) with site.yml since
    2026-01-31 12:00:00 UTC, renewed 41 s ago. …
"""
