# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status
short_description: Print the table of hosts, programs and their health
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Ends C(site.yml) and C(status.yml). Prints one row per supervised program of the cluster, from the health checks of
    this run.
  - Fails when hosts with components were left out of the run, and names them.
  - Runs on the control node and contacts no host.
options:
  strict:
    description:
      - Whether to fail when a program is not healthy or its host could not be read, instead of when hosts were left
        out.
    type: bool
    default: false
  fail:
    description: Whether the task fails when something is wrong. If not, RV(problem) says it.
    type: bool
    default: true
  file:
    description: File on the control node that gets the rows as JSON.
    type: path
    version_added: 0.2.0
  page:
    description:
      - File on the control node that gets the table as an HTML page, what is wrong first, in the style of the plan's
        report. It fits a phone, loads nothing from elsewhere, and loads itself again every minute.
    type: path
    version_added: 0.2.0
extends_documentation_fragment:
  - autonomys.cluster.reads
notes:
  - Control characters in what hosts sent are shown as V(\\x1b), so that they cannot steer the terminal or forge a row.
"""

EXAMPLES = r"""
- name: Print the table of hosts and components
  autonomys.cluster.status:
  run_once: true
"""

RETURN = r"""
problem:
  description: What is wrong, in a sentence; V(null) when nothing is.
  returned: always
  type: str
rows:
  description:
    - The table's rows, each with C(host), C(component), C(program), C(state), C(health) and C(evidence).
    - A failure does not return them, since Ansible would print them a second time below the table.
  returned: success
  type: list
  elements: dict
left_out:
  description: Hosts with components that this run did not touch.
  returned: always
  type: list
  elements: str
"""
