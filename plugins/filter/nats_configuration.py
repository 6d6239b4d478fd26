# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: nats_configuration
short_description: The configuration file of a NATS server
version_added: 0.1.0
description:
  - Writes the settings of a NATS server in nats-server's own notation.
  - Every text is quoted, and what must be a size or a port is refused if it is not.
positional: _input
options:
  _input:
    description: The inputs of the role C(nats) by their names.
    type: dict
    required: true
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Show the configuration
  ansible.builtin.debug:
    msg: "{{ __nats_settings | autonomys.cluster.nats_configuration }}"
"""

RETURN = r"""
_value:
  description: The content of the file.
  type: str
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import ConfigurationError, file_text


def nats_configuration(settings: dict[str, Any]) -> str:
    """Render, with errors as Ansible reports them."""
    try:
        return file_text(settings)
    except ConfigurationError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"nats_configuration": nats_configuration}
