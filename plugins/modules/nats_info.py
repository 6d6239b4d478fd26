# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nats_info
short_description: Read the state of a NATS server and whether it may be stopped now
version_added: 0.1.0
description:
  - Asks the HTTP monitoring port of a NATS server for its health, routes, JetStream meta group and raft groups.
  - >-
    RV(nats.safe_to_stop) is V(true) only when this server can be taken away without harm: every configured peer is
    routed, there is a meta leader, the server is healthy itself, and each raft group that it is in keeps a quorum of
    current replicas without it. A replica that its leader has not heard of for O(max_silence), or that is more than
    O(max_lag) behind, does not count. With one or two servers it is never safe. Streams with one replica are reported
    in RV(nats.unreplicated) and do not count.
  - >-
    Only the leader of a raft group knows how current the others are, so the monitoring ports of the servers that lead
    one of this server's groups are asked too.
  - A server that cannot be reached is an answer (RV(nats.reachable) is V(false)), not a failure of the task.
  - Proxies of the environment are ignored.
options:
  url:
    description: URL of the server's monitoring port.
    type: str
    default: http://127.0.0.1:8222
  peers:
    description:
      - The C(server_name) of all servers of the cluster, this one included.
      - Without it, the servers that are routed now are taken for all, so a missing one cannot be noticed.
    type: list
    elements: str
  peer_urls:
    description:
      - URLs of the monitoring ports of other servers by C(server_name).
      - A peer that is not named is asked at the address of its route and the port of O(url).
      - A server that is none of O(peers) is never asked.
    type: dict
    default: {}
  max_silence:
    description: >-
      Seconds for which the leader of a group may not have heard of a replica that counts. Heartbeats come every second.
    type: float
    default: 5
  max_lag:
    description: A replica counts if it is at most so many entries (for a stream, messages) behind its leader.
    type: int
    default: 1000
  timeout:
    description: Seconds for each question and its whole answer. All questions together take at most ten times as long.
    type: int
    default: 5
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.node_info
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Wait until this server may be stopped
  autonomys.cluster.nats_info:
    peers: [node-1, node-2, node-3]
  register: result
  until: result.nats.safe_to_stop
  retries: 30
  delay: 2
"""

RETURN = r"""
nats:
  description: The server as it is now. A value that is not known is V(null).
  returned: always
  type: dict
  contains:
    reachable:
      description: Whether the monitoring port answered.
      type: bool
    error:
      description: Why the server, or one of its answers, could not be read.
      type: str
      sample: null
    server_name:
      description: The server's name.
      type: str
      sample: node-1
    cluster_name:
      description: Name of the cluster that the server belongs to.
      type: str
      sample: autonomys
    version:
      description: Version of the server.
      type: str
      sample: 2.12.8
    config_load_time:
      description: When the server read its configuration, at its start or at a reload, in the server's own notation.
      type: str
      sample: "2026-01-02T03:04:05.678901234Z"
    healthy:
      description: Whether the full C(/healthz) is ok.
      type: bool
    health_error:
      description: What C(/healthz) says is wrong, V(null) when it is healthy.
      type: str
      sample: null
    max_payload:
      description: Largest message in bytes.
      type: int
      sample: 3145728
    jetstream:
      description: Whether JetStream is enabled.
      type: bool
    store_dir:
      description: Folder of JetStream's data. The server appends C(/jetstream) to the configured one.
      type: str
      sample: /var/lib/nats/jetstream
    store_bytes:
      description: Bytes of JetStream's files, V(null) when it does not tell.
      type: int
    store_max_bytes:
      description: Bytes that JetStream's files may take, V(null) when it does not tell.
      type: int
    routes:
      description: Names of the servers with a route to this one, sorted, each once.
      type: list
      elements: str
      sample: [node-2, node-3]
    meta_leader:
      description: Name of the leader of the JetStream meta group as this server knows it, V(null) when there is none.
      type: str
      sample: node-1
    meta_size:
      description: Number of servers in the meta group, including servers that are gone but not removed.
      type: int
      sample: 3
    meta_replicas:
      description:
        - The other members of the meta group as its leader sees them, sorted by name.
        - Empty when the leader is unknown or could not be asked.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the server.
          type: str
        current:
          description: Whether it has everything that the leader has.
          type: bool
        offline:
          description:
            - Whether it is known to be gone.
            - One that is gone stays C(current) for ten seconds, and one that was killed is not C(offline) at first.
          type: bool
        lag:
          description: Number of entries that it is behind.
          type: int
        active:
          description: Seconds since the leader heard of it.
          type: float
    streams:
      description: How many streams the server holds.
      type: int
    unreplicated:
      description: Streams and consumers of this server that have no replica elsewhere, with their accounts, sorted.
      type: list
      elements: str
      sample: ["stream $G/example"]
    slow_consumers:
      description: Clients that were dropped since the server started because they did not keep up.
      type: int
    connections:
      description: Number of connected clients.
      type: int
    safe_to_stop:
      description: Whether the server may be stopped without losing a quorum.
      type: bool
    reasons:
      description: Why it may not be stopped, at most 20 sentences and the number of the rest. Empty when it may.
      type: list
      elements: str
      sample: ["there is no route between node-1 and node-3"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import ask_server
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.quorum import MAX_LAG, MAX_SILENCE, Thresholds

ARGUMENTS = {
    "url": {"type": "str", "default": "http://127.0.0.1:8222"},
    "peers": {"type": "list", "elements": "str"},
    "peer_urls": {"type": "dict", "default": {}},
    "max_silence": {"type": "float", "default": MAX_SILENCE},
    "max_lag": {"type": "int", "default": MAX_LAG},
    "timeout": {"type": "int", "default": 5},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    thresholds = Thresholds(params["max_silence"], params["max_lag"])
    nats = ask_server(params["url"], params["peers"], params["peer_urls"], params["timeout"], thresholds)
    module.exit_json(changed=False, nats=nats)


if __name__ == "__main__":
    main()
