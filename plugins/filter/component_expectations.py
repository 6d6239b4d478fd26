# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: component_expectations
short_description: The evidence that a healthy component shows
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - For every supervised program of a component, what M(autonomys.cluster.component_health) must find on the host.
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
    description: What was read on the host, as for P(autonomys.cluster.component_programs#filter).
    type: dict
    default: {}
"""

EXAMPLES = r"""
expected: "{{ __controller_settings | autonomys.cluster.component_expectations('controller') }}"
"""

RETURN = r"""
_value:
  description: Expectations in the shape of the option O(autonomys.cluster.component_health#module:programs).
  type: list
  elements: dict
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.module_utils._components import registry
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Expectation, Facts, Settings
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inputs import typed


def component_expectations(settings: Settings, component: str, facts: Facts | None = None) -> list[Expectation]:
    """Return the expectations, with errors as Ansible reports them."""
    try:
        return registry.expectations(component, typed(settings), facts)
    except ValueError as error:  # a variable, a plan or a value that supervisord cannot carry; each message says which
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"component_expectations": component_expectations}
