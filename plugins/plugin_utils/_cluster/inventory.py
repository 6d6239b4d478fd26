# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The inventory as a playbook sees it: groups, the variables that concern the cluster, and the roles' defaults."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleError

from . import role_files
from .model import PREFIXES


class Inventory:
    """What the model is built from."""

    def __init__(self, task_vars: Mapping[str, Any], templar: Any) -> None:
        self._hostvars = task_vars["hostvars"]
        self._templar = templar
        self.groups: dict[str, list[str]] = {group: list(hosts) for group, hosts in task_vars["groups"].items()}
        self.variables: dict[str, dict[str, Any]] = {}
        # Host to the variables whose templates have no value, and why; preflight reports them with all else.
        self.unresolved: dict[str, dict[str, str]] = {}
        for host in self.groups["all"]:
            self._read(host)

    def _read(self, host: str) -> None:
        variables, found, unresolved = self._hostvars[host], {}, {}
        for name in variables:
            if name.startswith(PREFIXES):
                try:
                    found[name] = variables[name]
                except AnsibleError as error:
                    unresolved[name] = str(error)
        self.variables[host] = found
        if unresolved:
            self.unresolved[host] = unresolved

    def defaults(self) -> dict[str, dict[str, Any]]:
        """Return host to the defaults of the roles that it has, templates resolved."""
        found = {}
        for host in self.variables:
            roles = [role for role in role_files.ROLES if self._has(host, role)]
            raw = {name: value for role in roles for name, value in role_files.defaults(role).items()}
            found[host] = {name: self._resolved(value, host) for name, value in raw.items()}
        return found

    def _has(self, host: str, role: str) -> bool:
        # Where there is a server for it, all hosts are monitored.
        monitored = role == "monitoring" and bool(self.groups.get(role))
        return role == "common" or monitored or host in self.groups.get(role, [])

    def _resolved(self, value: Any, host: str) -> Any:
        # Only few defaults are templates; resolving each value of a thousand hosts would take minutes.
        if not (isinstance(value, str) and "{{" in value):
            return value
        try:
            address = self._hostvars[host].get("ansible_host", host)
        except AnsibleError:
            address = host
        names = {"inventory_hostname": host, "ansible_host": address}
        return self._templar.copy_with_new_env(available_variables=names).template(trusted(value))


def trusted(template: str) -> str:
    """Return a template of this collection as one that may be evaluated."""
    try:
        from ansible.template import trust_as_template
    except ImportError:  # ansible-core before 2.19 trusts every string
        return template
    marked: str = trust_as_template(template)
    return marked
