#!/usr/bin/python
# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring_files
short_description: Write the files that a monitored host, or the host that monitors, needs
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Writes the files that the role P(autonomys.cluster.monitoring#role) wants of a host, all in one execution, by the
    model of M(autonomys.cluster.cluster_model). The collector, the units of systemd that run it, and on the host that
    monitors the alerts, targets and dashboards.
  - A file is replaced as a whole, belongs to root, and its folders are made where they are missing.
options:
  files:
    description:
      - The files. If left out, they are those that the model wants of the host.
    type: list
    elements: dict
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: The content in Base64.
        type: str
        required: true
      mode:
        description: Its mode, in octal digits.
        type: str
        required: true
      group:
        description: The group that owns it.
        type: str
        default: root
      restarts:
        description: The unit of systemd that must restart when the file changes; empty for none.
        type: str
        default: ""
      secret:
        description: Whether no difference of it may be shown.
        type: bool
        default: false
attributes:
  check_mode:
    support: full
    description: Predicts which files would be written.
  diff_mode:
    support: full
    description: Shows the files that are text and hold nothing secret.
  idempotent:
    support: full
    description: A file that is as it should be is left alone.
seealso:
  - module: autonomys.cluster.host_reading_info
"""

EXAMPLES = r"""
- name: Build the cluster's model from the inventory
  ansible.builtin.import_tasks: tasks/model.yml

- name: Write what monitoring needs
  autonomys.cluster.monitoring_files:
  register: __monitoring_files
"""

RETURN = r"""
written:
  description: The paths of the files that were written.
  returned: always
  type: list
  elements: str
  sample: [/usr/local/lib/autonomys/collector.pyz]
restarts:
  description: The units that must restart because of that, each once.
  returned: always
  type: list
  elements: str
  sample: [prometheus.service]
"""

import base64
import binascii
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.place import PlaceError, place

ARGUMENTS = {
    "files": {
        "type": "list",
        "elements": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "mode": {"type": "str", "required": True},
            "group": {"type": "str", "default": "root"},
            "restarts": {"type": "str", "default": ""},
            "secret": {"type": "bool", "default": False},
        },
    },
}


class Module(AnsibleModule):
    """The module, whose argument holds secrets and is in no log and no result."""

    def __init__(self) -> None:
        super().__init__(argument_spec=ARGUMENTS, supports_check_mode=True)

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        """Write nothing to the host's log; C(no_log) of a module is overruled by that of its task."""

    def exit_json(self, **result: Any) -> NoReturn:
        """Return the result."""
        super().exit_json(**result, invocation={"module_args": {}})

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """Return a failure."""
        super().fail_json(msg, **result, invocation={"module_args": {}})


def main() -> None:
    """Run the module."""
    module = Module()
    files = module.params["files"]
    if files is None:
        module.fail_json("files are missing: build the model first, as playbooks/tasks/model.yml does")
    try:
        wanted = [{**file, "content": base64.b64decode(file["content"], validate=True)} for file in files]
        module.exit_json(**place(wanted, module.check_mode))
    except (PlaceError, binascii.Error) as error:
        module.fail_json(str(error))


if __name__ == "__main__":
    main()
