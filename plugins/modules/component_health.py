# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: component_health
short_description: Wait until a component is healthy, or say why it is not
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Asks the applications on the host, not the process table, and compares what they show with what is expected.
  - Waits on the host, and looks again until everything is as expected or O(timeout) is over. The failure names each
    problem with wanted and actual value.
  - In check mode it looks once.
options:
  component:
    description: What is checked, for messages.
    type: str
    required: true
  name:
    description:
      - Name of the file of supervised programs, for O(programs).
      - With O(at_work) its programs are evidence also where O(programs) is empty.
    type: str
  started:
    description:
      - Programs that were started without waiting for their C(startsecs), as M(autonomys.cluster.supervisor_program)
        returns them. One that still is STARTING with this process counts like one that is RUNNING, so that a component
        is healthy as soon as it shows all evidence.
      - If one has ended, the wait ends too, with its exit status and the last lines of its log.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
    suboptions:
      name:
        description: Name of the program.
        type: str
        required: true
      pid:
        description: Process ID.
        type: int
        required: true
      startsecs:
        description: Seconds that it must stay up to count as started.
        type: int
        required: true
  at_work:
    description:
      - Judge only whether the component does its work now, whatever definition it runs with. Only C(connected_any) of
        O(programs) counts then.
      - That is what counts for the other hosts while one restarts, and for a host whose former definition was put back.
    type: bool
    default: false
  nats_servers:
    description: URLs of the NATS servers, for O(at_work) without O(programs).
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds within which the component must become healthy.
    type: int
    required: true
attributes:
  check_mode:
    description: Changes no host, and looks only once.
extends_documentation_fragment:
  - autonomys.cluster.reads
  - autonomys.cluster.component_health
  - autonomys.cluster.component_health.nats_stop
seealso:
  - module: autonomys.cluster.supervisor_program_info
  - module: autonomys.cluster.nats_info
  - module: autonomys.cluster.node_info
"""

EXAMPLES = r"""
- name: Check the controller
  autonomys.cluster.component_health:
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
  description: What is not as expected, one sentence per problem.
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

from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils import _looking
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import masked, secrets_in

ARGUMENTS = {
    **_looking.OPTIONS,
    "started": _looking.STARTED,
    "at_work": {"type": "bool", "default": False},
    "nats_servers": {"type": "list", "elements": "str", "default": []},
}


class Module(AnsibleModule):
    """The module, whose arguments are in no log of the host: the URL of a NATS server can hold a password."""

    def __init__(self) -> None:
        super().__init__(argument_spec=ARGUMENTS, supports_check_mode=True)

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        """Write nothing to the host's log; C(no_log) of a module is overruled by that of its task."""

    def exit_json(self, **result: Any) -> NoReturn:
        """Return the result."""
        super().exit_json(**result, **self._shown())

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """Return a failure."""
        super().fail_json(msg, **result, **self._shown())

    def _shown(self) -> dict[str, Any]:
        """Return the arguments as they may be shown, and hide what is secret in them wherever else it is."""
        arguments = getattr(self, "params", {})
        self.no_log_values.update(secrets_in(arguments))
        return {"invocation": {"module_args": masked(arguments)}}


def main() -> None:
    """Run the module."""
    module = Module()
    params = module.params
    looked = _looking.wait(params, 0 if module.check_mode else params["timeout"], params["interval"])
    if looked["healthy"]:
        module.exit_json(changed=False, **looked)
    problems = "; ".join(looked["problems"])
    message = f"{params['component']} is not healthy after {looked['waited_s']} s: {problems}"
    module.fail_json(printable(message, lines=True), **looked)


if __name__ == "__main__":
    main()
