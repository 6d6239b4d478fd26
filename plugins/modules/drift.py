#!/usr/bin/python
# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift
short_description: Fail when the cluster is not what its inventory describes
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Ends C(drift.yml). Prints a line for everything that C(site.yml) would change, and for every component that is not
    healthy, and fails when there is any. Programs that run on schedules, such as AWX, hear of failures only.
  - Judges by what M(autonomys.cluster.host_reading_info) has read in this run, as M(autonomys.cluster.plan) does, so
    that it never says anything else than the plan.
  - Runs on the control node and contacts no host.
options:
  file:
    description: File on the control node that gets the differences as JSON.
    type: path
  fail:
    description: Whether the task fails when something differs. If not, RV(problem) says it.
    type: bool
    default: true
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.plan
  - module: autonomys.cluster.status
notes:
  - Control characters in what hosts sent are shown as V(\\x1b), so that they cannot steer the terminal or forge a row.
"""

EXAMPLES = r"""
- name: Fail when something differs from the inventory
  autonomys.cluster.drift:
    file: drift.json
  run_once: true
"""

RETURN = r"""
problem:
  description: What differs, in a sentence; V(null) when nothing does.
  returned: always
  type: str
differences:
  description: The differences, each with C(host), C(what) and C(difference).
  returned: success
  type: list
  elements: dict
"""
