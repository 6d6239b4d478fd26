# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_info
short_description: Ask an autonomys-node for its chain, peers and state of synchronization
version_added: 0.1.0
description:
  - Asks the JSON-RPC server of an C(autonomys-node) and returns what it says about itself.
  - The node serves WebSocket and HTTP on one port, so a C(ws://) URL is asked by HTTP on the same address.
  - A node that cannot be reached is an answer (RV(node.reachable) is V(false)), not a failure of the task.
  - Only safe RPC methods are used and proxies of the environment are ignored.
options:
  url:
    description: URL of the node's RPC server, C(http://HOST:PORT) or C(ws://HOST:PORT), or their TLS forms.
    type: str
    default: http://127.0.0.1:9944
  timeout:
    description: Seconds for each question and its whole answer.
    type: int
    default: 5
  archive:
    description: Also check whether the node still has the body of the chain's first block (RV(node.archive)).
    type: bool
    default: false
extends_documentation_fragment:
  - autonomys.cluster.reads
seealso:
  - module: autonomys.cluster.nats_info
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Wait until the node serves its RPC and has peers
  autonomys.cluster.node_info:
    url: http://127.0.0.1:9944
  register: result
  until: result.node.reachable and (result.node.peers or 0) > 0
  retries: 30
  delay: 2
"""

RETURN = r"""
node:
  description: What the node says about itself. A value that it did not return is V(null).
  returned: always
  type: dict
  contains:
    reachable:
      description: Whether the RPC server answered.
      type: bool
    error:
      description: >-
        Why the node could not be asked, which of the questions it refused, or which values cannot be; V(null) when all
        were answered.
      type: str
      sample: null
    chain:
      description: Name of the chain.
      type: str
      sample: Autonomys Mainnet
    version:
      description: Version of the node.
      type: str
    peers:
      description: Number of connected peers.
      type: int
      sample: 40
    syncing:
      description: Whether the node is still catching up with the network.
      type: bool
    best:
      description: Number of the node's best block.
      type: int
    target:
      description: Number of the highest block that the node knows of.
      type: int
    pieces_in_sector:
      description: Pieces in a sector that a farmer plots on this chain.
      type: int
      sample: 1000
    history_segments:
      description: Segments of archived history, 256 pieces each.
      type: int
    archive:
      description: >-
        Whether the node has the body of the chain's first block, as only one with full sync and archive pruning does;
        V(null) without O(archive).
      type: bool
    genesis_hash:
      description: Hash of the chain's first block in hex with a leading 0x.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._node_rpc import ask_node

ARGUMENTS = {
    "url": {"type": "str", "default": "http://127.0.0.1:9944"},
    "timeout": {"type": "int", "default": 5},
    "archive": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    module.exit_json(changed=False, node=ask_node(params["url"], params["timeout"], params["archive"]))


if __name__ == "__main__":
    main()
