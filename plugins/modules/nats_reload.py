# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nats_reload
short_description: Let a running NATS server take its new configuration, or put the former one back
version_added: 0.1.0
description:
  - Sends the server the signal to read its configuration again, and waits until it has.
  - >-
    supervisord sends the signal, because it knows the process. The server's own file with the number of its process is
    not used: the server's account could write any number into it.
  - >-
    A server that cannot take one setting at run time refuses the whole file. Then the former file is put back, the
    server runs on with it, and the task fails with the reason from the server's log.
options:
  name:
    description: Name of the supervised program.
    type: str
    default: nats-server
  path:
    description: The configuration that the server is to take.
    type: path
    default: /etc/nats-server.conf
  running:
    description:
      - Copy of the configuration that the server has read.
      - It becomes a copy of O(path) when the server takes that.
    type: path
    default: /etc/nats-server.conf.running
  url:
    description: URL of the server's monitoring port, where it tells when it has read its configuration.
    type: str
    default: http://127.0.0.1:8222
  timeout:
    description: Seconds within which the server must have read it.
    type: int
    default: 10
attributes:
  check_mode:
    description: Predicts the change and sends no signal.
    support: full
  diff_mode:
    description: What differs is in the file, which another task has written.
    support: none
  idempotent:
    description: Each run sends the signal.
    support: none
extends_documentation_fragment:
  - autonomys.cluster.supervisor
seealso:
  - module: autonomys.cluster.nats_info
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Let the running NATS server take its new configuration
  autonomys.cluster.nats_reload:
    url: http://127.0.0.1:8222
"""

RETURN = r"""
config_load_time:
  description: When the server has read its configuration, in its own notation; V(null) in check mode.
  returned: success
  type: str
  sample: "2026-01-02T03:04:05.678901234Z"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import NATS_SERVER
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.ask import config_load_time
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.reload import ReloadError, reload
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon import read_settings
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import Supervisor, SupervisorError

ARGUMENTS = {
    "name": {"type": "str", "default": NATS_SERVER},
    "path": {"type": "path", "default": "/etc/nats-server.conf"},
    "running": {"type": "path", "default": "/etc/nats-server.conf.running"},
    "url": {"type": "str", "default": "http://127.0.0.1:8222"},
    "timeout": {"type": "int", "default": 10},
    "config": {"type": "path", "default": "/etc/supervisor/supervisord.conf"},
}


def execute(params: dict[str, Any]) -> str:
    """Reload the server and return when it has read its configuration."""
    settings = read_settings(params["config"])
    if settings is None:
        raise ReloadError(f"there is no {params['config']}, so no supervisord that could signal {params['name']}")
    supervisor = Supervisor(settings.socket, settings.username, settings.password)
    log = supervisor.process(params["name"])["stdout_logfile"]
    return reload(
        load_time=lambda: config_load_time(params["url"]),
        signal=lambda: supervisor.call("signalProcess", params["name"], "HUP"),
        log=log,
        path=params["path"],
        running=params["running"],
        patience=params["timeout"],
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        loaded = None if module.check_mode else execute(module.params)
    except (ReloadError, ConfError, SupervisorError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"the configuration of {module.params['name']} cannot be kept: {error}")
    module.exit_json(changed=True, config_load_time=loaded)


if __name__ == "__main__":
    main()
