# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: host_releases
short_description: The versions of binaries that a host needs
version_added: 0.1.0
author: autonomys.cluster contributors (@autonomys-cluster)
description:
  - From the shared variables and the machine's architecture, what M(autonomys.cluster.release) installs.
positional: machine, checksums
options:
  _input:
    description: The shared C(cluster_*) variables, C(nats_version) and C(nats_binary).
    type: dict
    required: true
  machine:
    description: The kernel's name for the machine, such as C(x86_64).
    type: str
    required: true
  checksums:
    description: The pinned checksums of nats-server's archives, a map from version to architecture to SHA-256.
    type: dict
    required: true
"""

EXAMPLES = r"""
releases: "{{ __common_settings | autonomys.cluster.host_releases('x86_64', __common_nats_checksums) }}"
"""

RETURN = r"""
_value:
  description: Releases in the shape of the option O(autonomys.cluster.release#module:releases).
  type: list
  elements: dict
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import (
    Checksums,
    Release,
    releases,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import Settings, SettingsError
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inputs import typed


def host_releases(settings: Settings, machine: str, checksums: Checksums) -> list[Release]:
    """Return the releases, with errors as Ansible reports them."""
    try:
        return releases(typed(settings), machine, checksums)
    except SettingsError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"host_releases": host_releases}
