# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is expected of a component that is looked at."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that say what healthy means."""

    DOCUMENTATION = r"""
options:
  programs:
    description:
      - Evidence expected of supervised programs, as P(autonomys.cluster.component_expectations#filter) returns it.
        Each is a dictionary of C(name), C(cpus) (a CPU list; the union over all threads must equal it),
        C(memory_policy), C(environment) (variables whose names begin with C(CUDA_) or C(GPU_)), C(listening) (ports),
        C(connected_any) and C(connected_all) (C(address:port)), C(gpus) (UUIDs held), C(gpu_count), C(open_under)
        (folders in which files are held open), C(stopped) (why the program must not run).
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
        description: Size of the largest message, in NATS's notation, such as C(3MB); any if left out.
        type: str
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
        description: Number of peers that it must have at least.
        type: int
        required: true
      synced:
        description: Whether it must be synced in any case. If not, a node that syncs is healthy, because a first sync
          takes days.
        type: bool
        default: false
  interval:
    description: Seconds between two looks at most. The first ones follow each other faster.
    type: int
    default: 2
"""

    # For what stops, too.
    NATS_STOP = r"""
options:
  nats_stop:
    description: Before a NATS server is stopped, ask it whether the others can do without it
      (M(autonomys.cluster.nats_info), C(safe_to_stop)).
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
        description: A replica counts for its group's quorum if the leader has heard of it within so many seconds.
        type: float
        default: 5
      max_lag:
        description: A replica counts for its group's quorum if it is at most so many entries behind its leader.
        type: int
        default: 1000
"""
