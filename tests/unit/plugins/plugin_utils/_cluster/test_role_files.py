# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' files, as the control node reads them."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files


def test_defaults_keep_their_templates():
    assert "{{" in role_files.defaults("common")["cluster_address"]
    assert role_files.defaults("node")["node_rpc_port"] == 9944


def test_options_are_those_of_all_entry_points():
    options = role_files.options("common")
    assert {"cluster_version", "cluster_user"} <= set(options)
    assert options["cluster_accept"]["elements"] == "str"


def test_pinned_checksums():
    default = role_files.defaults("common")["nats_version"]
    assert len(role_files.nats_checksums()[default]["amd64"]) == 64
