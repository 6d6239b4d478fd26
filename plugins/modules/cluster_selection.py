# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_selection
short_description: Select what restart.yml and stop.yml act on
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Makes of the variables of C(restart.yml) and C(stop.yml) a selection of components and programs.
  - Refuses an empty selection, programs that no host of the play has, and, for a stop, what would leave a component
    without a host or NATS without a quorum.
  - Which plot servers there are is known from what C(includes/select.yml) has asked the hosts.
  - Runs on the control node and contacts no host.
options:
  verb:
    description: What is to be done.
    type: str
    required: true
    choices: [restart, stop]
  components:
    description: Components, with all their programs.
    type: list
    elements: str
    default: []
  programs:
    description: Supervised programs by their names.
    type: list
    elements: str
    default: []
  gpu_slots:
    description: Slots of plot servers, as in C(autonomys-plot-server-2).
    type: list
    elements: int
    default: []
  everything:
    description: Whether everything may be acted on. Without anything else chosen, all components are.
    type: bool
    default: false
extends_documentation_fragment:
  - autonomys.cluster.reads
"""

EXAMPLES = r"""
- name: Choose what to restart
  autonomys.cluster.cluster_selection:
    verb: restart
    components: [controller]
    gpu_slots: [2]
  run_once: true
"""

RETURN = r"""
selection:
  description: Component to the list of its programs; an empty list is all of them.
  returned: success
  type: dict
  sample: {controller: [], plot_server: [autonomys-plot-server-2]}
"""
