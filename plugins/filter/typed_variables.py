# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: typed_variables
short_description: Give variables the types of the roles' argument specs
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Ansible validates the variables of a role by its argument specs and leaves them as they were written. From an INI
    inventory, from C(-e key=value) and from a survey come texts, and the text V(false) is true.
  - Converts each variable to the type that its role declares. Lists may be texts with commas, and lists and maps
    texts in YAML or JSON.
  - A value that cannot have its type, and a variable that no role of a component declares, is returned as it is.
options:
  _input:
    description: Variables of component roles by their names.
    type: dict
    required: true
"""

EXAMPLES = r"""
settings: "{{ {'node_rpc_port': '9944', 'controller_tmp': 'false'} | autonomys.cluster.typed_variables }}"
# settings: {node_rpc_port: 9944, controller_tmp: false}
"""

RETURN = r"""
_value:
  description: The variables with their types.
  type: dict
"""

from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inputs import typed


def typed_variables(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables with their types, with errors as Ansible reports them."""
    if not isinstance(settings, Mapping):
        raise AnsibleFilterError(f"typed_variables needs a map of variables, not {type(settings).__name__}")
    return typed(settings)


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"typed_variables": typed_variables}
