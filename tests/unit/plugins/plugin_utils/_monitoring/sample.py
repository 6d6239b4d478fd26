# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of three hosts, one of which monitors."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.model import build_model

SECRET = "hunter2-in-the-environment"
GROUPS = {"nats": ["a", "b"], "node": ["a"], "plot_server": ["b"], "caches": ["b"], "monitoring": ["a"]}


def model(groups=None, **variables):
    """The cluster's model, with variables for all hosts."""
    members = GROUPS if groups is None else groups
    hosts = ("a", "b", "c")
    defaults = {
        host: {
            **{key: value for role in role_files.ROLES for key, value in role_files.defaults(role).items()},
            "cluster_address": f"10.0.0.{number}",
            "nats_server_name": host,
        }
        for number, host in enumerate(hosts, 1)
    }
    given = {"cluster_version": "v1", "node_environment": {"TOKEN": SECRET}, **variables}
    return build_model(members, dict.fromkeys(hosts, given), defaults)
