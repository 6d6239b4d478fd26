# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: health
short_description: Wait until a component is healthy, or say why it is not
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Asks the applications on the host, not the process table, and compares what they show with what is expected.
  - Looks again until everything is as expected or O(timeout) is over. The failure names each problem with wanted and actual value.
  - In check mode it looks once.
options:
  component:
    description: What is checked, for messages.
    type: str
    required: true
  name:
    description:
      - Name of the file of supervised programs, for O(programs).
      - With O(at_work) or O(report_only) its programs are evidence also where O(programs) is empty.
    type: str
  programs:
    description:
      - Evidence expected of supervised programs, as P(autonomys.cluster.expectations#filter) returns it. Each is a dictionary of C(name),
        C(cpus) (a CPU list; the union over all threads must equal it), C(memory_policy), C(environment) (variables whose names begin with
        C(CUDA_) or C(GPU_)), C(listening) (ports), C(connected_any) and C(connected_all) (C(address:port)), C(gpus) (UUIDs held),
        C(gpu_count), C(open_under) (folders in which files are held open), C(stopped) (why the program must not run).
    type: list
    elements: dict
    default: []
  nats:
    description: The NATS server expected on this host.
    type: dict
    suboptions:
      url:
        description: Address of its monitoring pages.
        type: str
        required: true
      peers:
        description: All servers of the cluster, server name to address.
        type: dict
        required: true
      held:
        description: Names of servers that are kept stopped, and so need no route.
        type: list
        elements: str
        default: []
      version:
        description: Version that must run; any if left out.
        type: str
      max_payload:
        description: Largest message, in NATS's notation, as C(3MB); any if left out.
        type: str
  nats_stop:
    description: Before a NATS server is stopped, wait until the others can do without it (M(autonomys.cluster.nats_info), C(safe_to_stop)).
    type: dict
    suboptions:
      url:
        description: Address of its monitoring pages.
        type: str
        required: true
      peers:
        description: All servers of the cluster, server name to address.
        type: dict
        required: true
      max_silence:
        description: Seconds for which the leader of a group may not have heard of a replica that counts for its quorum.
        type: float
        default: 5
      max_lag:
        description: Entries by which a replica that counts for a quorum may be behind its leader.
        type: int
        default: 1000
  node:
    description: The Autonomys node expected on this host.
    type: dict
    suboptions:
      url:
        description: Address of its RPC server.
        type: str
        required: true
      chain:
        description: Chain that it must follow.
        type: str
        required: true
      min_peers:
        description: Peers that it must have at least.
        type: int
        required: true
      synced:
        description: Whether it must be synced. If not, a node that syncs is healthy, because a first sync takes days.
        type: bool
        default: false
  at_work:
    description:
      - Judge only whether the component does its work now, whatever definition it runs with. Of O(programs) only C(connected_any) counts then.
      - That is what matters of the others while one host restarts, and of a host whose former definition was put back.
    type: bool
    default: false
  nats_servers:
    description: URLs of the NATS servers, for O(at_work) without O(programs).
    type: list
    elements: str
    default: []
  report_only:
    description: Look once, and return what is wrong without failing.
    type: bool
    default: false
  timeout:
    description: Seconds within which the component must become healthy.
    type: int
    required: true
  interval:
    description: Seconds between two looks.
    type: int
    default: 2
attributes:
  check_mode:
    description: Changes no host, and looks only once.
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.supervisor_program_info
  - module: autonomys.cluster.nats_info
  - module: autonomys.cluster.node_info
"""

EXAMPLES = r"""
- name: Check the controller
  autonomys.cluster.health:
    component: controller
    name: autonomys-controller
    programs:
      - name: autonomys-controller
        connected_any: ["192.168.1.1:4222"]
        connected_all: ["192.168.1.1:9944"]
    timeout: 120
"""

RETURN = r"""
healthy:
  description: Whether everything is as expected.
  returned: always
  type: bool
problems:
  description: What is not as expected, a sentence each.
  returned: always
  type: list
  elements: str
waited_s:
  description: Seconds until the last look.
  returned: always
  type: int
expected:
  description: What was expected of supervised programs, as in O(programs).
  returned: always
  type: list
  elements: dict
evidence:
  description: What the host showed at the last look, by source (C(programs), C(nats), C(node)).
  returned: always
  type: dict
"""
