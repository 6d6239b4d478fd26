# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: supervisor_unit_settings
short_description: What systemd is told of supervisord's service
version_added: 0.2.0
description:
  - Writes the settings that the role C(common) adds to the distribution's unit, so that stopping the service waits for
    the programs, and these may open enough files.
positional: _input
options:
  _input:
    description: How many files a supervised program may open.
    type: int
    required: true
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Show the settings
  ansible.builtin.debug:
    msg: "{{ 1048576 | autonomys.cluster.supervisor_unit_settings }}"
"""

RETURN = r"""
_value:
  description: The content of the file.
  type: str
"""

from typing import Callable

from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.unit import unit_settings


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[[int], str]]:
        """Return the filter by its name."""
        return {"supervisor_unit_settings": unit_settings}
