# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nats_first_start
short_description: See to it that a NATS server that was just started gets into the JetStream meta group
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Empty NATS servers that start at nearly the same time can form a JetStream meta group without one of them, or find
    no leader of it. It stays like that, although all have routes to each other, until a server is restarted. Of fresh
    clusters of three servers of version 2.10.26 about one in ten ended like that, of later ones none was seen.
  - Waits until the meta group has all servers. A server that holds no stream is restarted when the group does without
    it for four seconds, as its leader tells; where there is no leader for seven seconds, one server
    is, and every five seconds another, in the order of their names, the last one first. A warning says so.
  - Meant for a server that the run itself has started (M(autonomys.cluster.supervisor_program), C(started)). It fails
    only where the server cannot be restarted; whether all is well tells M(autonomys.cluster.component_health).
options:
  name:
    description: Name of the file of supervised programs of the server.
    type: str
    default: nats-server
  url:
    description: Address of the server's monitoring pages.
    type: str
    default: http://127.0.0.1:8222
  peers:
    description: All servers of the cluster, server name to address.
    type: dict
    required: true
  held:
    description: Names of servers that are kept stopped, and so are not waited for.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds for all of it. Half of that has been enough in every case.
    type: int
    default: 60
attributes:
  check_mode:
    description: Waits for nothing and restarts nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: A server that is in the group is left alone.
    support: full
extends_documentation_fragment:
  - autonomys.cluster.supervisor
seealso:
  - module: autonomys.cluster.component_health
  - module: autonomys.cluster.nats_info
"""

EXAMPLES = r"""
- name: Watch the first start of the NATS server
  autonomys.cluster.nats_first_start:
    peers: {node-1: 192.168.1.1, node-2: 192.168.1.2, node-3: 192.168.1.3}
"""

RETURN = r"""
member:
  description: Whether the meta group has the server at the end, null in check mode.
  returned: always
  type: bool
restarts:
  description: How often the server was restarted.
  returned: always
  type: int
started:
  description: The program that was started last, as M(autonomys.cluster.supervisor_program) returns it; none if the
    server was not restarted.
  returned: always
  type: list
  elements: dict
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import NATS_SERVER
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import ask_server, url_at
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.first_start import watch
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import Nats
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.decide import Request
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.run import Tools, execute

ARGUMENTS = {
    "name": {"type": "str", "default": NATS_SERVER},
    "url": {"type": "str", "default": "http://127.0.0.1:8222"},
    "peers": {"type": "dict", "required": True},
    "held": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 60},
    "config": {"type": "path", "default": "/etc/supervisor/supervisord.conf"},
}
ANSWER_S = 2


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    peers = sorted(params["peers"])
    urls = {name: url_at(params["url"], address) for name, address in params["peers"].items()}
    request = Request(
        params["name"], None, "restarted", None, "now", os.path.abspath(params["config"]), False, wait="none"
    )
    tools = Tools(module.atomic_move, module.warn, module.no_log_values.update)
    started: list[Any] = []

    def ask() -> Nats:
        return ask_server(params["url"], peers, urls, ANSWER_S)

    def restart(why: str) -> None:
        module.warn(f"{params['name']} was started and holds nothing yet, and {why}. So it was restarted.")
        started[:] = execute(request, tools)["started"]

    if module.check_mode:
        module.exit_json(changed=False, member=None, restarts=0, started=[])
    try:
        watched = watch(ask, restart, set(peers) - set(params["held"]), params["timeout"])
    except ProgramError as error:
        module.fail_json(msg=f"{params['name']} could not be restarted: {error}", **error.details)
    module.exit_json(changed=watched.restarts > 0, started=started, **watched._asdict())


if __name__ == "__main__":
    main()
