# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the cluster's model from the inventory, on the control node."""

from __future__ import annotations

import os

import yaml
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import PREFIXES, build_model

ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "roles")


def read_defaults(role):
    """The defaults of a role as its file has them, templates unresolved."""
    with open(os.path.join(ROLES, role, "defaults", "main.yml"), encoding="utf-8") as file:
        return yaml.safe_load(file) or {}


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset()

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        groups = {group: list(hosts) for group, hosts in task_vars["groups"].items()}
        hostvars = task_vars["hostvars"]
        read = {host: inventory_variables(hostvars[host]) for host in groups["all"]}
        variables = {host: values for host, (values, _unresolved) in read.items()}
        role_defaults = {role: read_defaults(role) for role in ("common",) + tuple(COMPONENTS)}
        defaults = {}
        for host in variables:
            roles = ["common"] + [component for component in COMPONENTS if host in groups.get(component, [])]
            raw = {key: value for role in roles for key, value in role_defaults[role].items()}
            defaults[host] = {key: self._resolve(value, hostvars[host], host) for key, value in raw.items()}
        model = build_model(groups, variables, defaults)
        for host, (_values, unresolved) in read.items():
            if unresolved:
                model["hosts"][host]["unresolved"] = unresolved
        result.update(changed=False, ansible_facts={"cluster_model": model})
        return result

    def _resolve(self, value, host_variables, host):
        # Only few defaults are templates; resolving each value of a thousand hosts would take minutes.
        if not (isinstance(value, str) and "{{" in value):
            return value
        try:
            ansible_host = host_variables.get("ansible_host", host)
        except AnsibleError:
            ansible_host = host
        return self._templar.copy_with_new_env(
            available_variables={"inventory_hostname": host, "ansible_host": ansible_host}
        ).template(trust(value))


def inventory_variables(host_variables):
    """The variables of one host that concern the cluster, and why others have no value: ``(values, {name: message})``."""
    values, unresolved = {}, {}
    for key in host_variables:
        if key.startswith(PREFIXES) and key != "cluster_model":
            try:
                values[key] = host_variables[key]
            except AnsibleError as error:  # preflight reports it with everything else that is wrong
                unresolved[key] = str(error)
    return values, unresolved


def trust(template):
    """Defaults are part of the collection: their templates may be evaluated."""
    try:
        from ansible.template import trust_as_template
    except ImportError:  # ansible-core before 2.19 trusts every string
        return template
    return trust_as_template(template)
