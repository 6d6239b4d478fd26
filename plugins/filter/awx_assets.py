# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: awx_assets
short_description: Describe job templates, workflow, surveys and schedule for AWX
version_added: 0.2.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - Returns all that AWX needs to run the playbooks of this collection, in the variable shape of the collection
    C(infra.aap_configuration).
  - Surveys are derived from the argument specs of the roles and from the comments at the beginning of the playbooks. A
    survey that asks for a variable that does not exist is an error.
options:
  _input:
    description: The variables of role C(awx), under their names.
    type: dict
    required: true
"""

EXAMPLES = r"""
assets: "{{ __awx_inputs | autonomys.cluster.awx_assets }}"
"""

RETURN = r"""
_value:
  description:
    - C(controller_credential_types), C(controller_projects), C(controller_inventories),
      C(controller_inventory_sources), C(controller_notifications), C(controller_templates), C(controller_workflows) and
      C(controller_schedules), each a list.
  type: dict
"""

from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._awx.assets import AssetError, Assets, assets
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inputs import NotConvertible, convert

ROLE = "awx"
UTILITIES = ("benchmark_cache", "export_pieces", "reinitialize_cache", "verify_pieces")


def awx_assets(inputs: Mapping[str, Any]) -> Assets:
    """Return the data, with errors as Ansible reports them."""
    options = role_files.options(ROLE)
    settings = {}
    for name, option in options.items():
        value = inputs.get(name, option.get("default"))
        try:
            settings[name[len(ROLE) + 1 :]] = convert(option, value)
        except NotConvertible as error:
            raise AnsibleFilterError(f"{name} is {value!r}, which is no {option['type']}: {error}") from error
    specs = dict(role_files.all_options())
    for role in UTILITIES:
        specs.update(role_files.options(role))
    try:
        found = assets(settings, {"playbooks": role_files.playbooks(), "specs": specs, "components": list(COMPONENTS)})
    except AssetError as error:
        raise AnsibleFilterError(str(error)) from error
    # AWX fills in the fields of a credential; for Ansible, {{ }} in them is text.
    data: Assets = wrap_var(found)
    return data


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"awx_assets": awx_assets}
