#!/usr/bin/python
# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan_approval
short_description: Fail unless a run would do what was approved
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Compares the id of a plan, as M(autonomys.cluster.plan) prints it, with what the hosts have told in this run.
    C(site.yml) begins with it when C(cluster_plan_id) is given, so that nothing happens that nobody has approved.
  - The id is the same as long as the same things would happen on the same hosts. Other things may change meanwhile,
    such as the leader of NATS, or how full a disk is.
  - Values that look like secrets are masked in plans, so another secret alone makes no other id.
  - Runs on the control node and contacts no host.
options:
  id:
    description: The id of the plan that was approved.
    type: raw
    required: true
  verdicts:
    description: The C(verdicts) of that plan, where they are at hand. The message then says what differs.
    type: raw
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.plan
"""

EXAMPLES = r"""
- name: Stop unless what would happen now is what was approved
  autonomys.cluster.plan_approval:
    id: plan-0123456789abcdef
  run_once: true
"""

RETURN = r"""
id:
  description: The id of what would happen now.
  returned: always
  type: str
  sample: plan-0123456789abcdef
"""
