# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: component_programs
short_description: The supervised programs of a component
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Builds the programs of one component from the variables of its role.
  - The roles and the model use the same function, so a command line is written in one place.
positional: component
options:
  _input:
    description: The role's variables and the shared C(cluster_*) variables, by their public names. Texts get their
      types.
    type: dict
    required: true
  component:
    description: The component, named like its role.
    type: str
    required: true
    choices: [nats, node, controller, proof_server, caches, plot_server, plot_client]
  facts:
    description:
      - What was read on the host.
      - C(gpus) is the answer of M(autonomys.cluster.gpu_topology_info), for C(plot_server) and C(proof_server).
      - C(disks) is what M(autonomys.cluster.disk_info) returns as C(disks), for farms with C(sectors=auto).
      - C(host) is what M(autonomys.cluster.host_info) returns as C(host). Its programs tell C(plot_server) the slot of
        a GPU and the NUMA node of a missing one.
    type: dict
    default: {}
"""

EXAMPLES = r"""
programs: "{{ __controller_settings | autonomys.cluster.component_programs('controller') }}"
"""

RETURN = r"""
_value:
  description: Programs in the shape of the option O(autonomys.cluster.supervisor_program#module:programs).
  type: list
  elements: dict
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.module_utils._components import registry
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Facts, Program, Settings
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inputs import typed


def component_programs(settings: Settings, component: str, facts: Facts | None = None) -> list[Program]:
    """Return the programs, with errors as Ansible reports them."""
    try:
        return registry.programs(component, typed(settings), facts)
    except ValueError as error:  # a variable, a plan or a value that supervisord cannot carry; each message says which
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"component_programs": component_programs}
